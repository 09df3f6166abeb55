# METADATA
# title: Expire by description
# description: Deletes versions whose description marks them as withdrawn.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: medium
#   params: {words: [withdrawn, do not use]}
package retention.expire_described

import data.lib.params

decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	some v in input.versions
	v.state == "active"
	v.age_days > 7 # time to change one's mind
	is_string(v.description) # lower(null) would be an error, and the policy would fail
	some word in params.lower_strings("expire_described", "words")
	contains(lower(v.description), word)
	reason := sprintf("its description says %q", [word])
}
