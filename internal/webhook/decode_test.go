package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// live is what push says.
func live(event string) webhook.Event {
	return webhook.Event{
		Name: event, Kind: webhook.KindPackage, Action: "published", Owner: "acme", Type: retention.Container, Package: "team/api",
		VersionID: 42, Version: "sha256:ab", Tag: "v1", Sender: "octocat", InstallationID: 71,
		UpdatedAt: time.Date(2026, 3, 1, 11, 59, 58, 0, time.UTC),
	}
}

func TestDecodeToleratesWhatGitHubSends(t *testing.T) {
	type object = doc
	tests := []struct {
		name   string
		change func(payload, pkg, version object)
		want   func(*webhook.Event)
	}{
		{"a live container event", func(_, _, _ object) {}, func(*webhook.Event) {}},
		{"metadata as an object, body as text", func(_, _, v object) { v["metadata"], v["body"] = object{"a": 1}, "text" }, func(*webhook.Event) {}},
		{"an untagged manifest", func(_, _, v object) {
			v["container_metadata"] = object{"tag": object{"name": "", "digest": "sha256:ab"}}
		},
			func(e *webhook.Event) { e.Tag = "" }},
		{"container metadata of another shape", func(_, _, v object) { v["container_metadata"] = []any{1} }, func(e *webhook.Event) { e.Tag = "" }},
		{"a manifest of another shape", func(_, _, v object) {
			v["container_metadata"] = object{"tag": object{"name": "v1", "digest": "sha256:ab"}, "manifest": "text"}
		}, func(*webhook.Event) {}},
		{"a package of year 1", func(_, p, _ object) { p["updated_at"] = "0001-01-01T00:00:00Z" }, func(e *webhook.Event) { e.UpdatedAt = time.Time{} }},
		{"a time that is none", func(_, p, _ object) { p["updated_at"] = "yesterday" }, func(e *webhook.Event) { e.UpdatedAt = time.Time{} }},
		{"no installation", func(b, _, _ object) { delete(b, "installation") }, func(e *webhook.Event) { e.InstallationID = 0 }},
		{"no package version", func(_, p, _ object) { delete(p, "package_version") },
			func(e *webhook.Event) { e.VersionID, e.Version, e.Tag = 0, "", "" }},
		{"null for a package version", func(_, p, _ object) { p["package_version"] = nil },
			func(e *webhook.Event) { e.VersionID, e.Version, e.Tag = 0, "", "" }},
		{"a version id that is no number", func(_, _, v object) { v["id"] = "x" }, func(e *webhook.Event) { e.VersionID = 0 }},
		{"a negative version id", func(_, _, v object) { v["id"] = -1 }, func(e *webhook.Event) { e.VersionID = 0 }},
		{"a version with a name only", func(_, _, v object) { delete(v, "version"); v["name"] = "n" }, func(e *webhook.Event) { e.Version = "n" }},
		{"npm", func(_, p, v object) {
			p["package_type"] = "NPM"
			delete(v, "container_metadata")
			v["version"] = "1.0.0"
		},
			func(e *webhook.Event) { e.Type, e.Version, e.Tag = retention.NPM, "1.0.0", "" }},
		{"Gradle is Maven", func(_, p, v object) { p["package_type"] = "gradle"; delete(v, "container_metadata") },
			func(e *webhook.Event) { e.Type, e.Tag = retention.Maven, "" }},
		{"a container that calls itself npm", func(_, p, _ object) { p["package_type"], p["ecosystem"] = "npm", "docker" }, func(*webhook.Event) {}},
		{"a legacy docker image stays one", func(_, p, _ object) { p["package_type"] = "docker" }, func(e *webhook.Event) { e.Type = retention.Docker }},
		{"a package type that is not ours", func(_, p, v object) { p["package_type"] = "ACTIONS"; delete(v, "container_metadata") },
			func(e *webhook.Event) { e.Kind, e.Type, e.Tag = webhook.KindOther, "actions", "" }},
		{"no package owner, so the organization", func(b, p, _ object) { delete(p, "owner"); b["organization"] = object{"login": "org"} },
			func(e *webhook.Event) { e.Owner = "org" }},
		{"no organization either, so the repository's owner", func(b, p, _ object) {
			delete(p, "owner")
			delete(b, "organization")
			b["repository"] = object{"owner": object{"login": "mona"}}
		}, func(e *webhook.Event) { e.Owner = "mona" }},
		{"nothing but a namespace", func(b, p, _ object) { delete(p, "owner"); delete(b, "organization"); p["namespace"] = "mona/repo" },
			func(e *webhook.Event) { e.Owner = "mona" }},
		{"no sender", func(b, _, _ object) { delete(b, "sender") }, func(e *webhook.Event) { e.Sender = "" }},
	}
	for _, tc := range tests {
		for _, event := range []string{"package", "registry_package"} {
			t.Run(event+"/"+tc.name, func(t *testing.T) {
				got, err := webhook.Decode(event, push(event, tc.change))
				if err != nil {
					t.Fatal(err)
				}
				want := live(event)
				tc.want(&want)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	tests := []struct{ name, event, body, want string }{
		{"nothing", "package", ``, "unexpected end"},
		{"no JSON", "package", `{`, "unexpected end"},
		{"no JSON in an event of others", "push", `nope`, "invalid character"},
		{"an array", "package", `[]`, "cannot unmarshal"},
		{"two documents", "ping", `{}{}`, "after top-level"},
		{"deep nesting", "package", `{"x":` + deep + `}`, "deeper than 64"},
		{"deep nesting in an event of others", "push", deep, "deeper than 64"},
		{"a form", "package", `payload=%7B%7D`, "invalid character"},
		{"the other event's package", "package", string(push("registry_package")), "no package"},
		{"the other event's package, turned round", "registry_package", string(push("package")), "no registry_package"},
		{"no action", "package", string(push("package", func(b, _, _ doc) { delete(b, "action") })), "no action"},
		{"no type", "package", string(push("package", func(_, p, _ doc) { delete(p, "package_type") })), "no package_type"},
		{"no name", "package", string(push("package", func(_, p, _ doc) { delete(p, "name") })), "package name"},
		{"a name with a newline", "package", string(push("package", func(_, p, _ doc) { p["name"] = "a\nb" })), "package name"},
		{"an owner that is a path", "package", string(push("package", func(_, p, _ doc) { p["owner"] = doc{"login": "../x"} })), "not a login"},
		{"an installation of another shape", "package", string(push("package", func(b, _, _ doc) { b["installation"] = "71" })), "cannot unmarshal"},
		{"a sender of another shape", "package", string(push("package", func(b, _, _ doc) { b["sender"] = 1 })), "cannot unmarshal"},
		{"more than GitHub sends", "package", strings.Repeat(" ", webhook.MaxBody+1), "at most"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := webhook.Decode(tc.event, []byte(tc.body))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if diff := cmp.Diff(webhook.Event{}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBracketsInTextAreNoNesting(t *testing.T) {
	body := push("package", func(_, _, v doc) { v["body"] = `\"` + strings.Repeat(`[{"`, 100) + `\` })
	got, err := webhook.Decode("package", body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live("package"), got); diff != "" {
		t.Error(diff)
	}
}

func TestOtherEventsAreReadForTheLog(t *testing.T) {
	const installed = `{"action":"created","installation":{"id":71,"account":{"login":"acme"}},"sender":{"login":"mona"}}`
	tests := []struct {
		event, body string
		want        webhook.Event
	}{
		{"installation", installed, webhook.Event{Kind: webhook.KindInstallation, Action: "created", Owner: "acme", Sender: "mona", InstallationID: 71}},
		{"installation_repositories", installed, webhook.Event{Kind: webhook.KindInstallation, Action: "created", Owner: "acme", Sender: "mona", InstallationID: 71}},
		{"ping", `{"zen":"Keep it logically awesome.","hook_id":1,"sender":{"login":"mona"}}`, webhook.Event{Kind: webhook.KindPing, Sender: "mona"}},
		{"push", `{"action":5,"installation":"?"}`, webhook.Event{Kind: webhook.KindOther}},
		{"", `{}`, webhook.Event{Kind: webhook.KindOther}},
	}
	for _, tc := range tests {
		tc.want.Name = tc.event
		got, err := webhook.Decode(tc.event, []byte(tc.body))
		if err != nil {
			t.Errorf("%s: %v", tc.event, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.event, diff)
		}
	}
}

func TestDecodeGitHubsOwnExamples(t *testing.T) {
	payloads := sharedPayloads(t)
	if len(payloads) == 0 {
		t.Skip("GitHub's example payloads (../shared/data/webhooks) are not there")
	}
	container := webhook.Event{
		Name: "package", Kind: webhook.KindPackage, Action: "published", Owner: "Codertocat", Type: retention.Container,
		Package: "hello-world-npm", VersionID: 57755790, Sender: "Codertocat", UpdatedAt: time.Date(2019, 5, 9, 23, 28, 29, 0, time.UTC),
	}
	registry := container
	registry.Name, registry.VersionID, registry.Sender = "registry_package", 57755791, "github-actions[bot]"
	npm := container
	npm.Type, npm.VersionID, npm.Version = retention.NPM, 24147, "1.0.0"
	want := map[string]webhook.Event{
		"package.published.container-octokit-main.json": container, "package.published.npm.1.json": container,
		"registry_package.published.container-octokit-main.json": registry,
		"package.published.npm-octokit-main.json":                npm, "package.published.npm.0.json": npm, "package.published.npm.2.json": npm,
	}
	for file, body := range payloads {
		event, _, _ := strings.Cut(file, ".")
		got, err := webhook.Decode(event, body)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if w, ok := want[file]; ok {
			if w.Type == retention.Container {
				if !strings.HasPrefix(got.Version, "sha256:") {
					t.Errorf("%s: version %q is no digest", file, got.Version)
				}
				got.Version = ""
			}
			if diff := cmp.Diff(w, got); diff != "" {
				t.Errorf("%s: %s", file, diff)
			}
			delete(want, file)
		} else if got.Kind == webhook.KindPackage || got.Kind == webhook.KindOther {
			t.Errorf("%s: kind %v", file, got.Kind)
		}
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
}

func TestAChangeIsOneOverBothEventsAndNoOther(t *testing.T) {
	base := live("package").WorkItem("d1").Change
	same := map[string]webhook.Event{"the other event": live("registry_package")}
	upper := live("package")
	upper.Owner, upper.UpdatedAt = "ACME", upper.UpdatedAt.In(time.FixedZone("", 3600))
	same["another case and zone"] = upper
	for name, e := range same {
		if e.WorkItem("d2").Change != base {
			t.Errorf("%s: another change", name)
		}
	}
	for name, alter := range map[string]func(*webhook.Event){
		"owner": func(e *webhook.Event) { e.Owner = "mona" }, "type": func(e *webhook.Event) { e.Type = retention.Docker },
		"package": func(e *webhook.Event) { e.Package = "api" }, "version": func(e *webhook.Event) { e.VersionID++ },
		"digest": func(e *webhook.Event) { e.Version = "sha256:cd" }, "tag": func(e *webhook.Event) { e.Tag = "v2" },
		"action": func(e *webhook.Event) { e.Action = "updated" }, "time": func(e *webhook.Event) { e.UpdatedAt = e.UpdatedAt.Add(time.Second) },
	} {
		e := live("package")
		if alter(&e); e.WorkItem("d1").Change == base {
			t.Errorf("another %s has to be another change", name)
		}
	}
	timeless := live("package")
	timeless.UpdatedAt = time.Time{}
	first, other, again := timeless.WorkItem("d1"), timeless.WorkItem("d2"), timeless.WorkItem("d1")
	if first.Change == other.Change {
		t.Error("without a time two deliveries must not be taken for one change")
	}
	if first.Change != again.Change {
		t.Error("a redelivery has to be the same change")
	}
}
