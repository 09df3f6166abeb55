# METADATA
# title: Cap versions
# description: Deletes everything beyond the newest few hundred of a package.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {most: 500}
package retention.cap_versions

import data.lib.params

_most := params.number("cap_versions", "most")

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	some v in input.versions
	v.state == "active"
	v.rank_root >= _most # null, outside roots, is less than any number
	reason := sprintf("number %v, and a package may have %v", [v.rank_root + 1, _most])
}
