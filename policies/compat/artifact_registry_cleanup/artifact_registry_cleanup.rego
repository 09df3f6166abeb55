# METADATA
# title: Artifact Registry cleanup policies
# description: |
#   Reads the cleanup policies of a Google Artifact Registry repository as they
#   are: the list of a policy file, or a repository's cleanupPolicies. A version
#   that a Delete policy matches goes, unless a Keep policy matches it or it is
#   among the most recent that one keeps. All conditions of a policy have to
#   hold, and of a list of prefixes any one. Versions at exactly olderThan or
#   newerThan match neither. GitHub's created_at stands for the time of the upload.
#   With cleanupPolicyDryRun nothing goes. Of images only roots are counted and
#   deleted; what belongs to them goes with them.
#   A document that says something else than the vendor documents, or that asks
#   for tags where GitHub shows none (npm), is refused: the policy fails, and
#   nothing of the package is deleted.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: observe
#   severity: medium
#   params:
#     document: null
#   params_doc:
#     document: The cleanup policies, as a document or as their JSON text. null switches the policy off.
package retention.artifact_registry_cleanup

import data.lib.params

# METADATA
# title: Versions that a Delete policy matches
decisions contains {"action": "delete", "version": v.id, "rule": name, "reason": reason} if {
	count(_problems) == 0
	not _is_dry_run
	some k in _deletes
	_names_package(_policies[k].condition)
	some i in _deletable
	_matches(_policies[k].condition, i)
	_is_of_age(_policies[k].condition, i)
	v := input.versions[i]
	name := _names[k]
	reason := sprintf("cleanup policy %s deletes it at %v days", [name, floor(v.age_days)])
}

# METADATA
# title: Versions that a Keep policy matches
# description: An unknown age counts as one that is kept.
decisions contains {"action": "keep", "version": v.id, "rule": name, "reason": reason} if {
	count(_problems) == 0
	some k in _keeps
	_names_package(_policies[k].condition)
	some i, v in input.versions
	v.state == "active"
	_matches(_policies[k].condition, i)
	not _is_known_to_miss(_policies[k].condition, i)
	name := _names[k]
	reason := sprintf("cleanup policy %s keeps it", [name])
}

# METADATA
# title: The most recent versions
decisions contains {"action": "keep", "version": v.id, "rule": name, "reason": reason} if {
	count(_problems) == 0
	some k in _keeps
	recent := _policies[k].mostRecentVersions
	_names_package(recent)
	some v in input.versions
	is_number(v.rank_root)
	v.rank_root < recent.keepCount
	name := _names[k]
	reason := sprintf("cleanup policy %s keeps the newest %v", [name, recent.keepCount])
}

# METADATA
# title: A document that is not understood
# description: There is no such action, so the policy fails on purpose.
decisions contains {"action": "fail", "package": true, "reason": concat(" | ", sort(_problems))} if {
	count(_problems) > 0
}

_given := params.of("artifact_registry_cleanup").document

_document := _given if not is_string(_given)

_document := json.unmarshal(_given) if {
	is_string(_given)
	json.is_valid(_given)
}

_policies := _document if is_array(_document)

# A repository has them by name.
_policies := [policy | some policy in _document.cleanupPolicies] if is_object(_document.cleanupPolicies)

_names := {k: name |
	some k, policy in _policies
	is_object(policy)
	name := object.get(policy, "name", object.get(policy, "id", sprintf("policy-%v", [k + 1])))
}

_is_dry_run if _document.cleanupPolicyDryRun == true

# A policy file has {"type": "Delete"}, a repository "DELETE".
_action(policy) := lower(policy.action.type) if is_string(policy.action.type)

_action(policy) := lower(policy.action) if is_string(policy.action)

_deletes := {k | some k, policy in _policies; _action(policy) == "delete"}

_keeps := {k | some k, policy in _policies; _action(policy) == "keep"}

# Indexes in input.versions.
_deletable := {i |
	some i, v in input.versions
	v.root
	v.state == "active"
	_is_understood(i)
}

_is_understood(_) if input.package.package_type != "container"

_is_understood(i) if {
	input.versions[i].oci.kind != "unknown"
	input.versions[i].oci.subject in {null, ""}
}

_names_package(condition) if {
	some prefix in object.get(condition, "packageNamePrefixes", [""])
	startswith(input.package.name, prefix)
}

# Everything but the age.
_matches(condition, i) if {
	_has_tag_state(_tag_state(condition), i)
	some prefix in object.get(condition, "versionNamePrefixes", [""])
	startswith(input.versions[i].name, prefix)
	_has_tag_prefix(condition, i)
}

_tag_state(condition) := state if {
	given := lower(object.get(condition, "tagState", "any"))
	state := object.get({"tag_state_unspecified": "any"}, given, given)
}

_has_tag_state("any", _)

_has_tag_state("tagged", i) if input.versions[i].tagged

_has_tag_state("untagged", i) if input.versions[i].tagged == false

_has_tag_prefix(condition, _) if not condition.tagPrefixes

_has_tag_prefix(condition, i) if {
	some tag in input.versions[i].tags
	strings.any_prefix_match(tag, condition.tagPrefixes)
}

_is_of_age(condition, i) if {
	is_number(input.versions[i].age_days)
	not _is_known_to_miss(condition, i)
}

_is_known_to_miss(condition, i) if {
	is_number(input.versions[i].age_days)
	input.versions[i].age_days <= _days(condition.olderThan)
}

_is_known_to_miss(condition, i) if {
	is_number(input.versions[i].age_days)
	input.versions[i].age_days >= _days(condition.newerThan)
}

# 30d, 720h, 43200m, 2592000s.
_days(text) := days if {
	[[_, n, unit]] := regex.find_all_string_submatch_n(`^([0-9]+(?:\.[0-9]+)?)([smhd])$`, text, -1)
	days := to_number(n) / {"s": 86400, "m": 1440, "h": 24, "d": 1}[unit]
}

# What the document may not say. Each text is the reason of a failure.

_problems contains "the document holds no cleanup policies: give the policy file, or the repository's cleanupPolicies" if {
	_given != null
	not _has_policies
}

_problems contains sprintf("the document has %s, which is not known", [key]) if {
	is_object(_document)
	some key, _ in _document
	not key in {"cleanupPolicies", "cleanupPolicyDryRun"}
}

_problems contains sprintf("cleanupPolicyDryRun is %v and has to be true or false", [_document.cleanupPolicyDryRun]) if {
	not is_boolean(_document.cleanupPolicyDryRun)
}

_problems contains "there are more than the 10 policies that a repository may have" if count(_policies) > 10

_problems contains sprintf("two policies are called %s", [name]) if {
	some k, name in _names
	some l, other in _names
	k < l
	name == other
}

_problems contains sprintf("policy %v: %s", [k + 1, problem]) if {
	some k, policy in _policies
	some problem in _policy_problems(policy)
}

_problems contains sprintf("policy %v asks for tags, and GitHub does not show those of npm packages", [k + 1]) if {
	input.package.package_type == "npm"
	some k, policy in _policies
	_names_package(policy.condition)
	_asks_for_tags(policy.condition)
}

_has_policies if count(_policies) > 0

_asks_for_tags(condition) if condition.tagPrefixes

_asks_for_tags(condition) if _tag_state(condition) != "any"

_policy_problems(policy) := problems if {
	is_object(policy)
	problems := (_shape_problems(policy) | _condition_problems(object.get(policy, "condition", {"tagState": "any"}))) | _recent_problems(object.get(policy, "mostRecentVersions", {"keepCount": 1}))
} else := {"it is no object"}

_shape_problems(policy) := union({
	{sprintf("it has %s, which is not known", [key]) |
		some key, _ in policy
		not key in {"name", "id", "action", "condition", "mostRecentVersions"}
	},
	{"its action has to be Delete or Keep" | not _is_action(policy)},
	{"a Delete policy needs a condition, and has no mostRecentVersions" |
		_action(policy) == "delete"
		_has(policy, "condition") != true
	},
	{"a Delete policy needs a condition, and has no mostRecentVersions" |
		_action(policy) == "delete"
		_has(policy, "mostRecentVersions")
	},
	{"a Keep policy has either a condition or mostRecentVersions" |
		_action(policy) == "keep"
		_has(policy, "condition") == _has(policy, "mostRecentVersions")
	},
})

_condition_problems(condition) := problems if {
	is_object(condition)
	count(condition) > 0
	problems := union({
		{sprintf("its condition has %s, which is not known", [key]) |
			some key, _ in condition
			not key in {"tagState", "tagPrefixes", "versionNamePrefixes", "packageNamePrefixes", "olderThan", "newerThan"}
		},
		{"its tagState has to be tagged, untagged or any" |
			not _is_tag_state(condition)
		},
		{"tagPrefixes and tagState untagged exclude each other" |
			_has(condition, "tagPrefixes")
			_tag_state(condition) == "untagged"
		},
		{sprintf("its %s has to be a time such as 30d or 2592000s", [key]) |
			some key in {"olderThan", "newerThan"}
			_has(condition, key)
			not _days(condition[key])
		},
	}) | _list_problems(condition, {"tagPrefixes", "versionNamePrefixes", "packageNamePrefixes"})
} else := {"its condition is empty: it would match everything"}

_recent_problems(recent) := problems if {
	is_object(recent)
	problems := union({
		{sprintf("its mostRecentVersions has %s, which is not known", [key]) |
			some key, _ in recent
			not key in {"packageNamePrefixes", "keepCount"}
		},
		{"its keepCount has to be a whole number from 1" |
			not _is_positive(object.get(recent, "keepCount", null))
		},
	}) | _list_problems(recent, {"packageNamePrefixes"})
} else := {"its mostRecentVersions is no object"}

_list_problems(condition, keys) := {sprintf("its %s has to be a list of texts, one at least", [key]) |
	some key in keys
	_has(condition, key)
	not _are_texts(condition[key])
}

_is_action(policy) if _action(policy) in {"delete", "keep"}

_is_tag_state(condition) if _tag_state(condition) in {"tagged", "untagged", "any"}

_has(object_, key) := key in object.keys(object_)

_is_positive(value) if {
	is_number(value)
	value >= 1
	floor(value) == value
}

_are_texts(list) if {
	is_array(list)
	count(list) > 0
	every item in list {
		is_string(item)
		item != ""
	}
}
