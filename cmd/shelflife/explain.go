package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) explainCommand() *cobra.Command {
	var trace bool
	c := &cobra.Command{
		Use:   "explain OWNER/TYPE/NAME[@VERSION]",
		Short: "Say why each version would go or stay",
		Long: `Read one package and show every rule that spoke about it, what beat what, which
guard held, and, for a single version, the facts that the policies saw. Budgets
over the whole owner are not part of it; plan shows those.

Containers are drawn as a tree: an index with its children, and (◂) the
signatures and attestations that belong to a manifest. --format dot writes the
graph for Graphviz.

--trace adds, for a single version, the way that the evaluation took: each rule
that was tried and the expression where it stopped, with the values compared.`,
		Example: `  shelflife explain acme/container/team/api
  shelflife explain acme/container/team/api@latest
  shelflife explain acme/container/team/api --format dot | dot -Tsvg > api.svg
  shelflife explain acme/npm/widgets@1.0.0-rc.1 --format json
  shelflife explain acme/npm/widgets@1.0.0-rc.1 --trace`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), args[0], func(s *session, _ *access, t enforce.Target, ref reference) error {
				engine, err := s.policies(c.Context())
				if err != nil {
					return err
				}
				if trace && ref.version == "" {
					return usagef("--trace follows one version: name it, as in %s@latest", args[0])
				}
				x, err := s.enforcer().Explain(c.Context(), t, engine, ref.PackageRef)
				if err != nil {
					return err
				}
				var way *policy.Trace
				if trace {
					if way, err = s.trace(c.Context(), engine, ref, x); err != nil {
						return err
					}
				}
				return s.showExplanation(ref, x, way)
			})
		},
	}
	c.Flags().BoolVar(&trace, "trace", false, "show how the evaluation went for the version, rule by rule")
	return c
}

// pick finds the version that a person means: by name, tag, digest prefix or id.
func pick(inv retention.Inventory, ref reference) (retention.Version, error) {
	means := []func(retention.Version) bool{
		func(v retention.Version) bool { return v.Name == ref.version || slices.Contains(v.Tags, ref.version) },
		func(v retention.Version) bool { return slices.Contains(v.Referrers, ref.version) },
		func(v retention.Version) bool { return v.ID.String() == ref.version },
		func(v retention.Version) bool {
			return len(ref.version) >= len("sha256:")+6 && strings.HasPrefix(v.Name, ref.version)
		},
	}
	for _, m := range means {
		if i := slices.IndexFunc(inv.Versions, m); i >= 0 {
			return inv.Versions[i], nil
		}
	}
	return retention.Version{}, fmt.Errorf("%s has no version %q; look with shelflife versions list %[1]s", ref.PackageRef, ref.version)
}

// explained is what became of one version or of the package.
type explained struct {
	VersionID retention.ID         `json:"version_id"`
	Version   string               `json:"version"`
	Tags      []string             `json:"tags"`
	State     retention.State      `json:"state"`
	Verdict   string               `json:"verdict"` // stays, or the item's action and status
	Why       string               `json:"why"`
	Decisions []retention.Decision `json:"decisions"`
	Item      *retention.Item      `json:"item"`
	Facts     *policy.InputVersion `json:"facts,omitempty"`
}

func explainOne(x enforce.Explanation, id retention.ID) explained {
	e := explained{VersionID: id, Tags: []string{}, Verdict: "stays", Why: "no rule asks for anything", Decisions: []retention.Decision{}}
	if v, ok := x.Inventory.Version(id); ok {
		e.Version, e.Tags, e.State = v.Name, append(e.Tags, v.Tags...), v.State
		if !v.IsActive() {
			e.Verdict = "deleted"
		}
	}
	for _, d := range x.Judgement.Decisions {
		if d.Version == id {
			e.Decisions = append(e.Decisions, d)
		}
	}
	if len(e.Decisions) > 0 {
		e.Why = ruleText(e.Decisions[0].Policy, e.Decisions[0].Reason)
	}
	for i, it := range x.Items {
		if it.VersionID == id {
			e.Item = &x.Items[i]
			e.Verdict, e.Why = it.Action.String()+" "+string(it.Status), itemWhy(it, x.Inventory)
		}
	}
	return e
}

func ruleText(policy, reason string) string { return policy + ": " + reason }

// itemWhy is the shortest full answer: the guard, or who won, and who asked.
func itemWhy(it retention.Item, inv retention.Inventory) string {
	var parts []string
	for _, r := range it.Rules {
		t := ruleText(r.Policy, r.Reason)
		if r.CascadeOf != nil {
			root := r.CascadeOf.String()
			if v, ok := inv.Version(*r.CascadeOf); ok {
				root = shortName(v.Name)
			}
			t = "goes with " + root + ", " + t
		}
		parts = append(parts, t)
	}
	for _, r := range it.Overruled {
		word := "but "
		if it.Status == retention.StatusPlanned {
			word = "in spite of the observing "
		}
		parts = append(parts, word+ruleText(r.Policy, r.Reason))
	}
	if it.Guard != nil {
		parts = append(parts, string(it.Guard.Code)+": "+it.Guard.Detail)
	}
	return strings.Join(parts, "; ")
}

func explainPackage(ref retention.PackageRef, x enforce.Explanation) report.Grid {
	g := report.Grid{Title: ref.String(), Columns: []string{"VERSION", "TAGS", "VERDICT", "WHY"}, Empty: "No versions."}
	var doc []explained
	row := func(e explained, name string) {
		doc = append(doc, e)
		g.Rows = append(g.Rows, []string{name, strings.Join(e.Tags, " "), e.Verdict, e.Why})
	}
	if p := explainOne(x, 0); p.Item != nil || len(p.Decisions) > 0 {
		row(p, "the whole package")
	}
	for _, v := range x.Inventory.Versions {
		row(explainOne(x, v.ID), shortName(v.Name))
	}
	for _, p := range slices.Concat(x.Inventory.Problems, x.Judgement.Failures) {
		g.Notes = append(g.Notes, string(p.Kind)+": "+p.Detail)
	}
	g.Document = map[string]any{"schema": "shelflife.explain/v1", "package": ref, "complete": x.Inventory.Complete, "versions": doc, "problems": g.Notes}
	return g
}

func explainVersion(ref retention.PackageRef, x enforce.Explanation, v retention.Version) report.Grid {
	e := explainOne(x, v.ID)
	for i := range x.Input.Versions {
		if x.Input.Versions[i].ID == v.ID.String() {
			e.Facts = &x.Input.Versions[i]
		}
	}
	g := report.Grid{Title: ref.String() + "@" + shortName(v.Name), Columns: []string{"WHAT", "", "DETAIL"}}
	g.Rows = append(g.Rows, []string{"verdict", e.Verdict, e.Why})
	for _, d := range e.Decisions {
		g.Rows = append(g.Rows, []string{"rule", d.Action.String(), ruleText(d.Policy, d.Reason) + " (" + d.Mode.String() + ")"})
	}
	for _, d := range x.Judgement.Decisions {
		if d.Version == 0 {
			g.Rows = append(g.Rows, []string{"rule on the package", d.Action.String(), ruleText(d.Policy, d.Reason) + " (" + d.Mode.String() + ")"})
		}
	}
	if e.Item != nil && e.Item.Guard != nil {
		g.Rows = append(g.Rows, []string{"guard", string(e.Item.Guard.Code), e.Item.Guard.Detail})
	}
	for _, f := range facts(e.Facts) {
		g.Rows = append(g.Rows, []string{"fact", f[0], f[1]})
	}
	g.Document = map[string]any{"schema": "shelflife.explain/v1", "package": ref, "complete": x.Inventory.Complete, "versions": []explained{e}}
	return g
}

// facts lists the fields of the input document in its own words.
func facts(v *policy.InputVersion) [][2]string {
	b, err := json.Marshal(v)
	if err != nil || v == nil {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil
	}
	var out [][2]string
	for name, value := range fields {
		out = append(out, [2]string{name, string(value)})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return out
}

// shortName cuts digests to what people compare.
func shortName(name string) string {
	if len(name) == len("sha256:")+64 && strings.HasPrefix(name, "sha256:") {
		return name[:len("sha256:")+12]
	}
	return name
}
