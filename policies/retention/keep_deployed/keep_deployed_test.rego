package retention.keep_deployed_test

import data.lib.fixtures_test as fixtures
import data.retention.keep_deployed

_decisions(versions, listed) := result if {
	result := keep_deployed.decisions with input as fixtures.container(versions)
		with data.deployed as listed
		with data.params.keep_deployed as {"required": false}
}

test_listed_versions if {
	_decisions(
		[fixtures.image("1", {}), fixtures.tagged("2", ["v2", "latest"], {}), fixtures.image("3", {})],
		["sha256:1", "ghcr.io/acme/team/api:v2"],
	) == {
		{"action": "keep", "version": "1", "rule": "listed", "reason": "deployed as sha256:1"},
		{"action": "keep", "version": "2", "rule": "listed", "reason": "deployed as v2"},
	}
}

test_indexes_of_listed_images if {
	versions := [
		fixtures.image("1", {"root": false, "oci": {"parents": ["2"]}}),
		fixtures.tagged("2", ["v2"], {"root": false, "oci": {"kind": "index", "children": ["1"], "parents": ["3"]}}),
		fixtures.tagged("3", ["v3"], {"oci": {"kind": "index", "children": ["2"]}}),
		fixtures.tagged("4", ["v4"], {"oci": {"kind": "index"}}),
	]
	decisions := _decisions(versions, ["sha256:1"])
	fixtures.ids_of(decisions, "listed") == {"1"}
	fixtures.ids_of(decisions, "index") == {"2", "3"}
}

test_an_unread_manifest_is_still_kept if {
	fixtures.ids(_decisions([fixtures.version("1", "sha256:1", {})], ["sha256:1"])) == {"1"}
}

test_versions_outside_containers if {
	document := fixtures.npm([fixtures.version("1", "1.0.0", {}), fixtures.version("2", "2.0.0", {})])
	ids := fixtures.ids(keep_deployed.decisions) with input as document
		with data.deployed as {"production": ["acme/npm/left-pad@1.0.0"]}
	ids == {"1"}
}

test_deleted_ones_are_not_kept if {
	_decisions([fixtures.deleted_image("1", ["v1"], fixtures.deleted_by("other"))], ["sha256:1", "v1"]) == set()
}

test_without_a_document_nothing_is_kept if {
	keep_deployed.decisions == set() with input as fixtures.container([fixtures.tagged("1", ["v1"], {})])
		with data.params.keep_deployed as {"required": false}
	_decisions([fixtures.tagged("1", ["v1"], {})], []) == set()
}

test_a_required_document_that_is_missing_keeps_everything if {
	every broken in [{"required": true}, {}, {"required": null}] {
		decisions := keep_deployed.decisions with input as fixtures.container([]) with data.params.keep_deployed as broken
		count(decisions) == 1
		some decision in decisions
		decision.action == "keep"
		decision["package"] == true
	}
	keep_deployed.decisions == {{
		"action": "keep", "package": true, "rule": "not_known",
		"reason": "data.deployed is missing or lists nothing: have the pipeline write it, or set params.keep_deployed.required to false",
	}} with input as fixtures.container([]) with data.params as {}
}

test_a_required_document_that_is_there if {
	decisions := keep_deployed.decisions with input as fixtures.container([fixtures.image("1", {})])
		with data.deployed as ["sha256:9"]
		with data.params.keep_deployed as {"required": true}
	decisions == set()
}

test_no_versions if _decisions([], ["sha256:1"]) == set()
