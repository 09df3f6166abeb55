package retention.harbor_retention_test

import data.lib.fixtures_test as fixtures
import data.retention.harbor_retention

# The tables of harbor_retention.case.yaml say what the policy is to do; these
# tests hold the same for the stock opa.

_decisions(document, versions) := decisions if {
	decisions := harbor_retention.decisions with input as fixtures.container(versions)
		with data.params.harbor_retention as {"document": document}
}

_retained(rules, versions) := {decision.version |
	some decision in _decisions({"algorithm": "or", "rules": rules}, versions)
	decision.action == "keep"
}

_gone(rules, versions) := fixtures.ids_of(_decisions({"algorithm": "or", "rules": rules}, versions), "not_retained")

_refusals(document) := {problem |
	some decision in _decisions(document, [fixtures.image("1", {})])
	decision.action == "fail"
	some problem in split(decision.reason, " | ")
}

_selector(decoration, pattern) := {"kind": "doublestar", "decoration": decoration, "pattern": pattern}

_rule(template, number, tags) := {
	"action": "retain",
	"template": template,
	"params": {template: number},
	"tag_selectors": [tags],
	"scope_selectors": {"repository": [_selector("repoMatches", "**")]},
}

_everything := _selector("matches", "**")

_images := [fixtures.tagged("3", ["v3"], {"age_days": 1}), fixtures.image("2", {"age_days": 7}), fixtures.tagged("1", ["pr-1"], {"age_days": 9})]

test_templates if {
	_retained([_rule("latestPushedK", 2, _everything)], _images) == {"3", "2"}
	_gone([_rule("latestPushedK", 2, _everything)], _images) == {"1"}
	_retained([_rule("nDaysSinceLastPush", 7, _everything)], _images) == {"3", "2"}
	_retained([_rule("lastXDays", 7, _everything)], _images) == {"3"}
	_retained([_rule("always", 0, _everything)], _images) == {"3", "2", "1"}
}

test_an_unknown_age_is_retained if {
	_retained([_rule("lastXDays", 7, _everything)], [fixtures.image("1", {"age_days": null})]) == {"1"}
}

test_tag_selectors if {
	_retained([_rule("always", 0, _selector("matches", "v*"))], _images) == {"3", "2"}
	_retained([_rule("always", 0, _selector("excludes", "v*"))], _images) == {"2", "1"}
	_retained([_rule("always", 0, object.union(_selector("matches", "v*"), {"extras": "{\"untagged\": false}"}))], _images) == {"3"}
	_retained([_rule("always", 0, object.union(_selector("excludes", "v*"), {"extras": "{\"untagged\": true}"}))], _images) == {"1"}
}

test_scope if {
	elsewhere := {"repository": [_selector("repoMatches", "web"), _selector("repoExcludes", "team/*")]}
	_gone([object.union(_rule("latestPushedK", 0, _everything), {"scope_selectors": elsewhere})], _images) == set()
	here := {"repository": [_selector("repoMatches", "**/api"), _selector("repoExcludes", "web")]}
	_gone([object.union(_rule("latestPushedK", 0, _everything), {"scope_selectors": here})], _images) == {"3", "2", "1"}
}

test_a_disabled_rule_is_none if {
	_gone([object.union(_rule("latestPushedK", 0, _everything), {"disabled": true})], _images) == set()
}

test_a_tagged_child_is_an_image_but_no_root if {
	_gone([_rule("latestPushedK", 0, _everything)], [fixtures.tagged("1", ["v1-arm64"], {"root": false})]) == set()
}

test_a_text if {
	text := json.marshal({"algorithm": "or", "rules": [_rule("always", 0, _everything)]})
	fixtures.ids(_decisions(text, [fixtures.image("1", {})])) == {"1"}
}

test_off_without_a_document if _decisions(null, _images) == set()

test_refused_documents if {
	_refusals("{") == {"the document is no JSON object with rules: give the retention policy as Harbor's API does"}
	_refusals({"rules": []}) == {"its algorithm is null, and only or is known"}
	_refusals({"algorithm": "and", "rules": []}) == {"its algorithm is and, and only or is known"}
	_refusals({"algorithm": "or", "rules": [], "other": 1}) == {"the document has other, which is not known"}
	_refusals({"algorithm": "or", "rules": [], "scope": {"level": "system"}}) == {"its scope is system, and only a project's is known"}
	_refusals({"algorithm": "or", "rules": [_rule("nDaysSinceLastPull", 1, _everything)]}) == {"rule 1 goes by pulls (nDaysSinceLastPull), and GitHub has no time of a pull"}
	open := {"scope_selectors": {"repository": [_selector("repoMatches", "team/api/**")]}}
	_refusals({"algorithm": "or", "rules": [object.union(_rule("always", 0, _everything), open)]}) == {"rule 1: whether team/api/** holds team/api itself is not documented; name it in the pattern"}
}

test_refused_rules if {
	every problem, rule in {
		"it is no object": 1,
		"it has other, which is not known": object.union(_rule("always", 0, _everything), {"other": 1}),
		"its action is not retain": object.union(_rule("always", 0, _everything), {"action": "delete"}),
		"its template largest is not known": _rule("largest", 0, _everything),
		"its params.latestPushedK has to be a whole number from 0": _rule("latestPushedK", -1, _everything),
		"its tag_selectors have to be a list, one at least": object.union(_rule("always", 0, _everything), {"tag_selectors": []}),
		"its scope_selectors have to hold a list for repository and nothing else": object.remove(_rule("always", 0, _everything), ["scope_selectors"]),
		"a tag selector has other, which is not known": _rule("always", 0, object.union(_everything, {"other": 1})),
		"a tag selector is not of kind doublestar": _rule("always", 0, object.union(_everything, {"kind": "label"})),
		"a tag selector has a decoration that is none of excludes, matches": _rule("always", 0, _selector("repoMatches", "**")),
		"a tag selector has a pattern that is not known here: text, *, **, ? and {a,b} are": _rule("always", 0, _selector("matches", "[a-z]")),
		"a tag selector has extras that are not {\"untagged\": true} or false": _rule("always", 0, object.union(_everything, {"extras": "{}"})),
		"a repository selector has a pattern that is not known here: text, *, **, ? and {a,b} are": object.union(_rule("always", 0, _everything), {"scope_selectors": {"repository": [_selector("repoMatches", "a**")]}}),
	} {
		_refusals({"algorithm": "or", "rules": [rule]}) == {sprintf("rule 1: %s", [problem])}
	}
}
