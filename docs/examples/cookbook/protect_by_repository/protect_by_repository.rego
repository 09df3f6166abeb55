# METADATA
# title: Protect by repository
# description: Keeps every package that is public, or whose repository is on the list.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params: {repositories: []}
package retention.protect_by_repository

import data.lib.params

decisions contains {"action": "keep", "package": true, "reason": "a public package"} if {
	input.package.visibility == "public"
}

decisions contains {"action": "keep", "package": true, "reason": reason} if {
	lower(input.package.repository.full_name) in params.lower_strings("protect_by_repository", "repositories")
	reason := sprintf("%s is protected", [input.package.repository.full_name])
}
