# METADATA
# title: Expire pull request images
# description: |
#   Deletes images all of whose tags were made for pull requests once they are
#   older than the limit. One other tag and the image stays.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     older_than_days: 14
#     globs: [pr-*, pull-*]
#   params_doc:
#     older_than_days: Days since the image was created; at exactly the limit it stays.
#     globs: Tags made for pull requests. An empty list expires nothing.
package retention.expire_pull_requests

import data.lib.params
import data.lib.versions

_limit := params.number("expire_pull_requests", "older_than_days")

_globs := params.strings("expire_pull_requests", "globs")

# METADATA
# title: Pull request images beyond the limit
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	versions.has_tags
	some i in versions.matching_only(_globs)
	v := input.versions[i]
	v.state == "active"
	v.age_days > _limit
	reason := sprintf("a pull request image of %v days (limit %v): %s", [versions.days(v.age_days), _limit, concat(", ", v.tags)])
}
