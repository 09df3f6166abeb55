# METADATA
# title: What is deployed
# description: |
#   Reads data.deployed, a document that the user's pipeline writes. Every text in
#   it counts, at any depth, so that a plain list, a list per environment and the
#   output of an inventory tool all work. Understood, without regard to case:
#   a digest (sha256:…); an image reference with a digest or a tag, with or
#   without its registry (ghcr.io/acme/api:v1, acme/api@sha256:…; no tag means
#   latest); OWNER/TYPE/NAME@VERSION (acme/npm/left-pad@1.0.0); and a bare tag or
#   version, which then counts in every package.
# scope: package
# schemas:
#   - input: schema.input
package lib.deployed

# METADATA
# title: Everything that the document lists, each text in all the forms it stands for
listed contains form if {
	walk(data.deployed, [_, entry])
	is_string(entry)
	some form in _forms(lower(entry))
}

# METADATA
# title: The listed names of versions, as pairs of index and name
named := array.concat(
	[[i, v.name] |
		count(listed) > 0
		some i, v in input.versions
		lower(v.name) in _here
	],
	[[i, tag] |
		count(listed) > 0
		some i, v in input.versions
		some tag in v.tags
		lower(tag) in _here
	],
)

# The registry's host is the first segment when it holds a dot or a port; a
# GitHub login holds neither.
_forms(entry) := {entry, bare, concat("", [bare, ":latest"])} | digests if {
	digests := {part | some part in split(entry, "@"); startswith(part, "sha256:")}
	bare := regex.replace(entry, `^(?:[a-z-]+://)?[^/]*[.:][^/]*/`, "")
}

_here := listed | {rest |
	some entry in listed
	some prefix in _prefixes
	startswith(entry, prefix)
	rest := trim_prefix(entry, prefix)
}

_prefixes := {
	lower(sprintf("%s/%s:", [input.owner.login, input.package.name])),
	lower(sprintf("%s/%s/%s@", [input.owner.login, input.package.package_type, input.package.name])),
}
