package retention.expire_pull_requests_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_pull_requests

_params := {"older_than_days": 14, "globs": ["pr-*"]}

_decisions(versions) := result if {
	result := expire_pull_requests.decisions with input as fixtures.container(versions)
		with data.params.expire_pull_requests as _params
}

_deleted(versions) := fixtures.ids(_decisions(versions))

test_beyond_the_limit if {
	_decisions([fixtures.tagged("1", ["pr-1", "pr-1-debug"], {"age_days": 20.9})]) == {{
		"action": "delete", "version": "1",
		"reason": "a pull request image of 20 days (limit 14): pr-1, pr-1-debug",
	}}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([
		fixtures.tagged("1", ["pr-1"], {"age_days": 14}),
		fixtures.tagged("2", ["pr-2"], {"age_days": 14.001}),
	]) == {"2"}
}

test_one_other_tag_protects if _deleted([fixtures.tagged("1", ["pr-1", "v1"], {})]) == set()

test_untagged_images_are_left_alone if _deleted([fixtures.image("1", {})]) == set()

test_deleted_ones_are_gone_already if {
	_deleted([fixtures.deleted_image("1", ["pr-1"], fixtures.deleted_by("other"))]) == set()
}

test_an_unknown_age_is_not_old if _deleted([fixtures.tagged("1", ["pr-1"], {"age_days": null})]) == set()

test_only_images if {
	expire_pull_requests.decisions == set() with input as fixtures.npm([fixtures.version("1", "pr-1", {})])
		with data.params.expire_pull_requests as _params
}

test_unusable_parameters_delete_nothing if {
	every broken in [{}, {"globs": []}, {"globs": ["pr-*"]}, {"older_than_days": 1}, {"older_than_days": null, "globs": ["pr-*"]}] {
		expire_pull_requests.decisions == set() with input as fixtures.container([fixtures.tagged("1", ["pr-1"], {})])
			with data.params.expire_pull_requests as broken
	}
}

test_no_versions if _deleted([]) == set()
