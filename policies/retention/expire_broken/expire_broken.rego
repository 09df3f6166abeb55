# METADATA
# title: Expire broken indexes
# description: |
#   Deletes indexes that cannot be pulled any more because the registry has none of
#   the images they list; on request also those of which only some are left.
#   Tags do not protect by themselves: such a tag serves nobody. A keep does.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     older_than_days: 7
#     partial: false
#   params_doc:
#     older_than_days: Days since the index was created; at exactly the limit it stays.
#     partial: Also delete indexes of which some images are left, whose platforms can still be pulled.
package retention.expire_broken

import data.lib.params

_limit := params.number("expire_broken", "older_than_days")

# Indexes in input.versions.
_broken contains i if {
	input.complete
	some i, v in input.versions
	v.oci.kind == "index"
	v.state == "active"
	v.age_days > _limit
	count(v.oci.missing) > 0
}

# METADATA
# title: Indexes without any image left
decisions contains {"action": "delete", "version": v.id, "rule": "ghost", "reason": reason} if {
	some i in _broken
	v := input.versions[i]
	count(v.oci.children) == 0
	reason := sprintf("none of its %v images is in the registry any more", [count(v.oci.missing)])
}

# METADATA
# title: Indexes with some images left, on request
decisions contains {"action": "delete", "version": v.id, "rule": "partial", "reason": reason} if {
	params.is_set("expire_broken", "partial")
	some i in _broken
	v := input.versions[i]
	count(v.oci.children) > 0
	gone := count(v.oci.missing)
	reason := sprintf("%v of its %v images are not in the registry any more", [gone, gone + count(v.oci.children)])
}
