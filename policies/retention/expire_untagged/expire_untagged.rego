# METADATA
# title: Expire untagged images
# description: |
#   Deletes untagged container versions that nothing references once they are
#   older than the limit. Signatures, attestations and artifacts that refer to a
#   subject are left to expire_orphan_referrers, and manifests whose meaning
#   could not be told are left alone.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     older_than_days: 30
#   params_doc:
#     older_than_days: Days since the version was created; at exactly the limit it stays.
package retention.expire_untagged

import data.lib.params
import data.lib.versions

_limit := params.number("expire_untagged", "older_than_days")

# METADATA
# title: Untagged roots beyond the limit
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.package.package_type == "container"
	some v in input.versions
	v.root
	v.tagged == false
	v.state == "active"
	v.age_days > _limit
	v.oci.kind != "unknown"
	v.oci.subject in {null, ""}
	reason := sprintf("untagged for %v days (limit %v)", [versions.days(v.age_days), _limit])
}
