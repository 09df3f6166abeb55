package retention.expire_untagged_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_untagged

_deleted(versions) := result if {
	result := fixtures.ids(expire_untagged.decisions) with input as fixtures.container(versions)
		with data.params.expire_untagged as {"older_than_days": 30}
}

test_untagged_beyond_the_limit if {
	decisions := expire_untagged.decisions with input as fixtures.container([fixtures.image("1", {"age_days": 41.7})])
		with data.params.expire_untagged as {"older_than_days": 30}
	decisions == {{"action": "delete", "version": "1", "reason": "untagged for 41 days (limit 30)"}}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([
		fixtures.image("1", {"age_days": 30}),
		fixtures.image("2", {"age_days": 30.001}),
		fixtures.image("3", {"age_days": 29.999}),
	]) == {"2"}
}

test_tagged_stays if _deleted([fixtures.tagged("1", ["pr-1"], {})]) == set()

test_children_stay if _deleted([fixtures.image("1", {"root": false, "oci": {"parents": ["9"]}})]) == set()

test_deleted_ones_are_gone_already if {
	_deleted([fixtures.image("1", fixtures.deleted_by("other"))]) == set()
}

test_an_unknown_age_is_not_old if _deleted([fixtures.image("1", {"age_days": null})]) == set()

test_referrers_and_unknown_manifests_are_left_alone if {
	_deleted([
		fixtures.image("1", {"oci": {"kind": "signature", "subject": "sha256:9"}}),
		fixtures.image("2", {"oci": {"kind": "unknown"}}),
		fixtures.image("3", {"oci": {"kind": "index", "subject": ""}}),
	]) == {"3"}
}

test_an_unread_manifest_is_left_alone if _deleted([fixtures.version("1", "sha256:1", {})]) == set()

test_a_missing_fact_is_left_alone if {
	every fact in ["tagged", "root", "age_days", "state"] {
		_deleted([object.remove(fixtures.image("1", {}), [fact])]) == set()
	}
}

test_only_containers_have_untagged_versions if {
	versions := [fixtures.version("1", "1.0.0", {"oci": {"kind": "image", "subject": null}})]
	expire_untagged.decisions == set() with input as fixtures.npm(versions)
		with data.params.expire_untagged as {"older_than_days": 30}
}

test_no_versions if _deleted([]) == set()

test_an_unusable_limit_deletes_nothing if {
	every limit in [null, "30", -1] {
		expire_untagged.decisions == set() with input as fixtures.container([fixtures.image("1", {})])
			with data.params.expire_untagged as {"older_than_days": limit}
	}
}
