package policy_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// folder writes a user's policies and returns where they are.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// withMetadata puts the least that a policy needs before its rules.
func withMetadata(name, custom, rules string) string {
	out := "# METADATA\n# title: " + name + "\n# description: For a test.\n# scope: package\n"
	if custom != "" {
		out += "# custom:\n" + custom
	}
	return out + "package retention." + name + "\n\n" + rules
}

// engine loads the given files as the only policies.
func engine(t testing.TB, o policy.Options, files map[string]string) *policy.Engine {
	t.Helper()
	o.Path = folder(t, files)
	e, err := policy.Load(context.Background(), policies.FS, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// npmPackage has n versions named 1.0.0, 1.1.0, …: id 1 is the oldest, each a day apart.
func npmPackage(n int) retention.Inventory {
	inv := retention.Inventory{
		Owner: retention.Owner{Login: "acme", Kind: retention.Organization, ID: 7},
		Package: retention.Package{
			ID: 9, Name: "left-pad", Type: retention.NPM, Visibility: "private", VersionCount: n, State: retention.Active,
			CreatedAt: evaluatedAt.AddDate(0, 0, -n), UpdatedAt: evaluatedAt.AddDate(0, 0, -1),
		},
		Complete: true,
	}
	for i := range n {
		at := evaluatedAt.AddDate(0, 0, i-n)
		inv.Versions = append(inv.Versions, retention.Version{
			ID: retention.ID(i + 1), Name: "1." + string(rune('0'+i%10)) + ".0", CreatedAt: at, UpdatedAt: at, State: retention.Active,
		})
	}
	retention.SortVersions(inv.Versions)
	return inv
}

func requestFor(inv retention.Inventory) policy.Request {
	return policy.Request{Inventory: inv, EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{Kind: retention.TriggerCLI}}
}

func decide(t testing.TB, e *policy.Engine, inv retention.Inventory) retention.Judgement {
	t.Helper()
	j, err := e.Decide(context.Background(), requestFor(inv))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// day is how the tests say ages.
const day = 24 * time.Hour
