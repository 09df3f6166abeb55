package retention.keep_tags_test

import data.lib.fixtures_test as fixtures
import data.retention.keep_tags

_kept(versions, globs) := result if {
	result := fixtures.ids(keep_tags.decisions) with input as fixtures.container(versions)
		with data.params.keep_tags as {"globs": globs}
}

test_one_matching_tag_is_enough if {
	versions := [fixtures.tagged("1", ["latest", "pr-1", "release-1.2"], {}), fixtures.tagged("2", ["pr-2"], {})]
	decisions := keep_tags.decisions with input as fixtures.container(versions)
		with data.params.keep_tags as {"globs": ["latest", "release-*"]}
	decisions == {
		{"action": "keep", "version": "1", "rule": "name", "reason": "latest is a protected name"},
		{"action": "keep", "version": "1", "rule": "name", "reason": "release-1.2 is a protected name"},
	}
}

test_untagged_images_have_no_name if _kept([fixtures.image("1", {})], ["*"]) == set()

test_a_digest_keeps_its_image if {
	_kept([fixtures.image("1", {}), fixtures.image("2", {})], ["sha256:1"]) == {"1"}
}

test_names_outside_containers if {
	document := fixtures.npm([fixtures.version("1", "1.0.0", {}), fixtures.version("2", "2.0.0", {})])
	ids := fixtures.ids(keep_tags.decisions) with input as document with data.params.keep_tags as {"globs": ["1.*"]}
	ids == {"1"}
}

test_deleted_ones_are_not_kept if {
	_kept([fixtures.deleted_image("1", ["latest"], fixtures.deleted_by("other"))], ["latest", "sha256:1"]) == set()
}

test_an_empty_list_keeps_nothing if _kept([fixtures.tagged("1", ["latest"], {})], []) == set()

test_unusable_parameters_keep_everything if {
	every globs in [null, "latest", ["latest", 1]] {
		decisions := keep_tags.decisions with input as fixtures.container([fixtures.image("1", {})])
			with data.params.keep_tags as {"globs": globs}
		some decision in decisions
		decision.action == "keep"
		decision["package"] == true
	}
}

test_no_versions if _kept([], ["*"]) == set()
