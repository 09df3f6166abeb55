package retention.artifact_registry_cleanup_test

import data.lib.fixtures_test as fixtures
import data.retention.artifact_registry_cleanup

# The tables of artifact_registry_cleanup.case.yaml say what the policy is to do;
# these tests hold the same for the stock opa.

_decisions(document, package_input) := decisions if {
	decisions := artifact_registry_cleanup.decisions with input as package_input
		with data.params.artifact_registry_cleanup as {"document": document}
}

_said(document, versions) := {[decision.action, decision.version] | some decision in _decisions(document, fixtures.container(versions))}

_refusals_of(document, package_input) := {problem |
	some decision in _decisions(document, package_input)
	decision.action == "fail"
	some problem in split(decision.reason, " | ")
}

_refusals(document) := _refusals_of(document, fixtures.container([fixtures.image("1", {})]))

_delete(name, condition) := {"name": name, "action": {"type": "Delete"}, "condition": condition}

_keep(name, condition) := {"name": name, "action": {"type": "Keep"}, "condition": condition}

_recent(name, recent) := {"name": name, "action": {"type": "Keep"}, "mostRecentVersions": recent}

test_delete_by_state_prefix_and_age if {
	versions := [fixtures.tagged("3", ["a-1"], {}), fixtures.tagged("2", ["b-1"], {}), fixtures.tagged("1", ["a-2"], {"age_days": 30})]
	_said([_delete("d", {"tagState": "tagged", "tagPrefixes": ["a"], "olderThan": "30d"})], versions) == {["delete", "3"]}
	_said([_delete("d", {"tagState": "untagged", "newerThan": "200d"})], [fixtures.image("1", {})]) == {["delete", "1"]}
	_said([_delete("d", {"newerThan": "50d"})], [fixtures.image("1", {})]) == set()
}

test_keep_by_condition_and_by_number if {
	versions := [fixtures.image("2", {}), fixtures.tagged("1", ["v1"], {"rank_root": 1})]
	_said([_keep("k", {"tagPrefixes": ["v"]})], versions) == {["keep", "1"]}
	_said([_recent("k", {"keepCount": 1})], versions) == {["keep", "2"]}
}

test_other_packages_have_no_manifests if {
	document := fixtures.npm([fixtures.version("1", "0.1.0", {})])
	decisions := _decisions([_delete("d", {"versionNamePrefixes": ["0."]})], document)
	fixtures.ids(decisions) == {"1"}
}

test_a_repository_and_its_dry_run if {
	policies := {"d": {"id": "d", "action": "DELETE", "condition": {"tagState": "UNTAGGED"}}}
	_said({"cleanupPolicies": policies}, [fixtures.image("1", {})]) == {["delete", "1"]}
	_said({"cleanupPolicies": policies, "cleanupPolicyDryRun": true}, [fixtures.image("1", {})]) == set()
}

test_a_text if _said(json.marshal([_delete("d", {"olderThan": "1h"})]), [fixtures.image("1", {})]) == {["delete", "1"]}

test_off_without_a_document if _said(null, [fixtures.image("1", {})]) == set()

test_refused_documents if {
	nothing := "the document holds no cleanup policies: give the policy file, or the repository's cleanupPolicies"
	_refusals("[") == {nothing}
	_refusals([]) == {nothing}
	_refusals({"rules": []}) == {nothing, "the document has rules, which is not known"}
	_refusals({"cleanupPolicies": {"k": _keep("k", {"olderThan": "1d"})}, "cleanupPolicyDryRun": "no"}) == {"cleanupPolicyDryRun is no and has to be true or false"}
	_refusals([_keep("k", {"olderThan": "1d"}), _keep("k", {"olderThan": "1d"})]) == {"two policies are called k"}
	_refusals([_keep(format_int(n, 10), {"olderThan": "1d"}) | some n in numbers.range(1, 11)]) == {"there are more than the 10 policies that a repository may have"}
}

test_refused_tags_of_npm if {
	document := fixtures.npm([fixtures.version("1", "1.0.0", {})])
	every condition in [{"tagPrefixes": ["a"]}, {"tagState": "untagged"}] {
		_refusals_of([_delete("d", condition)], document) == {"policy 1 asks for tags, and GitHub does not show those of npm packages"}
	}
}

test_refused_policies if {
	every problem, policy in {
		"it is no object": 1,
		"it has other, which is not known": object.union(_keep("k", {"olderThan": "1d"}), {"other": 1}),
		"its action has to be Delete or Keep": {"name": "k", "action": "archive"},
		"a Delete policy needs a condition, and has no mostRecentVersions": {"name": "d", "action": "DELETE"},
		"a Keep policy has either a condition or mostRecentVersions": {"name": "k", "action": "KEEP"},
		"its condition is empty: it would match everything": _delete("d", {}),
		"its condition has other, which is not known": _delete("d", {"other": 1}),
		"its tagState has to be tagged, untagged or any": _keep("k", {"tagState": "signed"}),
		"tagPrefixes and tagState untagged exclude each other": _keep("k", {"tagState": "untagged", "tagPrefixes": ["a"]}),
		"its olderThan has to be a time such as 30d or 2592000s": _keep("k", {"olderThan": "P30D"}),
		"its tagPrefixes has to be a list of texts, one at least": _keep("k", {"tagPrefixes": [""]}),
		"its mostRecentVersions is no object": _recent("k", 1),
		"its mostRecentVersions has other, which is not known": _recent("k", {"keepCount": 1, "other": 1}),
		"its keepCount has to be a whole number from 1": _recent("k", {"keepCount": 0.5}),
	} {
		_refusals([policy]) == {sprintf("policy 1: %s", [problem])}
	}
	both := object.union(_recent("d", {"keepCount": 1}), _delete("d", {"olderThan": "1d"}))
	_refusals([both]) == {"policy 1: a Delete policy needs a condition, and has no mostRecentVersions"}
}
