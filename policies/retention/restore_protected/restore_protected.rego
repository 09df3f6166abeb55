# METADATA
# title: Restore what is protected
# description: |
#   Restores a version that somebody else deleted although a shipped keep policy
#   would cover it if it were still there, or although a kept index lists it; and
#   a package that somebody else deleted with such a version in it. What this
#   system deleted itself stays deleted, and so does a version whose digest,
#   version or tag has been given to another one since.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: medium
#   params: {}
#   params_doc: {}
package retention.restore_protected

import data.lib.versions
import data.retention.keep_deployed
import data.retention.keep_newest
import data.retention.keep_releases
import data.retention.keep_tags

# METADATA
# title: Versions that a keep policy covers
decisions contains {"action": "restore", "version": id, "rule": policy, "reason": reason} if {
	input.package.state == "active"
	some [policy, id, why] in _covered
	reason := sprintf("deleted by somebody else, and %s would keep it: %s", [policy, why])
}

# METADATA
# title: Images that a kept index lists
decisions contains {"action": "restore", "version": v.id, "rule": "index", "reason": reason} if {
	input.package.state == "active"
	some i in _candidates
	v := input.versions[i]
	v.name in _missing
	reason := "deleted by somebody else, and an index that is kept lists it"
}

# METADATA
# title: Packages with a version that a keep policy covers
decisions contains {"action": "restore", "package": true, "rule": "package", "reason": reason} if {
	input.package.state == "deleted"
	[policy, _, why] := min(_covered)
	reason := sprintf("deleted by somebody else, and %s would keep a version of it: %s", [policy, why])
}

# Indexes in input.versions.
_candidates := {i |
	some i, v in input.versions
	v.state == "deleted"
	_is_candidate(i)
}

_is_candidate(i) if {
	input.versions[i].deleted_by.by == "other"
	is_number(input.versions[i].age_days)
	input.versions[i].restorable_days > 0
	not input.versions[i].name in _taken
	not i in _renamed
}

# Digests, versions and tags that an active version bears now.
_taken contains v.name if {
	some v in input.versions
	v.state == "active"
}

_taken contains tag if {
	some v in input.versions
	v.state == "active"
	some tag in v.tags
}

_renamed := versions.with_any(_taken)

_keeps contains {"policy": "keep_deployed", "decision": decision} if {
	some decision in keep_deployed.decisions
}

_keeps contains {"policy": "keep_newest", "decision": decision} if {
	some decision in keep_newest.decisions
}

_keeps contains {"policy": "keep_releases", "decision": decision} if {
	some decision in keep_releases.decisions
}

_keeps contains {"policy": "keep_tags", "decision": decision} if {
	some decision in keep_tags.decisions
}

# The keep policies are asked about the package as it would be with every
# candidate back, so that this policy cannot disagree with them.
_verdicts := verdicts if {
	count(_candidates) > 0
	verdicts := _keeps with input.versions as _whole
}

_covered contains [policy, decision.version, decision.reason] if {
	ids := {input.versions[i].id | some i in _candidates}
	some {"policy": policy, "decision": decision} in _verdicts
	decision.version in ids
}

_missing contains digest if {
	kept := {verdict.decision.version | some verdict in _verdicts}
	some v in input.versions
	v.state == "active"
	v.id in kept
	some digest in v.oci.missing
}

_whole := array.concat(_active, [_back(i) | some i in _candidates])

_back(i) := object.union(input.versions[i], {
	"state": "active",
	"root": _is_root(i),
	"rank_tagged": object.get(_tagged, input.versions[i].id, null),
	"rank_untagged": object.get(_untagged, input.versions[i].id, null),
	"rank_semver": object.get(_releases, input.versions[i].id, null),
})

# Whether a deleted untagged image was a root cannot be told, so it counts as none.
_is_root(i) := input.versions[i].root if not versions.has_tags

_is_root(i) := input.versions[i].tagged if versions.has_tags

_active := [v | some v in input.versions; v.state == "active"]

_pool := array.concat(_active, [input.versions[i] | some i in _candidates])

_tagged := _positions([[v.age_days, 0 - to_number(v.id), v.id] |
	some v in _pool
	v.tagged
])

_untagged := _positions([[v.age_days, 0 - to_number(v.id), v.id] |
	some v in _pool
	v.tagged == false
	v.root
])

_releases := _positions([[0 - v.semver.major, 0 - v.semver.minor, 0 - v.semver.patch, v.age_days, v.id] |
	some v in _pool
	v.semver.prerelease == ""
])

_positions(entries) := {entry[count(entry) - 1]: position | some position, entry in sort(entries)}
