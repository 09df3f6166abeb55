# METADATA
# title: Quarantine a publish
# description: |
#   On a webhook, deletes the version that was just published when it breaks a
#   publishing rule; it can be restored for 30 days. Every rule is off until
#   its parameter is set. Only the version that the webhook names is looked at, and
#   only while it is young, so that a late delivery or a new tag on an old image
#   deletes nothing.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: critical
#   params:
#     require_repository: false
#     allowed_visibilities: []
#     allowed_tags: []
#     allowed_senders: []
#     max_age_days: 1
#   params_doc:
#     require_repository: The package must be linked to a repository.
#     allowed_visibilities: The package must have one of these visibilities. An empty list allows all.
#     allowed_tags: Every tag must match one of these globs; untagged images pass. An empty list allows all.
#     allowed_senders: The sender's login must match one of these globs, without regard to case. An empty list allows all.
#     max_age_days: Versions created more days ago are left alone, whatever the webhook says.
package retention.quarantine_publish

import data.lib.globs
import data.lib.params

_max_age := params.number("quarantine_publish", "max_age_days")

_visibilities := params.strings("quarantine_publish", "allowed_visibilities")

_tags := params.strings("quarantine_publish", "allowed_tags")

_senders := params.lower_strings("quarantine_publish", "allowed_senders")

# METADATA
# title: The package is linked to no repository
decisions contains {"action": "delete", "version": _published.id, "rule": "repository", "reason": reason} if {
	params.is_set("quarantine_publish", "require_repository")
	not input.package.repository
	reason := "published to a package that is linked to no repository"
}

# METADATA
# title: The package's visibility is not allowed
decisions contains {"action": "delete", "version": _published.id, "rule": "visibility", "reason": reason} if {
	count(_visibilities) > 0
	not input.package.visibility in _visibilities
	reason := sprintf("published to a %s package (allowed: %s)", [input.package.visibility, concat(", ", _visibilities)])
}

# METADATA
# title: A tag is not allowed
decisions contains {"action": "delete", "version": _published.id, "rule": "tag", "reason": reason} if {
	count(_tags) > 0
	refused := globs.missing({tag | some tag in _published.tags}, _tags)
	count(refused) > 0
	reason := sprintf("published with tag %s (allowed: %s)", [concat(", ", refused), concat(", ", _tags)])
}

# METADATA
# title: The sender is not allowed
decisions contains {"action": "delete", "version": _published.id, "rule": "sender", "reason": reason} if {
	count(_senders) > 0
	input.trigger.sender != ""
	count(globs.missing({lower(input.trigger.sender)}, _senders)) > 0
	reason := sprintf("published by %s (allowed: %s)", [input.trigger.sender, concat(", ", _senders)])
}

_published := v if {
	input.trigger.kind == "webhook"
	input.trigger.action == "published"
	input.complete
	some v in input.versions
	v.id == input.trigger.version_id
	v.state == "active"
	is_number(v.age_days)
	v.age_days <= _max_age
}
