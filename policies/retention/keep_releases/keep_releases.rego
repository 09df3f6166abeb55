# METADATA
# title: Keep releases
# description: |
#   Keeps the highest few releases of every major or minor line by semantic
#   version. Prereleases do not count. With unusable parameters the whole package
#   is kept.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params:
#     per: minor
#     newest: 3
#   params_doc:
#     per: Which line to count in, major (1.x) or minor (1.4.x).
#     newest: How many releases of each line to keep. 0 keeps none.
package retention.keep_releases

import data.lib.lines
import data.lib.params

_per := params.text("keep_releases", "per")

_newest := params.number("keep_releases", "newest")

_releases := [[_line(i), 0 - v.semver.minor, 0 - v.semver.patch, v.rank, v.id] |
	some i, v in input.versions
	v.semver.prerelease == ""
	v.state == "active"
]

# METADATA
# title: The highest releases of each line
decisions contains {"action": "keep", "version": id, "reason": reason} if {
	_per in {"major", "minor"}
	reason := sprintf("among the highest %v releases of its %s line", [_newest, _per])
	some id in lines.newest(_releases, _newest)
}

# METADATA
# title: Everything, when what to keep is not known
decisions contains {"action": "keep", "package": true, "rule": "unusable_params", "reason": reason} if {
	not _has_params
	reason := "the parameters of keep_releases are missing or wrong: check params.keep_releases"
}

_has_params if {
	_per in {"major", "minor"}
	is_number(_newest)
}

_line(i) := [input.versions[i].semver.major] if _per == "major"

_line(i) := [input.versions[i].semver.major, input.versions[i].semver.minor] if _per == "minor"
