# METADATA
# title: Keep tags
# description: |
#   Keeps versions with a name that matches a glob: one of its tags for images, the
#   version string elsewhere. One matching tag is enough. A digest keeps exactly
#   that image. With unusable parameters the whole package is kept.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params:
#     globs: [latest, stable, main, master, release-*]
#   params_doc:
#     globs: Names to keep; a digest is compared whole. An empty list keeps nothing.
package retention.keep_tags

import data.lib.globs
import data.lib.params
import data.lib.versions

_globs := params.strings("keep_tags", "globs")

_protected := versions.names - globs.missing(versions.names, _globs)

# METADATA
# title: Versions with a protected name
decisions contains {"action": "keep", "version": v.id, "rule": "name", "reason": reason} if {
	some [i, name] in versions.named
	name in _protected
	v := input.versions[i]
	v.state == "active"
	reason := sprintf("%s is a protected name", [name])
}

# METADATA
# title: Versions with a protected digest
decisions contains {"action": "keep", "version": v.id, "rule": "digest", "reason": "its digest is protected"} if {
	versions.has_tags
	some v in input.versions
	v.state == "active"
	v.name in _globs
}

# METADATA
# title: Everything, when what to keep is not known
decisions contains {"action": "keep", "package": true, "rule": "unusable_params", "reason": reason} if {
	not _has_params
	reason := "the parameters of keep_tags are missing or not a list of texts: check params.keep_tags"
}

_has_params if is_array(_globs)
