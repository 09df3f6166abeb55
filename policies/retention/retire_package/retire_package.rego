# METADATA
# title: Retire packages
# description: |
#   Deletes a whole package that has been idle beyond the limit, none of whose
#   versions changed since and none of which a shipped keep policy covers. Since
#   keep_newest covers something in nearly every package, set its numbers to
#   0 for the packages that may be retired.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: high
#   params:
#     idle_days: 365
#     visibilities: [private, internal]
#   params_doc:
#     idle_days: Days since the package and each of its versions last changed; at exactly the limit it stays.
#     visibilities: Which packages may be retired, by visibility. An empty list retires nothing.
package retention.retire_package

import data.lib.params
import data.lib.versions
import data.retention.keep_deployed
import data.retention.keep_newest
import data.retention.keep_releases
import data.retention.keep_tags

_limit := params.number("retire_package", "idle_days")

_visibilities := params.strings("retire_package", "visibilities")

# METADATA
# title: Idle packages without a kept version
decisions contains {"action": "delete", "package": true, "reason": reason} if {
	input.complete
	input.package.state == "active"
	input.package.visibility in _visibilities
	input.package.idle_days > _limit
	_has_versions
	not _has_recent_version
	not _has_kept_version
	reason := sprintf("idle for %v days (limit %v) with no kept version", [versions.days(input.package.idle_days), _limit])
}

# A listing without versions more likely means that they may not be seen.
_has_versions if {
	some v in input.versions
	v.state == "active"
}

_has_recent_version if {
	some i, v in input.versions
	v.state == "active"
	not _is_idle(i)
}

_is_idle(i) if input.versions[i].idle_days > _limit

# One rule each: a policy that is not loaded must not hide what another one keeps.
_has_kept_version if count(keep_deployed.decisions) > 0

_has_kept_version if count(keep_newest.decisions) > 0

_has_kept_version if count(keep_releases.decisions) > 0

_has_kept_version if count(keep_tags.decisions) > 0
