# METADATA
# title: Input documents for tests
# description: Whole documents as the engine makes them, to be changed where a test needs it.
# scope: package
package lib.fixtures_test

# METADATA
# title: An input with the given versions, for a container package unless changed
document(versions, changes) := object.union(
	{
		"contract": "v1",
		"evaluated_at": "2026-06-01T00:00:00Z",
		"trigger": {"kind": "schedule"},
		"owner": _owner,
		"package": {
			"id": "7",
			"name": "team/api",
			"package_type": "container",
			"visibility": "private",
			"version_count": count(versions),
			"html_url": "https://github.com/orgs/acme/packages/container/package/team%2Fapi",
			"url": "https://api.github.com/orgs/acme/packages/container/team%2Fapi",
			"created_at": "2024-06-01T00:00:00Z",
			"updated_at": "2026-05-31T00:00:00Z",
			"owner": _owner,
			"repository": {
				"id": "70",
				"name": "api",
				"full_name": "acme/api",
				"private": true,
				"html_url": "https://github.com/acme/api",
			},
			"state": "active",
			"age_days": 730,
			"idle_days": 1,
		},
		"complete": true,
		"versions": versions,
	},
	changes,
)

# METADATA
# title: An input for a container package
container(versions) := document(versions, {})

# METADATA
# title: An input for an npm package
npm(versions) := document(versions, {"package": {"name": "left-pad", "package_type": "npm"}})

# METADATA
# title: An active version outside containers, 100 days old
version(id, name, changes) := object.union(
	{
		"id": id,
		"name": name,
		"created_at": "2026-02-21T00:00:00Z",
		"updated_at": "2026-02-21T00:00:00Z",
		"deleted_at": null,
		"html_url": null,
		"license": null,
		"description": null,
		"state": "active",
		"tags": [],
		"tagged": false,
		"age_days": 100,
		"idle_days": 100,
		"rank": 0,
		"rank_tagged": null,
		"rank_untagged": 0,
		"rank_root": 0,
		"rank_semver": null,
		"rank_prerelease": null,
		"root": true,
		"restorable_days": null,
	},
	changes,
)

# METADATA
# title: An active untagged image, 100 days old, whose digest is sha256:<id>
image(id, changes) := version(id, sprintf("sha256:%s", [id]), object.union({"oci": _oci}, changes))

# METADATA
# title: The same with tags
tagged(id, tags, changes) := image(id, object.union(
	{"tags": tags, "tagged": true, "rank_tagged": 0, "rank_untagged": null},
	changes,
))

# METADATA
# title: A release or prerelease outside containers
release(id, name, changes) := version(id, name, object.union({"semver": semver(name)}, changes))

# METADATA
# title: The facts of a semantic version without build metadata
semver(text) := {
	"version": text,
	"major": to_number(core[0]),
	"minor": to_number(core[1]),
	"patch": to_number(core[2]),
	"prerelease": concat("-", array.slice(parts, 1, count(parts))),
	"build": "",
} if {
	parts := split(text, "-")
	core := split(parts[0], ".")
}

# METADATA
# title: What makes a version one that somebody deleted
deleted_by(who) := {
	"state": "deleted",
	"deleted_at": "2026-05-22T00:00:00Z",
	"deleted_by": {"by": who},
	"restorable_days": 20,
	"rank": null,
	"rank_tagged": null,
	"rank_untagged": null,
	"rank_root": null,
	"rank_semver": null,
	"rank_prerelease": null,
}

# METADATA
# title: A deleted image, which no longer has a manifest to read
deleted_image(id, tags, changes) := version(id, sprintf("sha256:%s", [id]), object.union(
	{"tags": tags, "tagged": count(tags) > 0},
	changes,
))

# METADATA
# title: The versions that decisions name
ids(decisions) := {decision.version | some decision in decisions}

# METADATA
# title: The versions that decisions of one rule name
ids_of(decisions, rule) := {decision.version |
	some decision in decisions
	decision.rule == rule
}

_owner := {"login": "acme", "kind": "organization", "id": "1"}

_oci := {
	"kind": "image",
	"media_type": "application/vnd.oci.image.manifest.v1+json",
	"artifact_type": null,
	"children": [],
	"parents": [],
	"missing": [],
	"subject": null,
	"platform": "linux/amd64",
	"size_bytes": 1000,
}
