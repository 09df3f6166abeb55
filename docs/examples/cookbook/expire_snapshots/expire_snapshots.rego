# METADATA
# title: Expire snapshots
# description: Deletes Maven snapshots older than the limit.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {older_than_days: 14}
package retention.expire_snapshots

import data.lib.params

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.package.package_type == "maven"
	some v in input.versions
	v.state == "active"
	endswith(v.name, "-SNAPSHOT")
	v.age_days > params.number("expire_snapshots", "older_than_days")
	reason := sprintf("a snapshot of %v days", [floor(v.age_days)])
}
