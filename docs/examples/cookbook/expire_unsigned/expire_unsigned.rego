# METADATA
# title: Expire unsigned images
# description: Deletes images without a signature once they are older than the limit.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: medium
#   params: {older_than_days: 7}
package retention.expire_unsigned

import data.lib.params

# Digests that a signature is about. An index is signed as a whole.
_signed contains v.oci.subject if {
	some v in input.versions
	v.oci.kind == "signature"
}

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.complete # an unread signature must not look like a missing one
	some v in input.versions
	v.state == "active"
	v.root
	v.oci.kind in {"image", "index"}
	not v.name in _signed
	v.age_days > params.number("expire_unsigned", "older_than_days")
	reason := sprintf("unsigned after %v days", [floor(v.age_days)])
}
