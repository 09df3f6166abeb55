# METADATA
# title: Expire by age
# description: |
#   Deletes versions older than the limit whose names match the globs, beyond the
#   newest few of those that match. The names of an image are its tags, those of
#   other packages their version strings. All names have to match, because
#   deleting a version removes all its tags: one other tag and it stays.
#   Untagged images are left to expire_untagged.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     older_than_days: 365
#     globs: []
#     newest: 10
#   params_doc:
#     older_than_days: Days since the version was created; at exactly the limit it stays.
#     globs: Names to expire, such as nightly-*. An empty list expires nothing.
#     newest: How many of the newest matching versions stay whatever their age.
package retention.expire_by_age

import data.lib.params
import data.lib.versions

_limit := params.number("expire_by_age", "older_than_days")

_globs := params.strings("expire_by_age", "globs")

_newest := params.number("expire_by_age", "newest")

_matching := sort([[v.rank, v.id, v.age_days] |
	count(_globs) > 0
	some i in versions.matching_only(_globs)
	v := input.versions[i]
	v.state == "active"
])

# METADATA
# title: Matching versions beyond the limit and the newest few
decisions contains {"action": "delete", "version": id, "reason": reason} if {
	some position, [_, id, age] in _matching
	position >= _newest
	age > _limit
	reason := sprintf("%v days old (limit %v), beyond the newest %v of its kind", [versions.days(age), _limit, _newest])
}
