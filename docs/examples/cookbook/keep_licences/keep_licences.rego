# METADATA
# title: Keep by licence
# description: Keeps versions under licences whose sources have to stay available.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params: {licences: [GPL-3.0, AGPL-3.0]}
package retention.keep_licences

import data.lib.params

decisions contains {"action": "keep", "version": v.id, "reason": sprintf("licence %s", [v.license])} if {
	some v in input.versions
	v.state == "active"
	is_string(v.license)
	lower(v.license) in params.lower_strings("keep_licences", "licences")
}
