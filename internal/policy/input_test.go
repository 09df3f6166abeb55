package policy_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// anyRequest draws a request with random versions and a random graph.
func anyRequest(t *rapid.T) policy.Request {
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			return time.Time{}
		}
		return evaluatedAt.Add(-time.Duration(rapid.Int64Range(-int64(day), int64(90*day)).Draw(t, "age")))
	})
	text := rapid.SampledFrom([]string{"", "text", "with \"quotes\"\n", "ünïcode"})
	tags := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"latest", "v1.2.3", "1.2.3", "2.0.0-rc.1", "pr-7", "1.2"}), 0, 3, rapid.ID[string])
	inv := retention.Inventory{
		Owner: retention.Owner{Login: "acme", Kind: rapid.SampledFrom([]retention.OwnerKind{retention.Organization, retention.User}).Draw(t, "kind"), ID: retention.ID(rapid.IntRange(0, 3).Draw(t, "owner"))},
		Package: retention.Package{
			ID: 1, Name: "team/api", Type: rapid.SampledFrom(retention.PackageTypes()).Draw(t, "type"), Visibility: "private",
			VersionCount: rapid.IntRange(0, 1<<40).Draw(t, "count"), CreatedAt: instant.Draw(t, "created"), UpdatedAt: instant.Draw(t, "updated"),
			State: rapid.SampledFrom([]retention.State{retention.Active, retention.Deleted}).Draw(t, "state"),
		},
		Complete: rapid.Bool().Draw(t, "complete"),
	}
	if rapid.Bool().Draw(t, "linked") {
		inv.Package.Repository = &retention.Repository{ID: 3, Name: "api", FullName: "acme/api", Private: rapid.Bool().Draw(t, "private")}
	}
	names := []string{"1.0.0", "1.0.0-rc.1", "v2.0.0", "nightly", "18446744073709551615.0.0"}
	digests := []string{"sha256:a", "sha256:b", "sha256:c", "sha256:d", "sha256:e"}
	var nodes []retention.Node
	for i := range rapid.IntRange(0, 5).Draw(t, "versions") {
		v := retention.Version{
			ID: retention.ID(i + 1), Name: names[i], CreatedAt: instant.Draw(t, "created"), UpdatedAt: instant.Draw(t, "updated"),
			State: rapid.SampledFrom([]retention.State{retention.Active, retention.Deleted}).Draw(t, "state"),
			Tags:  tags.Draw(t, "tags"), HTMLURL: text.Draw(t, "url"), License: text.Draw(t, "license"), Description: text.Draw(t, "description"),
		}
		if v.State == retention.Deleted {
			v.DeletedAt = instant.Draw(t, "deleted")
			if rapid.Bool().Draw(t, "by us") {
				v.DeletedBy = &retention.DeletedBy{Run: "run-1", Policy: "expire_untagged"}
			}
		}
		if inv.Package.Type == retention.Container {
			v.Name = digests[i]
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(digests), 0, 3, rapid.ID[string])
			if v.State == retention.Active && rapid.IntRange(0, 5).Draw(t, "read") > 0 {
				nodes = append(nodes, retention.Node{
					Digest: v.Name, Kind: rapid.SampledFrom([]retention.ManifestKind{retention.KindIndex, retention.KindImage, retention.KindSignature, retention.KindUnknown}).Draw(t, "kind"),
					MediaType: "application/x", ArtifactType: text.Draw(t, "artifact"), Platform: text.Draw(t, "platform"),
					SizeBytes: rapid.Int64Range(0, 1<<50).Draw(t, "size"), Children: some.Draw(t, "children"), Missing: some.Draw(t, "missing"),
					Subject: rapid.SampledFrom(append(digests, "")).Draw(t, "subject"),
				})
			}
		}
		inv.Versions = append(inv.Versions, v)
	}
	inv.Graph = retention.NewGraph(nodes)
	trigger := retention.Trigger{Kind: rapid.SampledFrom([]retention.TriggerKind{retention.TriggerSchedule, retention.TriggerWebhook, retention.TriggerCLI}).Draw(t, "trigger")}
	if trigger.Kind == retention.TriggerWebhook {
		trigger.Event, trigger.Action, trigger.Sender = "package", "published", text.Draw(t, "sender")
		trigger.VersionID = retention.ID(rapid.IntRange(0, 2).Draw(t, "version"))
	}
	return policy.Request{Inventory: inv, EvaluatedAt: evaluatedAt, Trigger: trigger}
}

func inputSchema(t testing.TB) *jsonschema.Resolved {
	t.Helper()
	text, err := policies.FS.ReadFile("schemas/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func TestInputFollowsTheSchema(t *testing.T) {
	schema := inputSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(policy.NewInput(anyRequest(t)))
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}

func TestTheSchemaIsClosed(t *testing.T) {
	schema := inputSchema(t)
	var document map[string]any
	text, err := json.Marshal(policy.NewInput(requestFor(npmPackage(1))))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	document["versions"].([]any)[0].(map[string]any)["surprise"] = true
	if err := schema.Validate(document); err == nil {
		t.Error("a version with a field of its own passes the schema")
	}
}

func TestValueEqualsTheJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := policy.NewInput(anyRequest(t))
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var document any
		if err := util.UnmarshalJSON(text, &document); err != nil {
			t.Fatal(err)
		}
		want, err := ast.InterfaceToValue(document)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Value(); got.Compare(want) != 0 || got.Hash() != want.Hash() {
			t.Fatal(cmp.Diff(want.String(), got.String()))
		}
	})
}

func TestInputDoesNotDependOnTheOrderOfVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req := anyRequest(t)
		want := policy.NewInput(req)
		seed := rapid.Uint64().Draw(t, "seed")
		req.Inventory.Versions = slices.Clone(req.Inventory.Versions)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(req.Inventory.Versions), func(i, j int) {
			v := req.Inventory.Versions
			v[i], v[j] = v[j], v[i]
		})
		if diff := cmp.Diff(want, policy.NewInput(req)); diff != "" {
			t.Fatalf("input of the shuffled versions (-want +got):\n%s", diff)
		}
	})
}

func TestInputJSONIsTheDocumentThatIsEvaluated(t *testing.T) {
	e := engine(t, policy.Options{}, map[string]string{
		"echo.rego": withMetadata("echo", "", "decisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"echo\", \"data\": input}\n"),
	})
	req := requestFor(containerPackage(10))
	j := decide(t, e, req.Inventory)
	if len(j.Decisions) != 1 {
		t.Fatalf("judgement %+v", j)
	}
	want, err := e.InputJSON(req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parsed(t, want), parsed(t, j.Decisions[0].Data)); diff != "" {
		t.Errorf("document (-InputJSON +evaluated):\n%s", diff)
	}
	asAny, err := json.Marshal(e.Input(req))
	if err != nil || string(asAny) != string(want) {
		t.Errorf("Input and InputJSON differ: %v", err)
	}
}

func parsed(t testing.TB, text []byte) (out any) {
	t.Helper()
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
