# METADATA
# title: Released last quarter
# description: Keeps every release of the last three months, whatever else asks for.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params: {days: 92}
package retention.released_last_quarter

import data.lib.params

_limit := params.number("released_last_quarter", "days")

decisions contains {"action": "keep", "version": v.id, "reason": reason} if {
	some i, v in input.versions
	v.state == "active"
	v.semver.prerelease == ""
	not _is_older(i)
	reason := sprintf("%s was released within %v days", [v.semver.version, _limit])
}

# A helper, so that an unknown age is "not older" and the version is kept.
_is_older(i) if input.versions[i].age_days > _limit
