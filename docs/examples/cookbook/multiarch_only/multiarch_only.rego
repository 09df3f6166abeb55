# METADATA
# title: Multi-platform only
# description: Deletes images for one platform once there are indexes beside them, after a while.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {older_than_days: 30}
package retention.multiarch_only

import data.lib.params

# An index with at least two platforms whose children are all there.
_has_index if {
	some v in input.versions
	v.state == "active"
	v.oci.kind == "index"
	count(v.oci.missing) == 0
	count(v.oci.children) > 1
}

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	_has_index
	some v in input.versions
	v.state == "active"
	v.root
	v.oci.kind == "image"
	v.age_days > params.number("multiarch_only", "older_than_days")
	reason := sprintf("only for %s, %v days old", [v.oci.platform, floor(v.age_days)])
}
