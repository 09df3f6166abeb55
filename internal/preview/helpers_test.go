package preview

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

var start = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// store is a store of snapshots in memory.
type store []retention.Inventory

func (s store) Known(_ context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return func(yield func(retention.KnownPackage, error) bool) {
		for _, inv := range s {
			if retention.SameLogin(inv.Owner.Login, owner) && !yield(inv.Known(), nil) {
				return
			}
		}
	}
}

func (s store) Snapshot(_ context.Context, ref retention.PackageRef) (retention.Inventory, bool, error) {
	for _, inv := range s {
		if inv.Ref() == ref {
			return inv, true, nil
		}
	}
	return retention.Inventory{}, false, nil
}

// load makes an engine of the shipped policies, or of rules of a test's own.
func load(t *testing.T, rules map[string]string, params policy.Values) *policy.Engine {
	t.Helper()
	o := policy.Options{Builtin: len(rules) == 0, Params: policy.Params{All: params}, TimeLimit: time.Minute}
	if len(rules) > 0 {
		o.Path = t.TempDir()
	}
	for name, text := range rules {
		text = "# METADATA\n# title: " + name + "\n# description: For a test.\n# scope: package\n# custom: {mode: enforce, severity: low}\npackage retention." + name + "\n\n" + text
		if err := os.WriteFile(filepath.Join(o.Path, name+".rego"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := policy.Load(t.Context(), policies.FS, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// npm is a package with versions of these ages in days, named v0, v1, ….
func npm(name string, ages ...float64) retention.Inventory {
	inv := retention.Inventory{
		Owner:    retention.Owner{Login: "acme", Kind: retention.Organization},
		Package:  retention.Package{ID: 1, Name: name, Type: retention.NPM, State: retention.Active, CreatedAt: start.AddDate(-2, 0, 0), UpdatedAt: start},
		Complete: true, DeletedListed: true, ReadAt: start,
	}
	for i, age := range ages {
		at := start.Add(-time.Duration(age * float64(24*time.Hour)))
		inv.Versions = append(inv.Versions, retention.Version{ID: retention.ID(i + 1), Name: fmt.Sprintf("v%d", i), State: retention.Active, CreatedAt: at, UpdatedAt: at})
	}
	retention.SortVersions(inv.Versions)
	return inv
}

// images is a container package of images, indexes with children, and signatures,
// of random ages, some of them deleted.
func images(r *rand.Rand, name string) retention.Inventory {
	inv := npm(name)
	inv.Package.Type = retention.Container
	var nodes []retention.Node
	id := retention.ID(100)
	add := func(n retention.Node, age time.Duration, tags ...string) string {
		id++
		n.Digest = fmt.Sprintf("sha256:%s%058x", strings.Repeat("a", 6), uint64(id))
		n.MediaType = "application/vnd.oci.image.manifest.v1+json"
		v := retention.Version{ID: id, Name: n.Digest, State: retention.Active, Tags: tags, CreatedAt: start.Add(-age), UpdatedAt: start.Add(-age)}
		if r.IntN(12) == 0 {
			v.State, v.DeletedAt = retention.Deleted, start.Add(-time.Duration(r.IntN(28*24))*time.Hour)
		} else {
			nodes = append(nodes, n)
		}
		inv.Versions = append(inv.Versions, v)
		return n.Digest
	}
	for i := range 12 {
		age := time.Duration(r.IntN(70*24)) * time.Hour
		if r.IntN(3) == 0 {
			add(retention.Node{Kind: retention.KindImage, Platform: "linux/amd64"}, age)
			continue
		}
		children := []string{add(retention.Node{Kind: retention.KindImage}, age), add(retention.Node{Kind: retention.KindImage}, age)}
		var tags []string
		if r.IntN(3) > 0 {
			tags = []string{[]string{fmt.Sprintf("v1.%d.0", i), fmt.Sprintf("pr-%d", i), fmt.Sprintf("1.%d.0-rc.1", i)}[r.IntN(3)]}
		}
		index := add(retention.Node{Kind: retention.KindIndex, Children: children}, age, tags...)
		if r.IntN(3) == 0 {
			add(retention.Node{Kind: retention.KindSignature, Subject: index}, age)
		}
	}
	retention.SortVersions(inv.Versions)
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

// unlimited lets everything go.
func unlimited() retention.Limits {
	return retention.Limits{DeletesPerRun: 1e6, DeletesPerDay: 1e6, PercentOfPackage: 100, PercentOfOwner: 100, MinAge: 24 * time.Hour}
}

func acme(kept store, limits retention.Limits) Owner {
	return Owner{Owner: retention.Owner{Login: "acme", Kind: retention.Organization}, Mode: retention.Enforce, Limits: limits, Kept: kept}
}

// goneOf lists what goes and when, in a line each.
func goneOf(items []Due) []string {
	out := []string{}
	for _, d := range items {
		line := fmt.Sprintf("%s %s %s %s", d.At.Format("01-02"), d.Action, d.Package, d.Version)
		if d.HeldBy != "" {
			line += fmt.Sprintf(" held since %s by %s", d.Since.Format("01-02"), d.HeldBy)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}
