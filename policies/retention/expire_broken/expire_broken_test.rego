package retention.expire_broken_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_broken

_ghost := {"oci": {"kind": "index", "missing": ["sha256:8", "sha256:9"]}}

_partial := {"oci": {"kind": "index", "children": ["2"], "missing": ["sha256:8", "sha256:9"]}}

_decisions(document, partial) := result if {
	result := expire_broken.decisions with input as document
		with data.params.expire_broken as {"older_than_days": 7, "partial": partial}
}

_deleted(versions) := fixtures.ids(_decisions(fixtures.container(versions), true))

test_an_index_without_any_image if {
	_decisions(fixtures.container([fixtures.image("1", _ghost), fixtures.tagged("2", ["v1"], _ghost)]), false) == {
		{"action": "delete", "version": "1", "rule": "ghost", "reason": "none of its 2 images is in the registry any more"},
		{"action": "delete", "version": "2", "rule": "ghost", "reason": "none of its 2 images is in the registry any more"},
	}
}

test_an_index_with_some_images_only_on_request if {
	document := fixtures.container([fixtures.image("1", _partial)])
	_decisions(document, false) == set()
	_decisions(document, true) == {{
		"action": "delete", "version": "1", "rule": "partial",
		"reason": "2 of its 3 images are not in the registry any more",
	}}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([
		fixtures.image("1", object.union(_ghost, {"age_days": 7})),
		fixtures.image("2", object.union(_ghost, {"age_days": 7.001})),
		fixtures.image("3", object.union(_ghost, {"age_days": null})),
	]) == {"2"}
}

test_whole_and_empty_indexes_stay if {
	_deleted([
		fixtures.image("1", {"oci": {"kind": "index", "children": ["2"]}}),
		fixtures.image("2", {}),
		fixtures.image("3", {"oci": {"kind": "index"}}),
	]) == set()
}

test_only_indexes if {
	_deleted([
		fixtures.image("1", {"oci": {"kind": "unknown", "missing": ["sha256:8"]}}),
		fixtures.version("2", "sha256:2", {}),
	]) == set()
}

test_deleted_ones_are_gone_already if {
	_deleted([fixtures.image("1", object.union(_ghost, fixtures.deleted_by("other")))]) == set()
}

test_an_incomplete_package_is_left_alone if {
	_decisions(fixtures.document([fixtures.image("1", _ghost)], {"complete": false}), true) == set()
}

test_unusable_parameters_delete_nothing if {
	expire_broken.decisions == set() with input as fixtures.container([fixtures.image("1", _ghost)])
		with data.params.expire_broken as {"older_than_days": null, "partial": true}
	expire_broken.decisions == set() with input as fixtures.container([fixtures.image("1", _partial)])
		with data.params.expire_broken as {"older_than_days": 7, "partial": "yes"}
}

test_other_packages_have_no_indexes if {
	_decisions(fixtures.npm([fixtures.version("1", "1.0.0", {})]), true) == set()
}

test_no_versions if _deleted([]) == set()
