# METADATA
# title: Harbor tag retention policy
# description: |
#   Reads a tag retention policy of a Harbor project as its API gives it. Harbor's
#   rules say what to retain, and everything else of a repository that a rule is
#   about goes; a repository that no rule is about is left alone. The owner
#   stands for the project, a container package for a repository, and GitHub's
#   created_at for the time of the push. Images are roots and whatever has a
#   tag; what belongs to an image goes with it. An unknown age is retained.
#   Rules about pulls are refused, since GitHub has no time of a pull, and so is a
#   document that says something else than the vendor documents: the policy
#   fails, and nothing of the package is deleted.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: high
#   params:
#     document: null
#   params_doc:
#     document: The retention policy, as a document or as its JSON text. null switches the policy off.
package retention.harbor_retention

import data.lib.params

# METADATA
# title: Images that a rule retains
decisions contains {"action": "keep", "version": v.id, "rule": template, "reason": reason} if {
	count(_problems) == 0
	some [k, i] in _retained
	v := input.versions[i]
	template := _rules[k].template
	reason := sprintf("retained by rule %v (%s)", [k + 1, template])
}

# METADATA
# title: Images that no rule retains
decisions contains {"action": "delete", "version": v.id, "rule": "not_retained", "reason": reason} if {
	count(_problems) == 0
	count(_applying) > 0
	some i in (_candidates - {j | some [_, j] in _retained})
	v := input.versions[i]
	v.root
	reason := sprintf("none of the %v rules about this repository retains it", [count(_applying)])
}

# METADATA
# title: A document that is not understood
# description: There is no such action, so the policy fails on purpose.
decisions contains {"action": "fail", "package": true, "reason": concat(" | ", sort(_problems))} if {
	input.package.package_type == "container"
	count(_problems) > 0
}

_given := params.of("harbor_retention").document

_document := _given if is_object(_given)

_document := json.unmarshal(_given) if {
	is_string(_given)
	json.is_valid(_given)
}

_rules := _document.rules if is_array(_document.rules)

_enabled := {k | some k, _ in _rules; not _is_disabled(k)}

_is_disabled(k) if _rules[k].disabled == true

# The rules whose scope holds the package.
_applying := {k |
	input.package.package_type == "container"
	some k in _enabled
	every selector in _rules[k].scope_selectors.repository {
		_is_in_scope(selector)
	}
}

_is_in_scope(selector) if {
	selector.decoration == "repoMatches"
	_matches(selector.pattern, input.package.name)
}

_is_in_scope(selector) if {
	selector.decoration == "repoExcludes"
	not _matches(selector.pattern, input.package.name)
}

# Indexes in input.versions, which is newest first.
_candidates := {i |
	some i, v in input.versions
	v.state == "active"
	_is_image(i)
	v.oci.kind != "unknown"
	v.oci.subject in {null, ""}
}

_is_image(i) if input.versions[i].root

_is_image(i) if input.versions[i].tagged

# For each applying rule, the images that its tag selectors select.
_selected := {k: images |
	some k in _applying
	images := {i |
		some i in _candidates
		every selector in _rules[k].tag_selectors {
			_is_selected(selector, i)
		}
	}
}

_is_selected(selector, i) if {
	selector.decoration == "matches"
	some tag in input.versions[i].tags
	_matches(selector.pattern, tag)
}

_is_selected(selector, i) if {
	selector.decoration == "matches"
	input.versions[i].tagged == false
	_untagged(selector, true)
}

# One tag that is not excluded is enough.
_is_selected(selector, i) if {
	selector.decoration == "excludes"
	some tag in input.versions[i].tags
	not _matches(selector.pattern, tag)
}

_is_selected(selector, i) if {
	selector.decoration == "excludes"
	input.versions[i].tagged == false
	not _untagged(selector, false)
}

# What extras say of untagged images, or else the default.
_untagged(selector, default_) if _extras(selector, default_).untagged == true

_extras(selector, _) := json.unmarshal(selector.extras) if object.get(selector, "extras", "") != ""

_extras(selector, default_) := {"untagged": default_} if object.get(selector, "extras", "") == ""

_retained contains [k, i] if {
	some k, images in _selected
	_rules[k].template == "always"
	some i in images
}

_retained contains [k, i] if {
	some k, images in _selected
	_rules[k].template == "latestPushedK"
	some n, i in sort(images)
	n < _rules[k].params.latestPushedK
}

_retained contains [k, i] if {
	some k, images in _selected
	_rules[k].template == "nDaysSinceLastPush"
	some i in images
	input.versions[i].age_days <= _rules[k].params.nDaysSinceLastPush
}

_retained contains [k, i] if {
	some k, images in _selected
	_rules[k].template == "lastXDays"
	some i in images
	input.versions[i].age_days < _rules[k].params.lastXDays
}

_retained contains [k, i] if {
	some k, images in _selected
	some i in images
	not is_number(input.versions[i].age_days)
}

# As Harbor's doublestar reads them: ** crosses slashes, * and ? don't, {a,b} is
# either. What else it knows is refused below.
_matches(pattern, text) if regex.match(_expression(pattern), text)

_expression(pattern) := expression if {
	literal := regex.replace(pattern, `([.+()|^$])`, `\$1`)
	any_folders := replace(literal, "**/", "\u0001")
	anything := replace(any_folders, "**", "\u0002")
	segment := replace(replace(anything, "*", `[^/]*`), "?", `[^/]`)
	either := replace(replace(replace(segment, "{", "(?:"), "}", ")"), ",", "|")
	expression := sprintf("^(?:%s)$", [replace(replace(either, "\u0001", "(?:.*/)?"), "\u0002", ".*")])
}

# What the document may not say. Each text is the reason of a failure.

_problems contains "the document is no JSON object with rules: give the retention policy as Harbor's API does" if {
	_given != null
	not _rules
}

_problems contains sprintf("the document has %s, which is not known", [key]) if {
	some key, _ in _document
	not key in {"id", "algorithm", "rules", "trigger", "scope"}
}

_problems contains sprintf("its algorithm is %v, and only or is known", [object.get(_document, "algorithm", null)]) if {
	object.get(_document, "algorithm", null) != "or"
}

_problems contains sprintf("its scope is %v, and only a project's is known", [_document.scope.level]) if {
	_document.scope.level != "project"
}

_problems contains sprintf("rule %v: %s", [k + 1, problem]) if {
	some k in _enabled
	some problem in _rule_problems(_rules[k])
}

_problems contains sprintf("rule %v goes by pulls (%s), and GitHub has no time of a pull", [k + 1, template]) if {
	some k in _applying
	template := _rules[k].template
	template in _pulled
}

_problems contains sprintf("rule %v: whether %s holds %s itself is not documented; name it in the pattern", [k + 1, selector.pattern, input.package.name]) if {
	some k in _enabled
	some selector in _rules[k].scope_selectors.repository
	endswith(selector.pattern, "/**")
	_matches(trim_suffix(selector.pattern, "/**"), input.package.name)
}

_pulled := {"latestPulledN", "nDaysSinceLastPull", "latestActiveK"}

_counted := {"latestPushedK", "nDaysSinceLastPush", "lastXDays"}

_rule_problems(rule) := problems if {
	is_object(rule)
	problems := union({
		{sprintf("it has %s, which is not known", [key]) |
			some key, _ in rule
			not key in {"id", "priority", "disabled", "action", "template", "params", "tag_selectors", "scope_selectors"}
		},
		{"its action is not retain" | object.get(rule, "action", null) != "retain"},
		{sprintf("its template %v is not known", [template]) |
			template := object.get(rule, "template", null)
			not template in ((_pulled | _counted) | {"always"})
		},
		{sprintf("its params.%s has to be a whole number from 0", [rule.template]) |
			rule.template in _counted
			not _is_count(object.get(rule, ["params", rule.template], null))
		},
		{"its tag_selectors have to be a list, one at least" | not _is_list(object.get(rule, "tag_selectors", null))},
		{"its scope_selectors have to hold a list for repository and nothing else" | not _is_scope(object.get(rule, "scope_selectors", null))},
	}) | _selector_problems(rule)
} else := {"it is no object"}

_selector_problems(rule) := {sprintf("a tag selector %s", [problem]) |
	some selector in rule.tag_selectors
	some problem in _faults(selector, {"matches", "excludes"})
} | {sprintf("a repository selector %s", [problem]) |
	some selector in rule.scope_selectors.repository
	some problem in _faults(selector, {"repoMatches", "repoExcludes"})
}

_faults(selector, decorations) := union({
	{sprintf("has %s, which is not known", [key]) |
		some key, _ in selector
		not key in {"kind", "decoration", "pattern", "extras"}
	},
	{"is not of kind doublestar" | object.get(selector, "kind", null) != "doublestar"},
	{sprintf("has a decoration that is none of %s", [concat(", ", sort(decorations))]) |
		not object.get(selector, "decoration", null) in decorations
	},
	{"has a pattern that is not known here: text, *, **, ? and {a,b} are" |
		not _is_pattern(object.get(selector, "pattern", null))
	},
	{"has extras that are not {\"untagged\": true} or false" |
		not _is_extras(object.get(selector, "extras", ""))
	},
})

_is_pattern(pattern) if {
	is_string(pattern)
	regex.match(`^(?:[^{}\[\]\\,!]|\{[^{}\[\]\\,!]+(?:,[^{}\[\]\\,!]+)*\})+$`, pattern)
	not regex.match(`\*\*[^/*]|[^/{,*]\*\*|\*\*\*`, pattern)
}

_is_extras("")

_is_extras(text) if {
	is_string(text)
	json.is_valid(text)
	extras := json.unmarshal(text)
	object.keys(extras) == {"untagged"}
	is_boolean(extras.untagged)
}

_is_count(value) if {
	is_number(value)
	value >= 0
	floor(value) == value
}

_is_list(value) if {
	is_array(value)
	count(value) > 0
}

_is_scope(value) if {
	is_object(value)
	object.keys(value) == {"repository"}
	_is_list(value.repository)
}
