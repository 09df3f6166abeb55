package retention.expire_prereleases_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_prereleases

_params := {"superseded_after_days": 30, "older_than_days": 180, "identifiers": ["alpha*", "RC*"]}

_decisions(document) := result if {
	result := expire_prereleases.decisions with input as document with data.params.expire_prereleases as _params
}

_deleted(versions, rule) := fixtures.ids_of(_decisions(fixtures.npm(versions)), rule)

_images(versions) := fixtures.ids(_decisions(fixtures.container(versions)))

_image(id, tags, version) := fixtures.tagged(id, tags, {"semver": fixtures.semver(version)})

_release := fixtures.release("9", "1.0.0", {})

test_superseded_by_its_release if {
	_decisions(fixtures.npm([_release, fixtures.release("1", "1.0.0-rc.1", {"age_days": 40.5})])) == {{
		"action": "delete", "version": "1", "rule": "superseded",
		"reason": "its release exists, and it is 40 days old (limit 30)",
	}}
}

test_beyond_the_age_limit if {
	_decisions(fixtures.npm([fixtures.release("1", "1.0.0-rc.1", {"age_days": 181})])) == {{
		"action": "delete", "version": "1", "rule": "old",
		"reason": "a prerelease of 181 days (limit 180)",
	}}
}

test_at_exactly_the_limits_it_stays if {
	_deleted([_release, fixtures.release("1", "1.0.0-rc.1", {"age_days": 30})], "superseded") == set()
	_deleted([_release, fixtures.release("1", "1.0.0-rc.1", {"age_days": 30.01})], "superseded") == {"1"}
	_deleted([fixtures.release("1", "1.0.0-rc.1", {"age_days": 180})], "old") == set()
	_deleted([fixtures.release("1", "1.0.0-rc.1", {"age_days": 180.01})], "old") == {"1"}
}

test_only_its_own_release_counts if {
	_deleted([_release, fixtures.release("1", "1.0.1-rc.1", {})], "superseded") == set()
}

test_a_deleted_release_does_not_count if {
	gone := fixtures.release("9", "1.0.0", fixtures.deleted_by("other"))
	_deleted([gone, fixtures.release("1", "1.0.0-rc.1", {})], "superseded") == set()
}

test_build_metadata_is_not_part_of_the_release if {
	built := object.union(_release, {"name": "1.0.0+5", "semver": {"version": "1.0.0+5", "build": "5"}})
	_deleted([built, fixtures.release("1", "1.0.0-rc.1", {})], "superseded") == {"1"}
}

test_variants_are_no_prereleases if {
	versions := [
		_image("9", ["1.0.0"], "1.0.0"),
		_image("1", ["1.0.0-alpine"], "1.0.0-alpine"),
		_image("2", ["1.0.0-ALPHA.1"], "1.0.0-ALPHA.1"),
		_image("3", ["1.0.0-rc1"], "1.0.0-rc1"),
	]
	_images(versions) == {"2", "3"}
}

test_one_other_tag_protects if {
	release := _image("9", ["v1.0.0"], "1.0.0")
	_images([release, _image("1", ["v1.0.0-rc.1"], "1.0.0-rc.1")]) == {"1"}
	_images([release, _image("1", ["v1.0.0-rc.1", "next"], "1.0.0-rc.1")]) == set()
	_images([release, _image("1", ["v1.0.0-rc.1", "v1.0.0-rc.2"], "1.0.0-rc.2")]) == {"1"}
	_images([release, _image("1", ["v0.9.0", "v1.0.0-rc.1"], "1.0.0-rc.1")]) == set()
}

test_every_tag_needs_its_release if {
	versions := [_image("9", ["v1.0.0"], "1.0.0"), _image("1", ["v1.0.0-rc.1", "v1.1.0-alpha"], "1.1.0-alpha")]
	_images(versions) == set()
}

test_build_metadata_with_a_hyphen_is_no_prerelease if {
	odd := fixtures.version("1", "1.0.0+rc-1", {"age_days": 999, "semver": object.union(
		fixtures.semver("1.0.0"),
		{"prerelease": "rc", "build": "rc-1"},
	)})
	_deleted([odd], "old") == set()
}

test_deleted_ones_are_gone_already if {
	_deleted([_release, fixtures.release("1", "1.0.0-rc.1", fixtures.deleted_by("other"))], "superseded") == set()
}

test_an_unknown_age_is_not_old if {
	_decisions(fixtures.npm([_release, fixtures.release("1", "1.0.0-rc.1", {"age_days": null})])) == set()
}

test_without_a_semantic_version_it_stays if {
	_decisions(fixtures.npm([fixtures.version("1", "1.0.0-rc.1", {"age_days": 999})])) == set()
	_decisions(fixtures.npm([_release])) == set()
}

test_an_untagged_image_with_a_semantic_version_stays if {
	_images([fixtures.image("1", {"age_days": 999, "semver": fixtures.semver("1.0.0-rc.1")})]) == set()
}

test_unusable_parameters_delete_nothing if {
	versions := [_release, fixtures.release("1", "1.0.0-rc.1", {"age_days": 999})]
	every name in object.keys(_params) {
		decisions := expire_prereleases.decisions with input as fixtures.npm(versions)
			with data.params.expire_prereleases as {name: _params[name]}
		decisions == set()
	}
	every identifiers in [[], null, "rc*"] {
		expire_prereleases.decisions == set() with input as fixtures.npm(versions)
			with data.params.expire_prereleases as object.union(_params, {"identifiers": identifiers})
	}
}

test_no_versions if _decisions(fixtures.npm([])) == set()
