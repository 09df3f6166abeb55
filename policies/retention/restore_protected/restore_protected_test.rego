package retention.restore_protected_test

import data.lib.fixtures_test as fixtures
import data.retention.restore_protected

_params := {
	"keep_deployed": {"required": false},
	"keep_newest": {"tagged": 0, "untagged": 0, "releases": 0},
	"keep_releases": {"per": "minor", "newest": 0},
	"keep_tags": {"globs": ["latest", "release-*"]},
}

_decisions(document, params) := result if {
	result := restore_protected.decisions with input as document
		with data.params as object.union(_params, params)
}

_restored(versions, params) := fixtures.ids(_decisions(fixtures.container(versions), params))

_gone(id, tags, changes) := fixtures.deleted_image(id, tags, object.union(fixtures.deleted_by("other"), changes))

_gone_release(id, name) := fixtures.release(id, name, fixtures.deleted_by("other"))

test_a_protected_tag if {
	_decisions(fixtures.container([_gone("1", ["latest"], {}), _gone("2", ["pr-2"], {})]), {}) == {{
		"action": "restore", "version": "1", "rule": "keep_tags",
		"reason": "deleted by somebody else, and keep_tags would keep it: latest is a protected name",
	}}
}

test_what_this_system_deleted_stays_deleted if {
	_restored([fixtures.deleted_image("1", ["latest"], fixtures.deleted_by("shelflife"))], {}) == set()
	unknown := object.remove(_gone("1", ["latest"], {}), ["deleted_by"])
	_restored([unknown], {}) == set()
}

test_only_within_the_restore_window if {
	_restored([_gone("1", ["latest"], {"restorable_days": 0.001})], {}) == {"1"}
	_restored([_gone("1", ["latest"], {"restorable_days": 0})], {}) == set()
	_restored([_gone("1", ["latest"], {"restorable_days": null})], {}) == set()
}

test_active_versions_need_no_restoring if _restored([fixtures.tagged("1", ["latest"], {})], {}) == set()

test_a_tag_that_moved_on_is_not_taken_back if {
	_restored([_gone("1", ["latest", "release-1"], {}), fixtures.tagged("2", ["latest"], {})], {}) == set()
}

test_a_digest_that_is_there_again if {
	again := fixtures.tagged("2", ["v2"], {"name": "sha256:1"})
	_restored([_gone("1", ["latest"], {}), again], {}) == set()
}

test_among_the_newest_tagged_once_it_is_back if {
	versions := [
		fixtures.tagged("4", ["d"], {"age_days": 10, "rank_tagged": 0}),
		_gone("3", ["c"], {"age_days": 20}),
		fixtures.tagged("2", ["b"], {"age_days": 30, "rank_tagged": 1}),
		_gone("1", ["a"], {"age_days": 40}),
	]
	_restored(versions, {"keep_newest": {"tagged": 1}}) == set()
	_restored(versions, {"keep_newest": {"tagged": 2}}) == {"3"}
	_restored(versions, {"keep_newest": {"tagged": 3}}) == {"3"}
	_restored(versions, {"keep_newest": {"tagged": 4}}) == {"1", "3"}
}

test_the_higher_id_is_the_newer_of_two_with_the_same_age if {
	versions := [_gone("9", ["a"], {}), _gone("10", ["b"], {})]
	_restored(versions, {"keep_newest": {"tagged": 1}}) == {"10"}
}

test_untagged_images_are_not_taken_for_roots if {
	_restored([_gone("1", [], {})], {"keep_newest": {"untagged": 9}}) == set()
}

test_the_newest_versions_outside_containers if {
	versions := [
		fixtures.version("2", "b", {"age_days": 10}),
		fixtures.version("1", "a", object.union(fixtures.deleted_by("other"), {"age_days": 20})),
	]
	document := fixtures.npm(versions)
	fixtures.ids(_decisions(document, {"keep_newest": {"untagged": 1}})) == set()
	fixtures.ids(_decisions(document, {"keep_newest": {"untagged": 2}})) == {"1"}
}

test_the_highest_releases if {
	document := fixtures.npm([
		fixtures.release("1", "1.9.0", {"rank_semver": 0}),
		_gone_release("2", "1.10.0"),
		_gone_release("3", "1.8.0"),
		_gone_release("4", "2.0.0-rc.1"),
	])
	fixtures.ids(_decisions(document, {"keep_newest": {"releases": 1}})) == {"2"}
	fixtures.ids(_decisions(document, {"keep_releases": {"per": "major", "newest": 1}})) == {"2"}
	fixtures.ids(_decisions(document, {"keep_releases": {"newest": 1}})) == {"2", "3"}
}

test_a_version_that_was_published_again if {
	document := fixtures.npm([_gone_release("1", "1.0.0"), fixtures.release("2", "1.0.0", {})])
	_decisions(document, {"keep_newest": {"releases": 9}}) == set()
}

test_deployed_versions if {
	decisions := _decisions(fixtures.container([_gone("1", [], {})]), {}) with data.deployed as ["sha256:1"]
	decisions == {{
		"action": "restore", "version": "1", "rule": "keep_deployed",
		"reason": "deleted by somebody else, and keep_deployed would keep it: deployed as sha256:1",
	}}
}

test_images_that_a_kept_index_lists if {
	index := {"oci": {"kind": "index", "missing": ["sha256:1"]}}
	_decisions(fixtures.container([fixtures.tagged("2", ["latest"], index), _gone("1", [], {})]), {}) == {{
		"action": "restore", "version": "1", "rule": "index",
		"reason": "deleted by somebody else, and an index that is kept lists it",
	}}
	_restored([fixtures.tagged("2", ["pr-2"], index), _gone("1", [], {})], {}) == set()
}

test_an_unknown_age_is_not_restored if _restored([_gone("1", ["latest"], {"age_days": null})], {}) == set()

test_unusable_keep_parameters_restore_nothing if {
	_restored([_gone("1", ["v1"], {})], {"keep_newest": {"tagged": null}}) == set()
}

test_a_deleted_package_with_a_covered_version if {
	versions := [_gone("1", ["latest"], {}), _gone("2", ["pr-2"], {})]
	_decisions(fixtures.document(versions, {"package": {"state": "deleted"}}), {}) == {{
		"action": "restore", "package": true, "rule": "package",
		"reason": "deleted by somebody else, and keep_tags would keep a version of it: latest is a protected name",
	}}
}

test_a_deleted_package_that_nothing_covers if {
	every version in [_gone("1", ["pr-1"], {}), fixtures.deleted_image("1", ["latest"], fixtures.deleted_by("shelflife"))] {
		_decisions(fixtures.document([version], {"package": {"state": "deleted"}}), {}) == set()
	}
}

test_no_versions if {
	_decisions(fixtures.container([]), {}) == set()
	_decisions(fixtures.document([], {"package": {"state": "deleted"}}), {}) == set()
}
