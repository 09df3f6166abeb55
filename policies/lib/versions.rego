# METADATA
# title: Versions
# description: |
#   What several policies ask about versions. Versions are named by their index in
#   input.versions, and sets of indexes are made in one go.
# scope: package
# schemas:
#   - input: schema.input
package lib.versions

import data.lib.globs

# METADATA
# title: The package holds images, whose versions are named by tags and not by their digest
has_tags if input.package.package_type in {"container", "docker"}

# METADATA
# title: What people pull versions by, as pairs of index and name
# description: The tags of images, of which there may be none, and the version string elsewhere.
named := [[i, tag] |
	some i, v in input.versions
	some tag in v.tags
] if has_tags

named := [[i, v.name] | some i, v in input.versions] if not has_tags

# METADATA
# title: All names of all versions
names := {name | some [_, name] in named}

# METADATA
# title: The versions that have names, all of which are among the given ones
# description: |
#   Deleting a version removes all its tags at once, so one tag that is not among
#   them is enough to leave it alone.
with_only(some_names) := with_any(some_names) - with_any(names - some_names)

# METADATA
# title: The versions that have at least one of the given names
with_any(some_names) := {i |
	some [i, name] in named
	name in some_names
}

# METADATA
# title: The versions that have names, all of which match a glob
matching_only(patterns) := with_only(globs.matching(names, patterns))

# METADATA
# title: Whole days, for reasons
days(n) := floor(n)
