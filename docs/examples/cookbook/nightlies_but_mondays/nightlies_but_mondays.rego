# METADATA
# title: Nightlies except Mondays'
# description: Deletes nightly images older than the limit, except those made on a Monday (UTC).
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {older_than_days: 14}
package retention.nightlies_but_mondays

import data.lib.params
import data.lib.versions

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	some i in versions.matching_only(["nightly-*"])
	v := input.versions[i]
	v.state == "active"
	v.age_days > params.number("nightlies_but_mondays", "older_than_days")
	weekday := time.weekday(time.parse_rfc3339_ns(v.created_at))
	weekday != "Monday"
	reason := sprintf("a nightly image of a %s, %v days old", [weekday, floor(v.age_days)])
}
