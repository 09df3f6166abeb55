# METADATA
# title: Idle, not old
# description: Deletes versions that nothing has touched for long, such as a tag moved onto them.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {idle_days: 120}
package retention.idle_not_old

import data.lib.params

# updated_at moves when GitHub says so; it has no time of the last pull.
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	some v in input.versions
	v.state == "active"
	v.root
	v.idle_days > params.number("idle_not_old", "idle_days")
	v.rank_root > 0 # never the newest
	reason := sprintf("untouched for %v days", [floor(v.idle_days)])
}
