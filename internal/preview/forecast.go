package preview

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// ForecastSchema names the format of a Forecast.
const ForecastSchema = "shelflife.forecast/v1"

// MaxRuns bounds how many runs of one owner a forecast looks at.
const MaxRuns = 10_000

// ForecastRequest says from when to when, and with what, it is looked ahead.
type ForecastRequest struct {
	Policies Policies
	Engine   *policy.Engine
	Owners   []Owner
	From     time.Time
	Days     int
	Match    func(name string) bool
	Workers  int // packages at a time; 0 means one for each core
	// EveryRun judges every package anew at every run, instead of those whose
	// answers may have changed. The result is the same; it takes longer.
	EveryRun bool
	Progress Progress
}

// Forecast is what goes when, if nothing else changes: nothing is pushed, pulled
// or deleted by others, GitHub refuses what it refused before, and nobody applies
// what an alarm holds. Every owner is taken as enforcing; a policy that observes
// stays one.
type Forecast struct {
	Schema   string              `json:"schema"`
	Policies Policies            `json:"policies"`
	From     time.Time           `json:"from"`
	Until    time.Time           `json:"until"`
	Days     int                 `json:"days"`
	Summary  ForecastSummary     `json:"summary"`
	Owners   []OwnerForecast     `json:"owners"`
	Series   []Day               `json:"series"`   // one for each day (UTC), the quiet ones included
	Items    []Due               `json:"items"`    // what goes or comes back, in that order
	Problems []retention.Problem `json:"problems"` // packages of which nothing can be deleted, and why
	Notes    []string            `json:"notes,omitempty"`
}

// ForecastSummary counts versions over the whole time.
type ForecastSummary struct {
	Deleted   int `json:"deleted"`
	Restored  int `json:"restored"`
	Held      int `json:"held"`      // after the last run, still held by a budget, an alarm or another guard
	Packages  int `json:"packages"`  // that lose something
	Remaining int `json:"remaining"` // active versions after the last run
}

// OwnerForecast sums up one owner.
type OwnerForecast struct {
	Login    string           `json:"login"`
	Mode     retention.Mode   `json:"mode"` // as configured
	Limits   retention.Limits `json:"limits"`
	Packages int              `json:"packages"`
	Versions int              `json:"versions"` // active ones, before the first run
	Runs     []ForecastRun    `json:"runs"`
}

// ForecastRun is one run: what it does and what is held.
type ForecastRun struct {
	At        time.Time                   `json:"at"`
	Deleted   int                         `json:"deleted"`
	Restored  int                         `json:"restored"`
	Held      int                         `json:"held"`
	HeldBy    map[retention.GuardCode]int `json:"held_by,omitempty"`
	Remaining int                         `json:"remaining"` // active versions after it
	ByPolicy  map[string]int              `json:"by_policy,omitempty"`

	back int // restored versions
}

// Day sums up the runs of a day over all owners, for a chart.
type Day struct {
	Date      string         `json:"date"` // 2026-11-22, UTC
	Runs      int            `json:"runs"`
	Deleted   int            `json:"deleted"`
	Restored  int            `json:"restored"`
	Held      int            `json:"held"`      // after the day's last runs
	Remaining int            `json:"remaining"` // likewise
	ByPolicy  map[string]int `json:"by_policy"` // deleted versions by the first policy that asks
}

// Due is one version or package that goes or comes back.
type Due struct {
	At          time.Time             `json:"at"`    // the run that does it
	Since       time.Time             `json:"since"` // the first run that would have, had nothing held it
	Owner       string                `json:"owner"`
	PackageType retention.PackageType `json:"package_type"`
	Package     string                `json:"package"`
	Target      retention.Target      `json:"target"`
	VersionID   retention.ID          `json:"version_id"`
	Version     string                `json:"version"`
	Tags        []string              `json:"tags"`
	CreatedAt   time.Time             `json:"created_at"`
	Action      retention.Action      `json:"action"`
	Cost        int                   `json:"cost"`
	Rules       []retention.Rule      `json:"rules"`
	HeldBy      retention.GuardCode   `json:"held_by,omitempty"` // what held it before
}

// Ref names the package.
func (d Due) Ref() retention.PackageRef {
	return retention.PackageRef{Owner: d.Owner, Type: d.PackageType, Name: d.Package}
}

// Look forecasts the owners' runs.
func Look(ctx context.Context, r ForecastRequest) (Forecast, error) {
	f := Forecast{
		Schema: ForecastSchema, Policies: r.Policies, From: r.From.UTC(), Until: r.From.UTC().AddDate(0, 0, r.Days), Days: r.Days,
		Owners: []OwnerForecast{}, Series: []Day{}, Items: []Due{}, Problems: []retention.Problem{},
	}
	for _, o := range r.Owners {
		w, err := r.look(ctx, o)
		if err != nil {
			return Forecast{}, fmt.Errorf("forecast %s: %w", o.Owner.Login, err)
		}
		f.Owners = append(f.Owners, w.sum)
		f.Items = append(f.Items, w.items...)
		f.Problems = append(f.Problems, w.problems...)
	}
	slices.SortFunc(f.Items, func(a, b Due) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Ref().String(), b.Ref().String()), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.VersionID, b.VersionID))
	})
	slices.SortFunc(f.Problems, func(a, b retention.Problem) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Detail, b.Detail))
	})
	f.sumUp()
	return f, nil
}

func (r ForecastRequest) look(ctx context.Context, o Owner) (*world, error) {
	runs, err := runsOf(o, r.From, r.From.AddDate(0, 0, r.Days))
	if err != nil {
		return nil, err
	}
	refs, err := o.refs(ctx, r.Match)
	if err != nil {
		return nil, err
	}
	w := r.newWorld(o, present{o}, runs, refs)
	return w, w.run(ctx)
}

// runsOf are the instants at which an owner is swept: by its schedule, or daily
// from the beginning on.
func runsOf(o Owner, from, until time.Time) ([]time.Time, error) {
	next := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	at := from
	if o.Next != nil && !o.Next(from).IsZero() {
		next, at = o.Next, o.Next(from.Add(-time.Nanosecond))
	}
	var out []time.Time
	for ; !at.IsZero() && at.Before(until); at = next(at) {
		if out = append(out, at); len(out) > MaxRuns {
			return nil, fmt.Errorf("its schedule has more than %d runs in that time; look at fewer days", MaxRuns)
		}
	}
	return out, nil
}

// sumUp fills the summary and the days.
func (f *Forecast) sumUp() {
	packages := map[retention.PackageRef]bool{}
	for _, d := range f.Items {
		if d.Action == retention.Delete {
			packages[d.Ref()] = true
		}
	}
	f.Summary.Packages = len(packages)
	at := map[string]int{}
	for i := range max(1, f.Days) {
		date := f.From.AddDate(0, 0, i).Format(time.DateOnly)
		at[date] = len(f.Series)
		f.Series = append(f.Series, Day{Date: date, ByPolicy: map[string]int{}})
	}
	if last := f.Until.Add(-time.Nanosecond).Format(time.DateOnly); f.Days > 0 && last != f.Series[len(f.Series)-1].Date {
		at[last] = len(f.Series)
		f.Series = append(f.Series, Day{Date: last, ByPolicy: map[string]int{}})
	}
	for _, o := range f.Owners {
		held, remaining := 0, o.Versions
		runs := o.Runs
		for i := range f.Series {
			day := &f.Series[i]
			for len(runs) > 0 && at[runs[0].At.UTC().Format(time.DateOnly)] == i {
				day.Runs++
				day.Deleted += runs[0].Deleted
				day.Restored += runs[0].Restored
				for p, n := range runs[0].ByPolicy {
					day.ByPolicy[p] += n
				}
				held, remaining = runs[0].Held, runs[0].Remaining
				runs = runs[1:]
			}
			day.Held += held
			day.Remaining += remaining
		}
		for _, run := range o.Runs {
			f.Summary.Deleted += run.Deleted
			f.Summary.Restored += run.Restored
		}
		f.Summary.Held += held
		f.Summary.Remaining += remaining
	}
}

var _ enforce.Judge = (*policy.Watch)(nil)
