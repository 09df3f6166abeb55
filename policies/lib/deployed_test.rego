package lib.deployed_test

import data.lib.deployed
import data.lib.fixtures_test as fixtures

_digest := "sha256:1"

_document := fixtures.container([fixtures.tagged("1", ["v1.2", "latest"], {})])

_named(listed) := result if {
	pairs := deployed.named with input as _document with data.deployed as listed
	result := {name | some [_, name] in pairs}
}

test_a_digest if _named([_digest]) == {_digest}

test_an_image_reference_with_a_digest if {
	_named(["ghcr.io/acme/team/api@sha256:1"]) == {_digest}
	_named(["docker-pullable://ghcr.io/acme/team/api:v0@sha256:1"]) == {_digest}
}

test_an_image_reference_with_a_tag if {
	_named(["ghcr.io/acme/team/api:v1.2"]) == {"v1.2"}
	_named(["acme/team/api:v1.2"]) == {"v1.2"}
	_named(["containers.example.com:5000/Acme/team/api:v1.2"]) == {"v1.2"}
}

test_an_image_reference_without_a_tag_means_latest if _named(["ghcr.io/acme/team/api"]) == {"latest"}

test_a_bare_tag if _named(["v1.2"]) == {"v1.2"}

test_owner_type_name_version if {
	_named(["acme/container/team/api@v1.2"]) == {"v1.2"}
	document := fixtures.npm([fixtures.version("1", "1.0.0", {}), fixtures.version("2", "2.0.0", {})])
	deployed.named == [[0, "1.0.0"]] with input as document with data.deployed as ["acme/npm/left-pad@1.0.0"]
}

test_other_packages_do_not_count if {
	_named(["ghcr.io/acme/team/web:v1.2", "ghcr.io/other/team/api:v1.2", "acme/npm/team/api@v1.2"]) == set()
	_named(["ghcr.io/acme/team/api:v1"]) == set()
}

test_any_shape_of_document if {
	_named({"production": {"pods": [{"image": "ghcr.io/acme/team/api:v1.2", "ready": true, "restarts": 3}]}}) == {"v1.2"}
	_named("v1.2") == {"v1.2"}
}

test_no_document if {
	deployed.listed == set()
	_named([]) == set()
	_named({}) == set()
	_named([1, null]) == set()
}
