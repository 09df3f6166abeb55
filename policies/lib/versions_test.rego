package lib.versions_test

import data.lib.fixtures_test as fixtures
import data.lib.versions

_images := fixtures.container([
	fixtures.tagged("1", ["pr-1", "pr-2"], {}),
	fixtures.tagged("2", ["pr-3", "v1"], {}),
	fixtures.image("3", {}),
	fixtures.deleted_image("4", ["pr-1"], fixtures.deleted_by("other")),
])

_others := fixtures.npm([fixtures.version("1", "1.0.0", {}), fixtures.version("2", "2.0.0", {})])

test_images_are_named_by_their_tags if {
	versions.named == [[0, "pr-1"], [0, "pr-2"], [1, "pr-3"], [1, "v1"], [3, "pr-1"]] with input as _images
	versions.names == {"pr-1", "pr-2", "pr-3", "v1"} with input as _images
}

test_legacy_docker_images_are_named_by_their_tags if {
	doc := fixtures.document([fixtures.tagged("1", ["a"], {})], {"package": {"package_type": "docker"}})
	versions.has_tags with input as doc
	versions.named == [[0, "a"]] with input as doc
}

test_others_are_named_by_their_version if {
	not versions.has_tags with input as _others
	versions.named == [[0, "1.0.0"], [1, "2.0.0"]] with input as _others
}

test_with_any_takes_one_name_and_with_only_all if {
	versions.with_any({"pr-1", "v1", "v2"}) == {0, 1, 3} with input as _images
	versions.with_only({"pr-1", "v1", "v2"}) == {3} with input as _images
	versions.with_only({"pr-1", "pr-2"}) == {0, 3} with input as _images
	versions.with_only(set()) == set() with input as _images
}

test_all_names_have_to_match if {
	versions.matching_only(["pr-*"]) == {0, 3} with input as _images
	versions.matching_only(["*"]) == {0, 1, 3} with input as _images
	versions.matching_only([]) == set() with input as _images
	versions.matching_only(["2.*"]) == {1} with input as _others
}

test_without_tags_in_the_document_nothing_is_named if {
	broken := object.remove(fixtures.tagged("1", ["pr-1"], {}), ["tags"])
	versions.matching_only(["*"]) == set() with input as fixtures.container([broken])
}

test_days_are_whole if {
	versions.days(41) == 41
	versions.days(41.99) == 41
	versions.days(0.2) == 0
}
