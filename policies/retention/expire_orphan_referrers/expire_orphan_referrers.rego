# METADATA
# title: Expire orphaned referrers
# description: |
#   Deletes signatures, attestations and artifacts whose subject is gone. A
#   referrer stays while its subject can still be restored, while it has a tag of
#   its own, and in packages that hold no image at all: those are stores
#   of signatures for images elsewhere.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     older_than_days: 7
#   params_doc:
#     older_than_days: Days since the referrer was created; at exactly the limit it stays.
package retention.expire_orphan_referrers

import data.lib.params
import data.lib.versions

_limit := params.number("expire_orphan_referrers", "older_than_days")

_listed := {v.name | some v in input.versions}

# METADATA
# title: Referrers without their subject
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.complete
	_has_images
	some v in input.versions
	is_string(v.oci.subject)
	v.root
	v.tagged == false
	v.state == "active"
	v.age_days > _limit
	v.oci.kind in {"signature", "attestation", "artifact"}
	v.oci.subject != ""
	not v.oci.subject in _listed
	reason := sprintf("%s of %s, which is gone, and %v days old (limit %v)", [v.oci.kind, v.oci.subject, versions.days(v.age_days), _limit])
}

_has_images if {
	some v in input.versions
	v.state == "active"
	v.oci.kind in {"image", "index"}
}
