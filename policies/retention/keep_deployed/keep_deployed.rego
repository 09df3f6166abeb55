# METADATA
# title: Keep what is deployed
# description: |
#   Keeps versions that data.deployed lists, a document which the pipeline writes:
#   digests, image references, OWNER/TYPE/NAME@VERSION or bare tags, in any shape.
#   An index is kept when one of its images is listed.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
#   params:
#     required: false
#   params_doc:
#     required: Keep every package whole while data.deployed is missing or lists nothing.
package retention.keep_deployed

import data.lib.deployed
import data.lib.params

_listed contains id if {
	some [i, _] in deployed.named
	input.versions[i].state == "active"
	id := input.versions[i].id
}

_parents := {v.id: v.oci.parents |
	count(_listed) > 0
	some v in input.versions
	v.state == "active"
}

# METADATA
# title: Listed versions
decisions contains {"action": "keep", "version": v.id, "rule": "listed", "reason": reason} if {
	some [i, name] in deployed.named
	v := input.versions[i]
	v.state == "active"
	reason := sprintf("deployed as %s", [name])
}

# METADATA
# title: Indexes of listed images
decisions contains {"action": "keep", "version": id, "rule": "index", "reason": reason} if {
	some id in (graph.reachable(_parents, _listed) - _listed)
	reason := "an image of this index is deployed"
}

# METADATA
# title: Everything, when what is deployed is not known
decisions contains {"action": "keep", "package": true, "rule": "not_known", "reason": reason} if {
	count(deployed.listed) == 0
	not _is_optional
	reason := "data.deployed is missing or lists nothing: have the pipeline write it, or set params.keep_deployed.required to false"
}

_is_optional if params.of("keep_deployed").required == false
