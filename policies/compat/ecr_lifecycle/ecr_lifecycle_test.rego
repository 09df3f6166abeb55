package retention.ecr_lifecycle_test

import data.lib.fixtures_test as fixtures
import data.retention.ecr_lifecycle

# The tables of ecr_lifecycle.case.yaml say what the policy is to do; these tests
# hold the same for the stock opa.

_decisions(document, versions) := decisions if {
	decisions := ecr_lifecycle.decisions with input as fixtures.container(versions)
		with data.params.ecr_lifecycle as {"document": document}
}

_expired(rules, versions) := fixtures.ids(_decisions({"rules": rules}, versions))

_refusals(document) := {problem |
	some decision in _decisions(document, [fixtures.image("1", {})])
	decision.action == "fail"
	some problem in split(decision.reason, " | ")
}

_rule(priority, selection) := {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}

_untagged := {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 99}

_tagged(changes, number) := object.union({"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": number}, changes)

test_by_age if _expired([_rule(1, _untagged)], [fixtures.image("1", {}), fixtures.image("2", {"age_days": 99})]) == {"1"}

test_by_count_and_prefix if {
	versions := [fixtures.tagged(id, [tag], {}) | some [id, tag] in [["3", "a-3"], ["2", "a-2"], ["1", "b-1"]]]
	_expired([_rule(1, _tagged({"tagPrefixList": ["a"]}, 1))], versions) == {"2"}
}

test_patterns if {
	versions := [fixtures.tagged("2", ["v1.2"], {}), fixtures.tagged("1", ["v1.1"], {}), fixtures.tagged("0", ["v1x0"], {})]
	_expired([_rule(1, _tagged({"tagPatternList": ["v1.*"]}, 1))], versions) == {"1"}
}

test_a_rule_before_protects if {
	rules := [_rule(2, {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}), _rule(1, _tagged({"tagPrefixList": ["a"]}, 9))]
	versions := [fixtures.image("3", {}), fixtures.tagged("2", ["a"], {}), fixtures.tagged("1", ["b"], {})]
	_expired(rules, versions) == {"1"}
}

test_a_text if {
	text := json.marshal({"rules": [_rule(1, _untagged)]})
	fixtures.ids(_decisions(text, [fixtures.image("1", {})])) == {"1"}
}

test_off_without_a_document if _decisions(null, [fixtures.image("1", {})]) == set()

test_refused_documents if {
	_refusals("{") == {"the document is no JSON object: give the lifecycle policy as it is"}
	_refusals({"rules": []}) == {"the document has no rules: give the lifecycle policy as it is"}
	"the document has id, which is not known" in _refusals({"id": 1, "rules": [_rule(1, _untagged)]})
	_refusals({"rules": [1]}) == {"rule 1: it is no object with a selection"}
}

test_refused_combinations if {
	_refusals({"rules": [_rule(1, _untagged), _rule(1, _tagged({"tagPrefixList": ["a"]}, 1))]}) == {"rules 1 and 2 have the same rulePriority"}
	"only one rule may select untagged images" in _refusals({"rules": [_rule(1, _untagged), _rule(2, _untagged)]})
	_refusals({"rules": [_rule(1, _tagged({"tagPrefixList": ["a"]}, 1)), _rule(2, _tagged({"tagPrefixList": ["a"]}, 2))]}) == {"rules 1 and 2 select the same tags"}
	any_image := {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
	_refusals({"rules": [_rule(1, any_image), _rule(2, _untagged)]}) == {"rule 1 selects any image and has to have the highest rulePriority"}
}

test_refused_rules if {
	every problem, rule in {
		"it has other, which is not known": object.union(_rule(1, _untagged), {"other": 1}),
		"its rulePriority has to be a whole number from 1": _rule(0, _untagged),
		"its action is not expire, the only one that there is here": object.union(_rule(1, _untagged), {"action": {"type": "transition"}}),
		"its selection has other, which is not known": _rule(1, object.union(_untagged, {"other": 1})),
		"its tagStatus has to be tagged, untagged or any": _rule(1, object.union(_untagged, {"tagStatus": "all"})),
		"tagStatus tagged needs either tagPrefixList or tagPatternList, one text at least": _rule(1, _tagged({}, 1)),
		"only tagStatus tagged may have tagPrefixList or tagPatternList": _rule(1, object.union(_untagged, {"tagPrefixList": ["a"]})),
		"tagPrefixList has to be a list of texts, none of them empty": _rule(1, _tagged({"tagPrefixList": [""]}, 1)),
		"pattern a? may hold letters, digits, dots, hyphens, underscores and up to four stars": _rule(1, _tagged({"tagPatternList": ["a?"]}, 1)),
		"its countNumber has to be a whole number from 1": _rule(1, object.union(_untagged, {"countNumber": 1.5})),
		"countType sinceImagePushed needs countUnit days": _rule(1, object.union(_untagged, {"countUnit": "hours"})),
		"countType imageCountMoreThan has no countUnit": _rule(1, _tagged({"tagPrefixList": ["a"], "countUnit": "days"}, 1)),
		"countType sinceImagePulled is not known: GitHub knows when an image was pushed, but neither pulls nor an archive": _rule(1, object.union(_untagged, {"countType": "sinceImagePulled"})),
		"storageClass has to be standard: GitHub has no archive": _rule(1, object.union(_untagged, {"storageClass": "archive"})),
	} {
		_refusals({"rules": [rule]}) == {sprintf("rule 1: %s", [problem])}
	}
}
