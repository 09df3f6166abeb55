package retention.expire_orphan_referrers_test

import data.lib.fixtures_test as fixtures
import data.retention.expire_orphan_referrers

_decisions(document) := result if {
	result := expire_orphan_referrers.decisions with input as document
		with data.params.expire_orphan_referrers as {"older_than_days": 7}
}

_deleted(versions) := fixtures.ids(_decisions(fixtures.container(array.concat([fixtures.image("9", {})], versions))))

_referrer(id, kind, changes) := fixtures.image(id, object.union(
	{"oci": {"kind": kind, "subject": "sha256:5"}},
	changes,
))

test_referrers_without_their_subject if {
	_decisions(fixtures.container([fixtures.image("9", {}), _referrer("1", "signature", {"age_days": 8.5})])) == {{
		"action": "delete", "version": "1",
		"reason": "signature of sha256:5, which is gone, and 8 days old (limit 7)",
	}}
	_deleted([_referrer("1", "attestation", {}), _referrer("2", "artifact", {})]) == {"1", "2"}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([
		_referrer("1", "signature", {"age_days": 7}),
		_referrer("2", "signature", {"age_days": 7.001}),
		_referrer("3", "signature", {"age_days": null}),
	]) == {"2"}
}

test_a_subject_that_is_there if {
	_deleted([fixtures.image("5", {}), _referrer("1", "signature", {"root": false})]) == set()
}

test_a_subject_that_is_there_whatever_root_says if {
	_deleted([fixtures.image("5", {}), _referrer("1", "signature", {})]) == set()
}

test_a_subject_that_can_be_restored if {
	_deleted([fixtures.deleted_image("5", [], fixtures.deleted_by("other")), _referrer("1", "signature", {})]) == set()
}

test_an_attestation_within_an_index_stays if {
	_deleted([_referrer("1", "attestation", {"root": false, "oci": {"parents": ["9"]}})]) == set()
}

test_a_tag_of_its_own_protects if _deleted([_referrer("1", "artifact", {"tagged": true, "tags": ["sbom"]})]) == set()

test_only_referrers if {
	_deleted([
		_referrer("1", "image", {}),
		_referrer("2", "unknown", {}),
		_referrer("3", "signature", {"oci": {"subject": null}}),
		_referrer("4", "signature", {"oci": {"subject": ""}}),
		fixtures.version("6", "sha256:6", {}),
	]) == set()
}

test_a_store_of_signatures_is_left_alone if {
	_decisions(fixtures.container([_referrer("1", "signature", {})])) == set()
	gone := fixtures.deleted_image("9", ["v1"], fixtures.deleted_by("other"))
	_decisions(fixtures.container([gone, _referrer("1", "signature", {})])) == set()
}

test_deleted_ones_are_gone_already if _deleted([_referrer("1", "signature", fixtures.deleted_by("other"))]) == set()

test_an_incomplete_package_is_left_alone if {
	_decisions(fixtures.document([fixtures.image("9", {}), _referrer("1", "signature", {})], {"complete": false})) == set()
}

test_an_unusable_limit_deletes_nothing if {
	expire_orphan_referrers.decisions == set() with input as fixtures.container([
		fixtures.image("9", {}),
		_referrer("1", "signature", {}),
	])
		with data.params.expire_orphan_referrers as {"older_than_days": null}
}

test_other_packages_have_no_referrers if _decisions(fixtures.npm([fixtures.version("1", "1.0.0", {})])) == set()

test_no_versions if _decisions(fixtures.container([])) == set()
