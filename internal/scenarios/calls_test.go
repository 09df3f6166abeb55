package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// keepOnly are policies that never restore, so that no deleted version is listed.
var keepOnly = policySetup{Only: []string{"expire_untagged", "keep_tags"}}

func seedOf(pkgs ...githubsim.Package) githubsim.Seed {
	return githubsim.Seed{Owners: []githubsim.Owner{{Login: owner, Packages: pkgs}}}
}

// tally counts the calls since the last one by what they ask for.
type tally struct{ Packages, Challenges, Tokens, Manifests, Heads int }

func (w *world) tally() tally {
	var n tally
	for _, c := range w.sim.Server.Calls() {
		switch {
		case c.Kind == githubsim.KindToken:
			n.Tokens++
		case c.Kind == githubsim.KindRegistry && c.Path == "/v2/":
			n.Challenges++
		case c.Kind == githubsim.KindRegistry && c.Method == "HEAD":
			n.Heads++
		case c.Kind == githubsim.KindRegistry:
			n.Manifests++
		case strings.Contains(c.Path, "/packages"):
			n.Packages++
		}
	}
	w.sim.Server.ResetCalls()
	return n
}

// sweep plans everything; full reads every package again, whatever is known.
func (w *world) sweep(full bool) {
	w.t.Helper()
	plan, err := w.enforcer.Plan(w.t.Context(), enforce.PlanRequest{
		Targets: []enforce.Target{w.target}, Judge: w.engine, Bundle: w.bundle(), Full: full,
		Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(plan.Items()) > 0 || len(plan.Problems()) > 0 {
		w.t.Fatalf("items %v, problems %v: the sweep was to find nothing to do", plan.Items(), plan.Problems())
	}
}

// TestRESTCallsOfASweep holds the bounds on REST calls: a cold sweep lists each
// page once, a second one with nothing changed only the packages.
func TestRESTCallsOfASweep(t *testing.T) {
	engine := loadPolicies(t, keepOnly)
	for _, c := range []struct{ packages, versions, cold, again int }{
		{1, 1, 1 + 1, 1},
		{3, 100, 1 + 3, 1},
		{3, 101, 1 + 3*2, 1},
		{100, 1, 1 + 100, 1},
		{101, 1, 2 + 101, 2},
		{120, 130, 2 + 120*2, 2},
	} {
		t.Run(fmt.Sprintf("%d packages of %d versions", c.packages, c.versions), func(t *testing.T) {
			t.Parallel()
			var pkgs []githubsim.Package
			for i := range c.packages {
				p := githubsim.Package{Name: fmt.Sprintf("p%03d", i), Type: retention.NPM}
				for j := range c.versions {
					p.Versions = append(p.Versions, githubsim.Version{Name: fmt.Sprintf("1.0.%d", j), CreatedAt: githubsim.Ago(0)})
				}
				pkgs = append(pkgs, p)
			}
			w := newWorld(t, scenario{Seed: seedOf(pkgs...)}, engine)
			w.target.Types = []retention.PackageType{retention.NPM}
			w.sim.Server.ResetCalls()
			for _, run := range []struct {
				name string
				want tally
			}{{"cold", tally{Packages: c.cold}}, {"second", tally{Packages: c.again}}} {
				w.sweep(false)
				if diff := cmp.Diff(run.want, w.tally()); diff != "" {
					t.Errorf("%s sweep (-want +got):\n%s", run.name, diff)
				}
			}
		})
	}
}

// TestRegistryCallsOfASweep holds the bounds on registry calls: cold, one GET per
// manifest that no fetched index describes, one token per repository and one
// challenge for all; with the manifests known, none at all.
func TestRegistryCallsOfASweep(t *testing.T) {
	t.Parallel()
	rich := githubsim.Package{Name: "rich", Type: retention.Container}
	read := 0 // manifests that no index describes
	add := func(described bool, v githubsim.Version) {
		// Pushed within seconds, oldest first, as builders do: children before their index.
		v.CreatedAt = when(t, fmt.Sprintf("-%dm", 600-len(rich.Versions)))
		rich.Versions = append(rich.Versions, v)
		if !described {
			read++
		}
	}
	for i := range 20 {
		image := fmt.Sprintf("image%02d", i)
		add(true, githubsim.Version{Key: image + "-amd64", Platform: "linux/amd64"})
		add(true, githubsim.Version{Key: image + "-arm64", Platform: "linux/arm64"})
		add(true, githubsim.Version{Key: image + "-att", BuildkitAttestationOf: image + "-amd64"})
		add(false, githubsim.Version{Key: image, Index: []string{image + "-amd64", image + "-arm64", image + "-att"}, Tags: []string{image}})
		add(false, githubsim.Version{Key: image + "-sig", CosignSignatureOf: image})
	}
	add(false, githubsim.Version{Key: "single", Tags: []string{"single"}})
	add(false, githubsim.Version{Key: "sbom", Subject: "single", ArtifactType: "application/spdx+json"})
	add(false, githubsim.Version{Key: "inner", Index: []string{"image00-amd64", "image01-amd64"}}) // an index is no description
	add(false, githubsim.Version{Key: "outer", Index: []string{"inner"}, Tags: []string{"outer"}})
	small := githubsim.Package{Name: "small", Type: retention.Container, Versions: []githubsim.Version{
		{Key: "amd64", Platform: "linux/amd64", CreatedAt: githubsim.Ago(0)},
		{Key: "v1", Index: []string{"amd64"}, Tags: []string{"v1"}, CreatedAt: githubsim.Ago(0)},
	}}
	read++

	w := newWorld(t, scenario{Seed: seedOf(rich, small)}, loadPolicies(t, keepOnly))
	w.target.Types = []retention.PackageType{retention.Container}
	w.sim.Server.ResetCalls()
	for _, run := range []struct {
		name string
		full bool
		want tally
	}{
		{"cold", false, tally{Packages: 1 + 2 + 1, Challenges: 1, Tokens: 2, Manifests: read}}, // two pages of rich, one of small
		{"second", false, tally{Packages: 1}},
		{"second, everything read again", true, tally{Packages: 1 + 2 + 1}},
	} {
		w.sweep(run.full)
		if diff := cmp.Diff(run.want, w.tally()); diff != "" {
			t.Errorf("%s sweep (-want +got):\n%s", run.name, diff)
		}
	}
}

func when(t *testing.T, age string) githubsim.When {
	t.Helper()
	var w githubsim.When
	if err := w.UnmarshalText([]byte(age)); err != nil {
		t.Fatal(err)
	}
	return w
}
