# METADATA
# title: Clean up legacy Docker
# description: Empties the packages of the old Docker registry down to the newest few versions, once they are idle.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: medium
#   params: {newest: 1, idle_days: 180}
package retention.docker_legacy

import data.lib.params

# That registry has no manifests that could be read, so nothing is known of what
# belongs together: whole packages that nobody pushes to any more, and nothing else.
decisions contains {"action": "delete", "version": v.id, "reason": reason} if {
	input.package.package_type == "docker"
	input.package.idle_days > params.number("docker_legacy", "idle_days")
	some v in input.versions
	v.state == "active"
	v.rank >= params.number("docker_legacy", "newest")
	reason := sprintf("a legacy image of a package idle for %v days", [floor(input.package.idle_days)])
}
