package preview

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// DiffSchema names the format of a Diff.
const DiffSchema = "shelflife.diff/v1"

// DiffRequest says what is compared over what.
type DiffRequest struct {
	A, B        Side
	Owners      []Owner
	EvaluatedAt time.Time // the same for both
	Match       func(name string) bool
	Workers     int // packages at a time; 0 means one for each core
	Progress    Progress

	pair *policy.Pair // asks what is the same on both sides once; nil where they are no engines
}

// judges returns the judges of both sides for one package.
func (r DiffRequest) judges() (a, b enforce.Judge) {
	if r.pair == nil {
		return r.A.Judge, r.B.Judge
	}
	return r.pair.Judges()
}

// Side is one of the two policy sets.
type Side struct {
	Policies
	Judge enforce.Judge
}

// Diff is what changes when A's policies are replaced by B's. Only what would
// really be done counts: after keeps, the reference closure, units and every
// other guard that concerns a package. The budgets of a run only spread deletes
// over time and are left out; OwnerDiff says where an alarm would hold the run.
type Diff struct {
	Schema      string        `json:"schema"`
	A           Policies      `json:"a"`
	B           Policies      `json:"b"`
	EvaluatedAt time.Time     `json:"evaluated_at"`
	Summary     DiffSummary   `json:"summary"`
	Owners      []OwnerDiff   `json:"owners"`
	Policies    []PolicyDiff  `json:"policies"` // by name, those that have a part in a change
	Packages    []PackageDiff `json:"packages"` // by name, those with a change
	Changes     []Change      `json:"changes"`  // by package, then oldest first
	Problems    []SideProblem `json:"problems"`
	Notes       []string      `json:"notes,omitempty"` // what was left out or stood in
}

// DiffSummary counts changes; a whole package counts as one.
type DiffSummary struct {
	Added    int `json:"added"`    // deletes that only B does
	Removed  int `json:"removed"`  // deletes that only A does
	Changed  int `json:"changed"`  // deletes of both, by other rules
	Held     int `json:"held"`     // deletes that B asks for and a guard holds for now
	Restores int `json:"restores"` // restores that one of them does
	Observed int `json:"observed"` // what an observing policy reports begins, ends or changes
}

// OwnerDiff sums up one owner.
type OwnerDiff struct {
	Login    string `json:"login"`
	Packages int    `json:"packages"`
	Versions int    `json:"versions"` // active ones
	DeletesA int    `json:"deletes_a"`
	DeletesB int    `json:"deletes_b"`
	Alarm    string `json:"alarm,omitempty"` // why a run with B would be held as a whole
}

// PolicyDiff is one policy's part in the changes. A version that several
// policies ask for counts with each of them.
type PolicyDiff struct {
	Policy  string `json:"policy"`
	Added   int    `json:"added"`   // asks for what B adds
	Removed int    `json:"removed"` // asked for what A alone deletes
	Keeps   int    `json:"keeps"`   // keeps in B what A deletes
	Frees   int    `json:"frees"`   // kept in A what B deletes
}

// PackageDiff counts the changes of one package.
type PackageDiff struct {
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	Versions    int                   `json:"versions"` // active ones
	DeletesA    int                   `json:"deletes_a"`
	DeletesB    int                   `json:"deletes_b"`
	Added       int                   `json:"added"` // held ones included
	Removed     int                   `json:"removed"`
	Changed     int                   `json:"changed"`
}

// Ref names the package.
func (p PackageDiff) Ref() retention.PackageRef {
	return retention.PackageRef{Owner: p.Owner, Type: p.PackageType, Name: p.Package}
}

// SideProblem is what kept a side from an answer on one package.
type SideProblem struct {
	Side string `json:"side"` // a, b or both
	retention.Problem
}

// AddsDeletes reports whether B deletes anything that A does not, at once or as
// soon as a guard holds it no longer.
func (d Diff) AddsDeletes() bool { return d.Summary.Added+d.Summary.Held > 0 }

// Compare judges every package with both policy sets, the same reading at the
// same instant.
func Compare(ctx context.Context, r DiffRequest) (Diff, error) {
	d := Diff{
		Schema: DiffSchema, A: r.A.Policies, B: r.B.Policies, EvaluatedAt: r.EvaluatedAt.UTC(),
		Owners: []OwnerDiff{}, Policies: []PolicyDiff{}, Packages: []PackageDiff{}, Changes: []Change{}, Problems: []SideProblem{},
	}
	if a, ok := r.A.Judge.(*policy.Engine); ok {
		if b, ok := r.B.Judge.(*policy.Engine); ok {
			r.pair = policy.NewPair(a, b)
		}
	}
	for _, o := range r.Owners {
		if err := r.owner(ctx, o, &d); err != nil {
			return Diff{}, fmt.Errorf("compare the policies over %s: %w", o.Owner.Login, err)
		}
	}
	slices.SortFunc(d.Changes, compareChanges)
	slices.SortFunc(d.Packages, func(a, b PackageDiff) int { return strings.Compare(a.Ref().String(), b.Ref().String()) })
	slices.SortFunc(d.Problems, func(a, b SideProblem) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Side, b.Side), strings.Compare(a.Detail, b.Detail))
	})
	d.sumUp()
	return d, nil
}

func (r DiffRequest) owner(ctx context.Context, o Owner, d *Diff) error {
	refs, err := o.refs(ctx, r.Match)
	if err != nil {
		return err
	}
	r.Progress.Start("comparing on "+o.Owner.Login, len(refs))
	defer r.Progress.Done()
	sum := OwnerDiff{Login: o.Owner.Login, Packages: len(refs)}
	var mu sync.Mutex
	err = each(ctx, r.Workers, refs, func(ctx context.Context, ref retention.PackageRef) error {
		one, err := r.compare(ctx, o, ref)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		r.Progress.Add(1)
		sum.Versions += one.pkg.Versions
		sum.DeletesA += one.pkg.DeletesA
		sum.DeletesB += one.pkg.DeletesB
		d.Problems = append(d.Problems, one.problems...)
		if len(one.changes) > 0 {
			d.Changes = append(d.Changes, one.changes...)
			d.Packages = append(d.Packages, one.pkg)
		}
		return nil
	})
	if sum.DeletesB > 0 && float64(sum.DeletesB)*100 > o.Limits.PercentOfOwner*float64(sum.Versions) {
		sum.Alarm = fmt.Sprintf("%d of %d versions are more than %g %% (limits.percent_of_owner): a run would be held until a person applies a saved plan",
			sum.DeletesB, sum.Versions, o.Limits.PercentOfOwner)
	}
	d.Owners = append(d.Owners, sum)
	return err
}

// compared is what came of one package.
type compared struct {
	pkg      PackageDiff
	changes  []Change
	problems []SideProblem
}

func (r DiffRequest) compare(ctx context.Context, o Owner, ref retention.PackageRef) (compared, error) {
	inv, err := o.read(ctx, ref)
	if err != nil {
		return compared{}, err
	}
	refused, err := o.refused(ctx, ref)
	if err != nil {
		return compared{}, err
	}
	judgeA, judgeB := r.judges()
	a, err := o.draft(ctx, judgeA, inv, refused, r.EvaluatedAt, "a")
	if err != nil {
		return compared{}, err
	}
	b, err := o.draft(ctx, judgeB, inv, refused, r.EvaluatedAt, "b")
	if err != nil {
		return compared{}, err
	}
	out := compared{
		pkg: PackageDiff{
			Owner: ref.Owner, PackageType: ref.Type, Package: ref.Name, Versions: a.Active(),
			DeletesA: deletes(a.Items()), DeletesB: deletes(b.Items()),
		},
		changes:  changesOf(a.Items(), b.Items()),
		problems: problemsOf(a.Problems(), b.Problems()),
	}
	for _, c := range out.changes {
		switch c.Kind {
		case Added, Held:
			out.pkg.Added++
		case Removed:
			out.pkg.Removed++
		case Changed:
			out.pkg.Changed++
		}
	}
	return out, nil
}

// deletes counts the versions that items would delete.
func deletes(items []retention.Item) int {
	n := 0
	for _, it := range items {
		if it.Action == retention.Delete && it.Status == retention.StatusPlanned {
			n += it.Cost
		}
	}
	return n
}

// problemsOf merges the problems of both sides: what both have is said once.
func problemsOf(a, b []retention.Problem) []SideProblem {
	var out []SideProblem
	for _, p := range a {
		side := "a"
		if slices.Contains(b, p) {
			side = "both"
		}
		out = append(out, SideProblem{side, p})
	}
	for _, p := range b {
		if !slices.Contains(a, p) {
			out = append(out, SideProblem{"b", p})
		}
	}
	return out
}

// sumUp counts the changes as a whole and by policy.
func (d *Diff) sumUp() {
	by := map[string]*PolicyDiff{}
	count := func(rules []retention.Rule, what func(*PolicyDiff) *int) {
		seen := map[string]bool{}
		for _, r := range rules {
			if seen[r.Policy] {
				continue
			}
			seen[r.Policy] = true
			if by[r.Policy] == nil {
				by[r.Policy] = &PolicyDiff{Policy: r.Policy}
			}
			*what(by[r.Policy])++
		}
	}
	for _, c := range d.Changes {
		switch c.Kind {
		case Added:
			d.Summary.Added++
			count(c.B.Rules, func(p *PolicyDiff) *int { return &p.Added })
			count(c.A.keeps(), func(p *PolicyDiff) *int { return &p.Frees })
		case Removed:
			d.Summary.Removed++
			count(c.A.Rules, func(p *PolicyDiff) *int { return &p.Removed })
			count(c.B.keeps(), func(p *PolicyDiff) *int { return &p.Keeps })
		case Changed:
			d.Summary.Changed++
			count(c.B.Rules, func(p *PolicyDiff) *int { return &p.Added })
			count(c.A.Rules, func(p *PolicyDiff) *int { return &p.Removed })
		case Held:
			d.Summary.Held++
			count(c.B.Rules, func(p *PolicyDiff) *int { return &p.Added })
		case RestoreAdded, RestoreRemoved:
			d.Summary.Restores++
		case Observed:
			d.Summary.Observed++
		}
	}
	for _, p := range by {
		d.Policies = append(d.Policies, *p)
	}
	slices.SortFunc(d.Policies, func(a, b PolicyDiff) int { return strings.Compare(a.Policy, b.Policy) })
}
