package retention.retire_package_test

import data.lib.fixtures_test as fixtures
import data.retention.retire_package

_params := {
	"retire_package": {"idle_days": 365, "visibilities": ["private"]},
	"keep_deployed": {"required": false},
	"keep_newest": {"tagged": 0, "untagged": 0, "releases": 0},
	"keep_releases": {"per": "minor", "newest": 0},
	"keep_tags": {"globs": ["latest"]},
}

_old := {"idle_days": 400, "age_days": 400}

_versions := [fixtures.tagged("1", ["v1"], _old), fixtures.image("2", _old)]

_decisions(versions, changes, params) := result if {
	result := retire_package.decisions with input as fixtures.document(
		versions,
		{"package": object.union({"idle_days": 400.5}, changes)},
	)
		with data.params as object.union(_params, params)
}

test_an_idle_package_without_a_kept_version if {
	_decisions(_versions, {}, {}) == {{
		"action": "delete", "package": true,
		"reason": "idle for 400 days (limit 365) with no kept version",
	}}
}

test_at_exactly_the_limit_it_stays if {
	_decisions(_versions, {"idle_days": 365}, {}) == set()
	count(_decisions(_versions, {"idle_days": 365.001}, {})) == 1
	_decisions(_versions, {"idle_days": null}, {}) == set()
}

test_one_recent_version_is_enough if {
	every idle in [1, 365, null] {
		_decisions(array.concat(_versions, [fixtures.image("3", {"idle_days": idle})]), {}, {}) == set()
	}
	unknown := object.remove(fixtures.image("3", {}), ["idle_days"])
	_decisions(array.concat(_versions, [unknown]), {}, {}) == set()
}

test_deleted_versions_are_not_recent if {
	gone := fixtures.deleted_image("3", [], object.union({"idle_days": 1}, fixtures.deleted_by("other")))
	count(_decisions(array.concat(_versions, [gone]), {}, {})) == 1
}

test_a_kept_version_keeps_the_package if {
	_decisions(_versions, {}, {"keep_tags": {"globs": ["v*"]}}) == set()
	_decisions(_versions, {}, {"keep_newest": {"tagged": 1}}) == set()
	_decisions(_versions, {}, {"keep_deployed": {"required": true}}) == set()
	released := [fixtures.tagged("1", ["1.0.0"], object.union(_old, {"semver": fixtures.semver("1.0.0"), "rank_semver": 0}))]
	count(_decisions(released, {}, {})) == 1
	_decisions(released, {}, {"keep_releases": {"newest": 1}}) == set()
}

test_visibility if {
	_decisions(_versions, {"visibility": "public"}, {}) == set()
	_decisions(_versions, {}, {"retire_package": {"visibilities": []}}) == set()
}

test_without_active_versions_it_stays if {
	_decisions([], {}, {}) == set()
	_decisions([fixtures.deleted_image("1", [], fixtures.deleted_by("other"))], {}, {}) == set()
}

test_a_deleted_package_is_gone_already if _decisions(_versions, {"state": "deleted"}, {}) == set()

test_an_incomplete_package_stays if {
	retire_package.decisions == set() with input as fixtures.document(
		_versions,
		{"complete": false, "package": {"idle_days": 400}},
	)
		with data.params as _params
}

test_unusable_parameters_retire_nothing if {
	_decisions(_versions, {}, {"retire_package": {"idle_days": null}}) == set()
	_decisions(_versions, {}, {"retire_package": {"visibilities": "private"}}) == set()
}
