package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// coverageFlags say which packages are looked at and how.
type coverageFlags struct {
	policyFlags
	inventory string
	packages  string
	asOf      string
	versions  bool
}

func (a *app) policyCoverageCommand() *cobra.Command {
	var f coverageFlags
	c := &cobra.Command{
		Use:   "coverage [OWNER…]",
		Short: "Say which versions no policy has anything to say about",
		Long: `Ask the policies about every package of the kept snapshots, or of an export, and
count the active versions that no decision names: nothing will ever happen to
them, and nobody said that they are to stay. What goes with a root (platform
images, signatures) is counted apart. A decision about the whole package names
all of its versions. Policies that never spoke are listed below.`,
		Example: `  shelflife inventory pull acme && shelflife policy coverage acme
  shelflife policy coverage --inventory inventory.ndjson --path ./policies --versions`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return a.policyCoverage(c.Context(), f, args)
		},
	}
	f.flag(c)
	c.Flags().StringVar(&f.inventory, "inventory", "", "an NDJSON export instead of the kept snapshots (- for stdin)")
	c.Flags().StringVar(&f.packages, "packages", "", "only packages whose full name matches this glob")
	c.Flags().StringVar(&f.asOf, "as-of", "", "measure ages from this time (default now)")
	c.Flags().BoolVar(&f.versions, "versions", false, "one row for each version that nobody names")
	return c
}

func (a *app) policyCoverage(ctx context.Context, f coverageFlags, owners []string) error {
	at, err := parseTime(f.asOf)
	if err != nil {
		return usage(err)
	}
	if at.IsZero() {
		at = time.Now()
	}
	match, err := matchGlob(f.packages)
	if err != nil {
		return err
	}
	opts, cfg, err := a.policyOptions(ctx, f.policyFlags)
	if err != nil {
		return err
	}
	engine, err := loadPolicies(ctx, cfg, opts)
	if err != nil {
		return err
	}
	packages, end, err := a.packagesOf(ctx, f.inventory, owners)
	if err != nil {
		return err
	}
	defer end()
	sum := newSpoken(engine.Policies())
	for inv, err := range packages {
		if err != nil {
			return err
		}
		if match != nil && !match(inv.Package.Name) || len(owners) > 0 && !slices.ContainsFunc(owners, func(o string) bool { return retention.SameLogin(o, inv.Owner.Login) }) {
			continue
		}
		j, err := engine.Decide(ctx, policy.Request{Inventory: inv, EvaluatedAt: at, Trigger: retention.Trigger{Kind: retention.TriggerSchedule}})
		if err != nil {
			return err
		}
		sum.add(inv, j)
	}
	if err := a.show(sum.grid(f.versions)); err != nil {
		return err
	}
	if len(sum.Failures) > 0 {
		return silent(exitPartly)
	}
	return nil
}

// packagesOf reads an export, or the kept snapshots of the owners.
func (a *app) packagesOf(ctx context.Context, file string, owners []string) (iter.Seq2[retention.Inventory, error], func(), error) {
	if file == "-" {
		return readExport(a.in, "stdin"), func() {}, nil
	}
	if file != "" {
		f, err := a.openFile("export", file)
		if err != nil {
			return nil, nil, err
		}
		return readExport(f, file), func() { _ = f.Close() }, nil
	}
	s, err := a.open(owners...)
	if err != nil {
		return nil, nil, err
	}
	list, err := s.owners(owners)
	for _, o := range list {
		if err == nil {
			err = s.hasSnapshot(ctx, o.Login)
		}
	}
	if err != nil {
		_ = s.close()
		return nil, nil, err
	}
	return func(yield func(retention.Inventory, error) bool) {
		for _, o := range list {
			for inv, err := range s.db.Snapshots(ctx, o.Login) {
				if !yield(inv, err) || err != nil {
					return
				}
			}
		}
	}, func() { _ = s.close() }, nil
}

// readExport reads what inventory export wrote, one package a line.
func readExport(r io.Reader, name string) iter.Seq2[retention.Inventory, error] {
	return func(yield func(retention.Inventory, error) bool) {
		each := bounded.NewReader(r, preview.MaxLine)
		d := json.NewDecoder(each)
		for n := 1; ; n++ {
			each.Again()
			var inv retention.Inventory
			err := d.Decode(&inv)
			if err == io.EOF {
				return
			}
			if err == nil && (inv.Owner.Login == "" || inv.Package.Name == "" || !inv.Package.Type.Valid()) {
				err = fmt.Errorf("it is no package; write one with: shelflife inventory export")
			}
			if err != nil {
				yield(inv, usagef("read %s, package %d: %w", name, n, err))
				return
			}
			if !yield(inv, nil) {
				return
			}
		}
	}
}

// spoken counts who said what about which packages.
type spoken struct {
	Schema   string              `json:"schema"`
	Packages []spokenPackage     `json:"packages"`
	Policies []spokenPolicy      `json:"policies"`
	Failures []retention.Problem `json:"failures"`
}

type spokenPackage struct {
	Owner   string                `json:"owner"`
	Type    retention.PackageType `json:"package_type"`
	Package string                `json:"package"`
	// Versions are the active ones; each is named, goes along with a root, or is
	// unnamed.
	Versions int              `json:"versions"`
	Named    int              `json:"named"`
	Along    int              `json:"along"`
	Unnamed  []unnamedVersion `json:"unnamed"`
	Silent   []string         `json:"silent"` // policies that said nothing here
}

type unnamedVersion struct {
	ID   retention.ID `json:"id"`
	Name string       `json:"name"`
	Tags []string     `json:"tags"`
}

type spokenPolicy struct {
	Policy    string `json:"policy"`
	Packages  int    `json:"packages"`
	Decisions int    `json:"decisions"`
}

func newSpoken(list []policy.Policy) *spoken {
	s := &spoken{Schema: "shelflife.policy-coverage/v1", Packages: []spokenPackage{}, Failures: []retention.Problem{}}
	for _, p := range list {
		s.Policies = append(s.Policies, spokenPolicy{Policy: p.Name})
	}
	return s
}

func (s *spoken) add(inv retention.Inventory, j retention.Judgement) {
	p := spokenPackage{
		Owner: inv.Owner.Login, Type: inv.Package.Type, Package: inv.Package.Name, Versions: inv.Active(),
		Unnamed: []unnamedVersion{}, Silent: []string{},
	}
	named := map[retention.ID]bool{}
	by := map[string]int{}
	for _, d := range j.Decisions {
		named[d.Version] = true // 0 stands for the package
		by[d.Policy]++
	}
	for _, v := range inv.Versions {
		switch {
		case !v.IsActive():
		case named[v.ID] || named[0]:
			p.Named++
		case !inv.IsRoot(v):
			p.Along++
		default:
			p.Unnamed = append(p.Unnamed, unnamedVersion{ID: v.ID, Name: v.Name, Tags: append([]string{}, v.Tags...)})
		}
	}
	for i := range s.Policies {
		q := &s.Policies[i]
		q.Decisions += by[q.Policy]
		if by[q.Policy] > 0 {
			q.Packages++
		} else {
			p.Silent = append(p.Silent, q.Policy)
		}
	}
	s.Packages = append(s.Packages, p)
	s.Failures = append(s.Failures, j.Failures...)
}

func (s *spoken) grid(versions bool) report.Grid {
	g := report.Grid{
		Columns: []string{"PACKAGE", "VERSIONS", "NAMED", "ALONG", "UNNAMED", "SAID NOTHING"}, Document: s,
		Empty: "No packages.",
	}
	if versions {
		g.Columns, g.Empty = []string{"PACKAGE", "VERSION", "TAGS"}, "Every version is named by some policy."
	}
	all, unnamed := 0, 0
	for _, p := range s.Packages {
		ref := retention.PackageRef{Owner: p.Owner, Type: p.Type, Name: p.Package}.String()
		all += p.Versions
		unnamed += len(p.Unnamed)
		if !versions {
			g.Rows = append(g.Rows, []string{ref, fmt.Sprint(p.Versions), fmt.Sprint(p.Named), fmt.Sprint(p.Along), fmt.Sprint(len(p.Unnamed)), strings.Join(p.Silent, " ")})
		}
		for _, v := range p.Unnamed {
			if versions {
				g.Rows = append(g.Rows, []string{ref, shortName(v.Name), strings.Join(v.Tags, " ")})
			}
		}
	}
	var never []string
	for _, p := range s.Policies {
		if p.Decisions == 0 {
			never = append(never, p.Policy)
		}
	}
	if len(never) > 0 && len(s.Packages) > 0 {
		g.Notes = append(g.Notes, "never spoke: "+strings.Join(never, ", "))
	}
	for _, p := range s.Failures {
		g.Notes = append(g.Notes, p.Package+": "+p.Detail)
	}
	g.Summary = fmt.Sprintf("%s in %s, %d that no policy names", plural(all, "version"), plural(len(s.Packages), "package"), unnamed)
	return g
}
