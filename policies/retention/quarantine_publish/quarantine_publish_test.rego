package retention.quarantine_publish_test

import data.lib.fixtures_test as fixtures
import data.retention.quarantine_publish

_defaults := {
	"require_repository": false,
	"allowed_visibilities": [],
	"allowed_tags": [],
	"allowed_senders": [],
	"max_age_days": 1,
}

_strict := {
	"require_repository": true,
	"allowed_visibilities": ["internal"],
	"allowed_tags": ["v*", "latest"],
	"allowed_senders": ["ci-*"],
	"max_age_days": 1,
}

_trigger := {"kind": "webhook", "event": "package", "action": "published", "sender": "Mallory", "version_id": "1"}

_published := fixtures.tagged("1", ["oops", "v1"], {"age_days": 0.01})

_unlinked(document) := object.union(
	object.remove(document, ["package"]),
	{"package": object.remove(document["package"], ["repository"])},
)

_document(changes) := fixtures.document(
	[_published, fixtures.tagged("2", ["bad"], {"age_days": 0.01})],
	object.union({"trigger": _trigger}, changes),
)

_decisions(document, params) := result if {
	result := quarantine_publish.decisions with input as document
		with data.params.quarantine_publish as object.union(_defaults, params)
}

_rules(document, params) := {decision.rule | some decision in _decisions(document, params)}

test_every_broken_rule_is_named if {
	_decisions(_unlinked(_document({})), _strict) == {
		{
			"action": "delete", "version": "1", "rule": "repository",
			"reason": "published to a package that is linked to no repository",
		},
		{
			"action": "delete", "version": "1", "rule": "visibility",
			"reason": "published to a private package (allowed: internal)",
		},
		{
			"action": "delete", "version": "1", "rule": "tag",
			"reason": "published with tag oops (allowed: v*, latest)",
		},
		{
			"action": "delete", "version": "1", "rule": "sender",
			"reason": "published by Mallory (allowed: ci-*)",
		},
	}
}

test_the_defaults_delete_nothing if _decisions(_unlinked(_document({})), {}) == set()

test_what_follows_the_rules_stays if {
	document := fixtures.document(
		[fixtures.tagged("1", ["latest", "v1"], {"age_days": 0})],
		{"trigger": object.union(_trigger, {"sender": "CI-bot"}), "package": {"visibility": "internal"}},
	)
	_decisions(document, _strict) == set()
}

test_each_rule_alone if {
	_rules(_unlinked(_document({})), {"require_repository": true}) == {"repository"}
	_rules(_document({}), {"require_repository": true}) == set()
	_rules(_document({}), {"allowed_visibilities": ["public"]}) == {"visibility"}
	_rules(_document({}), {"allowed_visibilities": ["public", "private"]}) == set()
	_rules(_document({}), {"allowed_tags": ["v*"]}) == {"tag"}
	_rules(_document({}), {"allowed_tags": ["v*", "oops"]}) == set()
	_rules(_document({}), {"allowed_senders": ["alice"]}) == {"sender"}
	_rules(_document({}), {"allowed_senders": ["MALLORY"]}) == set()
}

test_untagged_images_have_no_tag_to_refuse if {
	document := fixtures.document([fixtures.image("1", {"age_days": 0.01})], {"trigger": _trigger})
	_rules(document, {"allowed_tags": ["v*"]}) == set()
}

test_versions_outside_containers if {
	document := fixtures.document(
		[fixtures.version("1", "1.0.0", {"age_days": 0.01})],
		{"trigger": _trigger, "package": {"package_type": "npm"}},
	)
	_rules(document, _strict) == {"visibility", "sender"}
}

test_only_on_a_published_webhook if {
	_decisions(_document({"trigger": {"kind": "schedule"}}), _strict) == set()
	_decisions(_document({"trigger": {"kind": "cli"}}), _strict) == set()
	_decisions(_document({"trigger": {"action": "updated"}}), _strict) == set()
}

test_only_the_version_of_the_webhook if {
	_decisions(_document({"trigger": {"version_id": "3"}}), _strict) == set()
	fixtures.ids(_decisions(_document({"trigger": {"version_id": "2"}}), {"allowed_tags": ["v*"]})) == {"2"}
}

test_an_unknown_sender_is_not_refused if {
	_rules(_document({"trigger": {"sender": ""}}), {"allowed_senders": ["alice"]}) == set()
	nobody := object.remove(_trigger, ["sender"])
	_rules(fixtures.document([_published], {"trigger": nobody}), {"allowed_senders": ["alice"]}) == set()
}

test_only_while_it_is_young if {
	every pair in [[1, 1], [1.001, 0], [null, 0]] {
		document := fixtures.document(
			[fixtures.tagged("1", ["oops"], {"age_days": pair[0]})],
			{"trigger": _trigger},
		)
		count(_decisions(document, {"allowed_tags": ["v*"]})) == pair[1]
	}
}

test_a_deleted_version_is_gone_already if {
	gone := fixtures.deleted_image("1", ["oops"], object.union({"age_days": 0.01}, fixtures.deleted_by("other")))
	_decisions(fixtures.document([gone], {"trigger": _trigger}), _strict) == set()
}

test_an_incomplete_package_stays if _decisions(_document({"complete": false}), _strict) == set()

test_unusable_parameters_delete_nothing if {
	broken := {
		"require_repository": "yes",
		"allowed_visibilities": "internal",
		"allowed_tags": [1],
		"allowed_senders": null,
		"max_age_days": 1,
	}
	_decisions(_unlinked(_document({})), broken) == set()
	_decisions(_document({}), object.union(_strict, {"max_age_days": null})) == set()
}

test_no_versions if _decisions(fixtures.document([], {"trigger": _trigger}), _strict) == set()
