# METADATA
# title: Newest per branch
# description: |
#   Of the images whose tags all begin with one branch's prefix, such as main-,
#   all but the newest few go.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params: {newest: 3, prefixes: [main-, develop-]}
package retention.newest_per_prefix

import data.lib.params

_newest := params.number("newest_per_prefix", "newest")

# For each prefix, the indexes of its images in input.versions, newest first.
_images := {prefix: images |
	some prefix in params.strings("newest_per_prefix", "prefixes")
	images := [i |
		some i, v in input.versions
		v.state == "active"
		v.tagged
		every tag in v.tags {
			startswith(tag, prefix)
		}
	]
}

decisions contains {"action": "delete", "version": input.versions[i].id, "reason": reason} if {
	some prefix, images in _images
	some n, i in images
	n >= _newest
	reason := sprintf("not among the newest %v of %s*", [_newest, prefix])
}
