# METADATA
# title: Retire unlinked packages
# description: Deletes whole packages that are linked to no repository and that nobody has pushed to for long.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: high
#   params: {idle_days: 180}
package retention.retire_unlinked

import data.lib.params

decisions contains {"action": "delete", "package": true, "reason": reason} if {
	input.complete
	input.package.state == "active"
	not input.package.repository
	input.package.visibility == "private"
	input.package.idle_days > params.number("retire_unlinked", "idle_days")
	reason := sprintf("linked to no repository and idle for %v days", [floor(input.package.idle_days)])
}
