package retention.expire_by_age_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_by_age

_params := {"older_than_days": 90, "globs": ["nightly-*"], "newest": 0}

_deleted(versions, params) := result if {
	result := fixtures.ids(expire_by_age.decisions) with input as fixtures.container(versions)
		with data.params.expire_by_age as object.union(_params, params)
}

_nightly(id, changes) := fixtures.tagged(id, [sprintf("nightly-%s", [id])], changes)

test_matching_beyond_the_limit if {
	decisions := expire_by_age.decisions with input as fixtures.container([_nightly("1", {"age_days": 100.5})])
		with data.params.expire_by_age as _params
	decisions == {{
		"action": "delete", "version": "1",
		"reason": "100 days old (limit 90), beyond the newest 0 of its kind",
	}}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([_nightly("1", {"age_days": 90}), _nightly("2", {"age_days": 90.001})], {}) == {"2"}
}

test_the_newest_few_that_match_stay if {
	versions := [
		fixtures.tagged("9", ["v1"], {"rank": 0}),
		_nightly("3", {"rank": 1}),
		_nightly("2", {"rank": 2}),
		_nightly("1", {"rank": 10}),
	]
	_deleted(versions, {"newest": 0}) == {"1", "2", "3"}
	_deleted(versions, {"newest": 2}) == {"1"}
	_deleted(versions, {"newest": 3}) == set()
}

test_one_other_tag_protects if {
	_deleted([fixtures.tagged("1", ["nightly-1", "v1"], {}), fixtures.tagged("2", ["nightly-1", "nightly-2"], {})], {}) == {"2"}
}

test_untagged_images_are_left_alone if _deleted([fixtures.image("1", {})], {"globs": ["*"]}) == set()

test_deleted_ones_neither_go_nor_count if {
	versions := [
		fixtures.deleted_image("2", ["nightly-2"], fixtures.deleted_by("other")),
		_nightly("1", {}),
	]
	_deleted(versions, {"newest": 0}) == {"1"}
	_deleted(versions, {"newest": 1}) == set()
}

test_an_unknown_age_is_not_old if _deleted([_nightly("1", {"age_days": null})], {}) == set()

test_names_outside_containers if {
	document := fixtures.npm([
		fixtures.version("1", "0.0.0-nightly.1", {}),
		fixtures.version("2", "1.0.0", {}),
	])
	ids := fixtures.ids(expire_by_age.decisions) with input as document
		with data.params.expire_by_age as object.union(_params, {"globs": ["*-nightly.*"]})
	ids == {"1"}
}

test_an_empty_list_expires_nothing if _deleted([_nightly("1", {})], {"globs": []}) == set()

test_unusable_parameters_delete_nothing if {
	_deleted([_nightly("1", {})], {"globs": null}) == set()
	_deleted([_nightly("1", {})], {"globs": [1]}) == set()
	_deleted([_nightly("1", {})], {"newest": null}) == set()
	_deleted([_nightly("1", {})], {"older_than_days": null}) == set()
}

test_no_versions if _deleted([], {}) == set()
