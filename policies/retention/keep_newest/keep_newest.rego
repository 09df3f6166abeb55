# METADATA
# title: Keep the newest
# description: |
#   Keeps the newest tagged versions, the newest untagged roots and the highest
#   releases by semantic version. Outside containers every version counts as
#   untagged. With unusable parameters the whole package is kept.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params:
#     tagged: 10
#     untagged: 0
#     releases: 10
#   params_doc:
#     tagged: How many of the newest tagged versions to keep.
#     untagged: >-
#       How many of the newest untagged roots to keep. 0 by default, because otherwise the last
#       few leftovers of every package would never expire; a push in flight is protected by limits.min_age.
#     releases: How many of the highest releases to keep, whatever their age. Prereleases do not count.
package retention.keep_newest

import data.lib.params

_tagged := params.number("keep_newest", "tagged")

_untagged := params.number("keep_newest", "untagged")

_releases := params.number("keep_newest", "releases")

# METADATA
# title: The newest tagged versions
decisions contains {"action": "keep", "version": v.id, "rule": "tagged", "reason": reason} if {
	_tagged > 0
	reason := sprintf("among the newest %v tagged versions", [_tagged])
	some i, v in input.versions
	v.tagged
	v.state == "active"
	not i in _older_tagged
}

# METADATA
# title: The newest untagged roots
decisions contains {"action": "keep", "version": v.id, "rule": "untagged", "reason": reason} if {
	_untagged > 0
	reason := sprintf("among the newest %v untagged versions", [_untagged])
	some i, v in input.versions
	v.root
	v.tagged == false
	v.state == "active"
	not i in _older_untagged
}

# METADATA
# title: The highest releases
decisions contains {"action": "keep", "version": v.id, "rule": "release", "reason": reason} if {
	_releases > 0
	reason := sprintf("among the highest %v releases", [_releases])
	some i, v in input.versions
	v.semver.prerelease == ""
	v.state == "active"
	not i in _lower_releases
}

# METADATA
# title: Everything, when what to keep is not known
decisions contains {"action": "keep", "package": true, "rule": "unusable_params", "reason": reason} if {
	not _has_params
	reason := "the parameters of keep_newest are missing or not numbers: check params.keep_newest"
}

# A version whose rank is unknown is none of these, and so it is kept. They are
# helpers because an undefined operand of `not x >= y` would undo the whole rule.
_older_tagged := {i | some i, v in input.versions; v.rank_tagged >= _tagged}

_older_untagged := {i | some i, v in input.versions; v.rank_untagged >= _untagged}

_lower_releases := {i | some i, v in input.versions; v.rank_semver >= _releases}

_has_params if {
	is_number(_tagged)
	is_number(_untagged)
	is_number(_releases)
}
