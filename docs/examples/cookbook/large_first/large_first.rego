# METADATA
# title: Large images first
# description: Deletes images of more than so many megabytes earlier than others.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: medium
#   params: {megabytes: 1000, older_than_days: 30}
package retention.large_first

import data.lib.params

# An index weighs what its children weigh together. Layers that several images
# share count in each of them: the manifests say no more.
_bytes := {v.id: v.oci.size_bytes | some v in input.versions; v.oci}

_weight(i) := input.versions[i].oci.size_bytes + sum([_bytes[child] | some child in input.versions[i].oci.children])

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	some i, v in input.versions
	v.state == "active"
	v.root
	v.age_days > params.number("large_first", "older_than_days")
	megabytes := _weight(i) / 1000000
	megabytes > params.number("large_first", "megabytes")
	reason := sprintf("%v MB, %v days old", [floor(megabytes), floor(v.age_days)])
}
