# METADATA
# title: Expire nightly builds
# description: |
#   Deletes images all of whose tags match the globs once they are older than the
#   limit, except the newest few of them.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     globs: [nightly-*]
#     older_than_days: 21
#     newest: 3
#   params_doc:
#     globs: All tags of an image must match one of these. An empty list selects nothing.
#     older_than_days: Days since the image was created; at exactly the limit it stays.
#     newest: How many of the newest nightly builds stay whatever their age.
package retention.expire_nightlies

import data.lib.params
import data.lib.versions

_limit := params.number("expire_nightlies", "older_than_days")

_newest := params.number("expire_nightlies", "newest")

# The indexes in input.versions, which is newest first.
_nightlies := [i |
	some i in sort(versions.matching_only(params.strings("expire_nightlies", "globs")))
	input.versions[i].state == "active"
]

# METADATA
# title: Nightly builds beyond the newest and beyond the limit
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.package.package_type == "container"
	some n, i in _nightlies
	n >= _newest
	v := input.versions[i]
	v.age_days > _limit
	reason := sprintf("a nightly build of %v days (limit %v), not among the newest %v", [versions.days(v.age_days), _limit, _newest])
}
