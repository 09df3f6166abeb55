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

_prereleases := {name |
	some name in versions.names
	_is_prerelease(name)
}

_superseded := {name |
	some name in _prereleases
	split(trim_prefix(name, "v"), "-")[0] in _released
}

# METADATA
# title: Prereleases whose release exists
decisions contains {"action": "delete", "version": v.id, "rule": "superseded", "reason": reason} if {
	some i in versions.with_only(_superseded)
	_is_due(i, _superseded_after)
	v := input.versions[i]
	reason := sprintf("its release exists, and it is %v days old (limit %v)", [versions.days(v.age_days), _superseded_after])
}

# METADATA
# title: Prereleases beyond the age limit
decisions contains {"action": "delete", "version": v.id, "rule": "old", "reason": reason} if {
	some i in versions.with_only(_prereleases)
	_is_due(i, _limit)
	v := input.versions[i]
	reason := sprintf("a prerelease of %v days (limit %v)", [versions.days(v.age_days), _limit])
}

_is_due(i, limit) if {
	input.versions[i].state == "active"
	input.versions[i].semver.prerelease != ""
	input.versions[i].age_days > limit
}

_is_prerelease(name) if {
	contains(name, "-")
	semver.is_valid(trim_prefix(name, "v"))
	core := split(name, "+")[0]
	hyphen := indexof(core, "-")
	hyphen > 0
	count(globs.matching({lower(substring(core, hyphen + 1, -1))}, _identifiers)) > 0
}
