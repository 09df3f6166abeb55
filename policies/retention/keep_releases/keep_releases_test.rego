package retention.keep_releases_test

import data.lib.fixtures_test as fixtures
import data.retention.keep_releases

_versions := [
	fixtures.release("1", "1.0.0", {}),
	fixtures.release("2", "1.0.9", {}),
	fixtures.release("3", "1.0.10", {}),
	fixtures.release("4", "1.1.0", {}),
	fixtures.release("5", "2.0.0", {}),
	fixtures.release("6", "2.0.1-rc.1", {}),
	fixtures.version("7", "snapshot", {}),
]

_kept(per, newest) := result if {
	result := fixtures.ids(keep_releases.decisions) with input as fixtures.npm(_versions)
		with data.params.keep_releases as {"per": per, "newest": newest}
}

test_per_minor_line if {
	_kept("minor", 1) == {"3", "4", "5"}
	_kept("minor", 2) == {"2", "3", "4", "5"}
}

test_per_major_line if {
	_kept("major", 1) == {"4", "5"}
	_kept("major", 2) == {"3", "4", "5"}
}

test_zero_keeps_none if _kept("minor", 0) == set()

test_the_newer_of_two_with_the_same_version if {
	versions := [
		fixtures.tagged("1", ["1.0.0"], {"semver": fixtures.semver("1.0.0"), "rank": 1}),
		fixtures.tagged("2", ["v1.0.0"], {"semver": fixtures.semver("1.0.0"), "rank": 0}),
	]
	decisions := keep_releases.decisions with input as fixtures.container(versions)
		with data.params.keep_releases as {"per": "minor", "newest": 1}
	decisions == {{"action": "keep", "version": "2", "reason": "among the highest 1 releases of its minor line"}}
}

test_deleted_ones_neither_stay_nor_count if {
	versions := [fixtures.release("2", "1.0.1", fixtures.deleted_by("other")), fixtures.release("1", "1.0.0", {})]
	ids := fixtures.ids(keep_releases.decisions) with input as fixtures.npm(versions)
		with data.params.keep_releases as {"per": "minor", "newest": 1}
	ids == {"1"}
}

test_unusable_parameters_keep_everything if {
	every broken in [{}, {"per": "patch", "newest": 1}, {"per": "minor"}, {"per": "minor", "newest": "1"}, {"newest": 1}] {
		decisions := keep_releases.decisions with input as fixtures.npm(_versions) with data.params.keep_releases as broken
		[decision | some decision in decisions; decision["package"]] == [{
			"action": "keep", "package": true, "rule": "unusable_params",
			"reason": "the parameters of keep_releases are missing or wrong: check params.keep_releases",
		}]
	}
}

test_no_versions if {
	keep_releases.decisions == set() with input as fixtures.npm([])
		with data.params.keep_releases as {"per": "minor", "newest": 1}
}
