# METADATA
# title: Expire prereleases
# description: |
#   Deletes prereleases (1.4.0-rc.1) some days after they were made once their
#   release (1.4.0) exists, and all of them beyond an age. All names of a version
#   have to be prereleases, because deleting it removes all its tags. What counts
#   as a prerelease is listed, since 1.4.0-alpine is one by syntax only.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
#   params:
#     superseded_after_days: 30
#     older_than_days: 180
#     identifiers: [alpha*, beta*, rc*, pre, pre.*, preview*, canary*, nightly*, snapshot*]
#   params_doc:
#     superseded_after_days: Days since a prerelease was created after which it goes if its release exists.
#     older_than_days: Days since a prerelease was created after which it goes in any case.
#     identifiers: >-
#       Globs, without regard to case, for the part behind the hyphen that makes a prerelease.
#       An empty list expires nothing.
package retention.expire_prereleases

import data.lib.globs
import data.lib.params
import data.lib.versions

_superseded_after := params.number("expire_prereleases", "superseded_after_days")

_limit := params.number("expire_prereleases", "older_than_days")

_identifiers := params.lower_strings("expire_prereleases", "identifiers")

_released := {split(v.semver.version, "+")[0] |
	some v in input.versions
	v.semver.prerelease == ""
	v.state == "active"
}

# What is written like a prerelease: its name, what it is a prerelease of, and the
# part behind the hyphen. Many share that part, so it is matched once for all.
_candidates := [[name, core, lower(substring(bare, count(core) + 1, -1))] |
	some name in versions.names
	contains(name, "-")
	trimmed := trim_prefix(name, "v")
	semver.is_valid(trimmed)
	bare := split(trimmed, "+")[0]
	contains(bare, "-")
	core := split(bare, "-")[0]
]

_matching := globs.matching({identifier | some [_, _, identifier] in _candidates}, _identifiers)

_prereleases := {name |
	some [name, _, identifier] in _candidates
	identifier in _matching
}

_superseded := {name |
	some [name, core, identifier] in _candidates
	identifier in _matching
	core in _released
}

# METADATA
# title: Prereleases whose release exists
decisions contains {"action": "delete", "version": v.id, "rule": "superseded", "reason": reason} if {
	some i in versions.with_only(_superseded)
	v := input.versions[i]
	v.age_days > _superseded_after
	v.semver.prerelease != ""
	v.state == "active"
	reason := sprintf("its release exists, and it is %v days old (limit %v)", [versions.days(v.age_days), _superseded_after])
}

# METADATA
# title: Prereleases beyond the age limit
decisions contains {"action": "delete", "version": v.id, "rule": "old", "reason": reason} if {
	some i in versions.with_only(_prereleases)
	v := input.versions[i]
	v.age_days > _limit
	v.semver.prerelease != ""
	v.state == "active"
	reason := sprintf("a prerelease of %v days (limit %v)", [versions.days(v.age_days), _limit])
}
