# METADATA
# title: Keep signed images
# description: Keeps images that a signature refers to.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
package retention.keep_signed

# Digests that a signature is about. An index is signed as a whole.
_signed contains v.oci.subject if {
	some v in input.versions
	v.state == "active"
	v.oci.kind == "signature"
}

decisions contains {"action": "keep", "version": v.id, "reason": "it is signed"} if {
	some v in input.versions
	v.state == "active"
	v.name in _signed
}
