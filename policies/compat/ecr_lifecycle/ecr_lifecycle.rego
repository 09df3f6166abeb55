# METADATA
# title: Amazon ECR lifecycle policy
# description: |
#   Reads a lifecycle policy of Amazon ECR as it is, and expires what ECR would.
#   All rules are looked at together and applied by rulePriority: an image that a
#   rule selects is never expired by a rule with a higher number, whether or not the
#   first one expires it, and a rule counts the images that it selects as if none
#   had been expired. GitHub's created_at stands for the time of the push.
#   Only roots are images here: what an index lists, and what refers to a subject,
#   is neither counted nor expired by itself and goes with what it belongs to.
#   A document that says something else than the vendor documents, or that
#   asks for what GitHub does not know (pulls, archived images), is refused:
#   the policy fails, and nothing of the package is deleted.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: medium
#   params:
#     document: null
#   params_doc:
#     document: The lifecycle policy, as a document or as its JSON text. null switches the policy off.
package retention.ecr_lifecycle

import data.lib.params

# METADATA
# title: Images that a rule of the document expires
decisions contains {"action": "delete", "version": v.id, "rule": name, "reason": reason} if {
	count(_problems) == 0
	some [k, i, why] in _marked
	not i in _claimed[k]
	v := input.versions[i]
	is_number(v.age_days)
	name := sprintf("priority-%v", [_ordered[k].rulePriority])
	reason := sprintf("rule %v expires it: %s", [_ordered[k].rulePriority, why])
}

# METADATA
# title: A document that is not understood
# description: There is no such action, so the policy fails on purpose.
decisions contains {"action": "fail", "package": true, "reason": concat(" | ", sort(_problems))} if {
	input.package.package_type == "container"
	count(_problems) > 0
}

_given := params.of("ecr_lifecycle").document

_document := _given if is_object(_given)

_document := json.unmarshal(_given) if {
	is_string(_given)
	json.is_valid(_given)
}

_rules := _document.rules if is_array(_document.rules)

_ordered := [_rules[entry[1]] |
	some entry in sort([[rule.rulePriority, k] | some k, rule in _rules])
]

# The indexes of images in input.versions, which is newest first.
_images := {i |
	input.package.package_type == "container"
	some i, v in input.versions
	v.root
	v.state == "active"
	v.oci.kind != "unknown"
	v.oci.subject in {null, ""}
}

# For each rule in its order, the images that it selects.
_selected := [images |
	some rule in _ordered
	images := {i | some i in _images; _selects(rule.selection, i)}
]

# For each rule in its order, the images that a rule before it selects.
_claimed := [union({images | some j, images in _selected; j < k}) | some k, _ in _ordered]

_selects(selection, _) if selection.tagStatus == "any"

_selects(selection, i) if {
	selection.tagStatus == "untagged"
	input.versions[i].tagged == false
}

_selects(selection, i) if {
	selection.tagStatus == "tagged"
	input.versions[i].tagged
	every prefix in object.get(selection, "tagPrefixList", []) {
		some tag in input.versions[i].tags
		startswith(tag, prefix)
	}
	every pattern in object.get(selection, "tagPatternList", []) {
		some tag in input.versions[i].tags
		regex.match(_expression(pattern), tag)
	}
}

# A star is the only wildcard; the other characters have been checked.
_expression(pattern) := sprintf("^%s$", [replace(replace(pattern, ".", `\.`), "*", ".*")])

_marked contains [k, i, why] if {
	some k, rule in _ordered
	rule.selection.countType == "imageCountMoreThan"
	some n, i in sort(_selected[k])
	n >= rule.selection.countNumber
	why := sprintf("%v newer images match, and it keeps %v", [n, rule.selection.countNumber])
}

_marked contains [k, i, why] if {
	some k, rule in _ordered
	rule.selection.countType == "sinceImagePushed"
	some i in _selected[k]
	input.versions[i].age_days > rule.selection.countNumber
	why := sprintf("pushed %v days ago (limit %v)", [floor(input.versions[i].age_days), rule.selection.countNumber])
}

# What the document may not say. Each text is the reason of a failure.

_problems contains "the document is no JSON object: give the lifecycle policy as it is" if {
	_given != null
	not _document
}

_problems contains "the document has no rules: give the lifecycle policy as it is" if {
	_document
	not _has_rules
}

_problems contains sprintf("the document has %s, which is not known", [key]) if {
	some key, _ in _document
	key != "rules"
}

_problems contains sprintf("rule %v: %s", [k + 1, problem]) if {
	some k, rule in _rules
	some problem in _rule_problems(rule)
}

_problems contains sprintf("rules %v and %v have the same rulePriority", [k + 1, l + 1]) if {
	some k, rule in _rules
	some l, other in _rules
	k < l
	rule.rulePriority == other.rulePriority
}

_problems contains sprintf("rule %v selects any image and has to have the highest rulePriority", [k + 1]) if {
	some k, rule in _rules
	rule.selection.tagStatus == "any"
	some other in _rules
	other.rulePriority > rule.rulePriority
}

_problems contains "only one rule may select untagged images" if {
	count([rule | some rule in _rules; rule.selection.tagStatus == "untagged"]) > 1
}

_problems contains sprintf("rules %v and %v select the same tags", [k + 1, l + 1]) if {
	some k, rule in _rules
	some l, other in _rules
	k < l
	some list in {"tagPrefixList", "tagPatternList"}
	count(rule.selection[list]) > 0
	{tag | some tag in rule.selection[list]} == {tag | some tag in other.selection[list]}
}

_has_rules if count(_rules) > 0

_rule_problems(rule) := problems if {
	is_object(rule)
	is_object(object.get(rule, "selection", null))
	problems := (({problem | some problem in _shape_problems(rule)} | _tag_problems(rule.selection)) | _count_problems(rule.selection)) | _known_problems(rule.selection)
} else := {"it is no object with a selection"}

_shape_problems(rule) := union({
	{sprintf("it has %s, which is not known", [key]) |
		some key, _ in rule
		not key in {"rulePriority", "description", "selection", "action"}
	},
	{sprintf("its selection has %s, which is not known", [key]) |
		some key, _ in rule.selection
		not key in {"tagStatus", "tagPrefixList", "tagPatternList", "storageClass", "countType", "countUnit", "countNumber"}
	},
	{"its rulePriority has to be a whole number from 1" |
		not _is_positive(object.get(rule, "rulePriority", null))
	},
	{"its action is not expire, the only one that there is here" |
		object.get(rule, "action", null) != {"type": "expire"}
	},
})

_tag_problems(selection) := union({
	{"its tagStatus has to be tagged, untagged or any" |
		not object.get(selection, "tagStatus", null) in {"tagged", "untagged", "any"}
	},
	{"tagStatus tagged needs either tagPrefixList or tagPatternList, one text at least" |
		selection.tagStatus == "tagged"
		count(_lists(selection)) != 1
	},
	{"only tagStatus tagged may have tagPrefixList or tagPatternList" |
		object.get(selection, "tagStatus", null) != "tagged"
		some key in {"tagPrefixList", "tagPatternList"}
		_has(selection, key)
	},
	{sprintf("%s has to be a list of texts, none of them empty", [key]) |
		some key in {"tagPrefixList", "tagPatternList"}
		_has(selection, key)
		not _are_texts(selection[key])
	},
	{sprintf("pattern %s may hold letters, digits, dots, hyphens, underscores and up to four stars", [pattern]) |
		some pattern in selection.tagPatternList
		not _is_pattern(pattern)
	},
})

_count_problems(selection) := union({
	{"its countNumber has to be a whole number from 1" |
		not _is_positive(object.get(selection, "countNumber", null))
	},
	{"countType sinceImagePushed needs countUnit days" |
		selection.countType == "sinceImagePushed"
		object.get(selection, "countUnit", null) != "days"
	},
	{"countType imageCountMoreThan has no countUnit" |
		selection.countType == "imageCountMoreThan"
		_has(selection, "countUnit")
	},
})

_known_problems(selection) := union({
	{sprintf("countType %v is not known: GitHub knows when an image was pushed, but neither pulls nor an archive", [kind]) |
		kind := object.get(selection, "countType", null)
		not kind in {"imageCountMoreThan", "sinceImagePushed"}
	},
	{"storageClass has to be standard: GitHub has no archive" |
		object.get(selection, "storageClass", "standard") != "standard"
	},
})

_lists(selection) := {key |
	some key in {"tagPrefixList", "tagPatternList"}
	count(selection[key]) > 0
}

_has(object_, key) if key in object.keys(object_)

_is_positive(value) if {
	is_number(value)
	value >= 1
	floor(value) == value
}

_are_texts(list) if {
	is_array(list)
	every item in list {
		is_string(item)
		item != ""
	}
}

_is_pattern(pattern) if {
	is_string(pattern)
	regex.match(`^[A-Za-z0-9_.*-]+$`, pattern)
	strings.count(pattern, "*") <= 4
}
