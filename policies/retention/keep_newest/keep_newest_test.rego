package retention.keep_newest_test

import data.lib.fixtures_test as fixtures
import data.retention.keep_newest

_params := {"tagged": 2, "untagged": 1, "releases": 1}

_kept(versions, rule) := result if {
	result := fixtures.ids_of(keep_newest.decisions, rule) with input as fixtures.container(versions)
		with data.params.keep_newest as _params
}

test_the_newest_tagged if {
	_kept(
		[
			fixtures.tagged("3", ["c"], {"rank_tagged": 0}),
			fixtures.tagged("2", ["b"], {"rank_tagged": 1}),
			fixtures.tagged("1", ["a"], {"rank_tagged": 2}),
			fixtures.image("4", {}),
		],
		"tagged",
	) == {"2", "3"}
}

test_the_newest_untagged_roots if {
	_kept(
		[
			fixtures.image("3", {"rank_untagged": 0}),
			fixtures.image("2", {"rank_untagged": 1}),
			fixtures.image("1", {"root": false, "rank_untagged": null}),
			fixtures.tagged("4", ["a"], {}),
		],
		"untagged",
	) == {"3"}
}

test_the_highest_releases if {
	document := fixtures.npm([
		fixtures.release("1", "1.0.0", {"rank_semver": 1}),
		fixtures.release("2", "2.0.0", {"rank_semver": 0}),
		fixtures.release("3", "3.0.0-rc.1", {"rank_prerelease": 0}),
		fixtures.version("4", "snapshot", {}),
	])
	decisions := keep_newest.decisions with input as document
		with data.params.keep_newest as {"tagged": 0, "untagged": 0, "releases": 1}
	decisions == {{"action": "keep", "version": "2", "rule": "release", "reason": "among the highest 1 releases"}}
}

test_outside_containers_every_version_is_untagged if {
	document := fixtures.npm([
		fixtures.version("2", "b", {"rank_untagged": 0}),
		fixtures.version("1", "a", {"rank_untagged": 1}),
	])
	ids := fixtures.ids(keep_newest.decisions) with input as document with data.params.keep_newest as _params
	ids == {"2"}
}

test_zero_keeps_none if {
	document := fixtures.container([
		fixtures.tagged("1", ["1.0.0"], {"semver": fixtures.semver("1.0.0"), "rank_semver": 0}),
		fixtures.image("2", {}),
	])
	keep_newest.decisions == set() with input as document
		with data.params.keep_newest as {"tagged": 0, "untagged": 0, "releases": 0}
}

test_deleted_ones_are_not_kept if {
	versions := [fixtures.deleted_image("1", ["a"], fixtures.deleted_by("other"))]
	keep_newest.decisions == set() with input as fixtures.container(versions) with data.params.keep_newest as _params
}

test_an_unknown_rank_is_kept if {
	_kept([fixtures.tagged("1", ["a"], {"rank_tagged": null})], "tagged") == {"1"}
	_kept([object.remove(fixtures.tagged("1", ["a"], {}), ["rank_tagged"])], "tagged") == {"1"}
	_kept([object.remove(fixtures.image("1", {}), ["rank_untagged"])], "untagged") == {"1"}
}

test_unusable_parameters_keep_everything if {
	every broken in [{}, {"tagged": 1}, object.union(_params, {"releases": "1"}), object.union(_params, {"tagged": null})] {
		decisions := keep_newest.decisions with input as fixtures.container([]) with data.params.keep_newest as broken
		some decision in decisions
		decision.action == "keep"
		decision["package"] == true
	}
}

test_no_versions if {
	keep_newest.decisions == set() with input as fixtures.container([]) with data.params.keep_newest as _params
}
