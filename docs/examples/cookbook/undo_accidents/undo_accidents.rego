# METADATA
# title: Undo accidents
# description: Restores what somebody else deleted by hand within the last days, if it was in a release.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: high
#   params: {within_days: 3}
package retention.undo_accidents

import data.lib.params

_within := params.number("undo_accidents", "within_days")

decisions contains {"action": "restore", "version": v.id, "reason": reason} if {
	input.package.state == "active"
	some v in input.versions
	v.state == "deleted"
	v.deleted_by.by == "other"
	v.semver.prerelease == ""
	v.restorable_days > 30 - _within
	not v.semver.version in _there
	reason := sprintf("%s was deleted by hand", [v.semver.version])
}

# Versions that have been published again since.
_there contains v.semver.version if {
	some v in input.versions
	v.state == "active"
}
