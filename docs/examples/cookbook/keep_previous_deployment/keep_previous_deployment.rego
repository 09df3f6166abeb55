# METADATA
# title: Keep the previous deployment
# description: Keeps, beside what runs, the release before it, to roll back to.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
package retention.keep_previous_deployment

import data.lib.deployed

# The ranks by semantic version of what runs; the next one down is the one before.
_before contains input.versions[i].rank_semver + 1 if some [i, _] in deployed.named

decisions contains {"action": "keep", "version": v.id, "reason": "the release before a deployed one"} if {
	some v in input.versions
	v.rank_semver in _before
}
