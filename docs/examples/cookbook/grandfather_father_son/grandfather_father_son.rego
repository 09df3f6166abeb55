# METADATA
# title: Weekly and monthly
# description: Keeps the newest version of each day, week and month, for a number of days, weeks and months.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params: {days: 7, weeks: 5, months: 12}
package retention.grandfather_father_son

import data.lib.params

# Each kept span, as [name, how many days back it goes, the version's slot in it].
# A week is seven days of the calendar counted from 1970-01-01, a Thursday.
_slots contains [span, slot, i] if {
	some i, v in input.versions
	v.state == "active"
	v.root
	is_number(v.age_days)
	day := floor(time.parse_rfc3339_ns(v.created_at) / 86400000000000)
	some [span, width, slot] in [
		["day", 1, day],
		["week", 7, floor(day / 7)],
		["month", 31, substring(v.created_at, 0, 7)],
	]
	v.age_days <= width * params.number("grandfather_father_son", sprintf("%ss", [span]))
}

# input.versions is newest first, so the lowest index is the newest of its slot.
decisions contains {"action": "keep", "version": input.versions[newest].id, "rule": span, "reason": reason} if {
	some [span, slot, _] in _slots
	newest := min({i | some [s, t, i] in _slots; s == span; t == slot})
	reason := sprintf("the newest of its %s", [span])
}
