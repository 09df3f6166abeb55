package preview

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// BacktestSchema names the format of a Backtest.
const BacktestSchema = "shelflife.backtest/v1"

// ErrNoPast means that no reading is kept of the time that was asked for.
var ErrNoPast = errors.New("no reading of that time is kept; readings are kept from the first run of this version on, each time a package has changed")

// Past gives out what was read of packages in the past. The embedded store is one.
type Past interface {
	Past(ctx context.Context, owner string) iter.Seq2[retention.PackageRef, error]
	// Readings are those of a package, oldest first.
	Readings(ctx context.Context, ref retention.PackageRef) ([]retention.Reading, error)
	ReadingOf(ctx context.Context, ref retention.PackageRef, r retention.Reading) (retention.Inventory, error)
}

// BacktestRequest says what is played over which time.
type BacktestRequest struct {
	Policies Policies
	Engine   *policy.Engine
	Owners   []Owner
	Past     Past
	From, To time.Time // both included
	Match    func(name string) bool
	Workers  int
	Progress Progress
	// Deployed says which versions of a package are deployed; nil: nothing is known.
	Deployed func(ctx context.Context, inv retention.Inventory) (map[retention.ID]string, error)
	// Restored says which versions this system restored after an instant, and when.
	Restored func(ctx context.Context, ref retention.PackageRef, since time.Time) (map[retention.ID]time.Time, error)
}

// Backtest is what the policies would have deleted over a time in the past, run by
// run, on the packages as they were read then, and which of that somebody had use
// for later. What a run would have deleted is gone for the runs after it.
type Backtest struct {
	Schema   string              `json:"schema"`
	Policies Policies            `json:"policies"`
	From     time.Time           `json:"from"`
	To       time.Time           `json:"to"`
	Oldest   time.Time           `json:"oldest_reading"` // before it, nothing is known
	Summary  BacktestSummary     `json:"summary"`
	Owners   []OwnerForecast     `json:"owners"`
	Series   []Day               `json:"series"`
	Items    []Looked            `json:"items"` // what would have gone, in that order
	Problems []retention.Problem `json:"problems"`
	Notes    []string            `json:"notes,omitempty"`
}

// BacktestSummary counts versions, and packages that would have gone as a whole.
type BacktestSummary struct {
	Deleted  int `json:"deleted"`
	Packages int `json:"packages"`
	Held     int `json:"held"` // after the last run
	Missed   int `json:"missed"`
	Restored int `json:"restored"`
	Retagged int `json:"retagged"`
	Deployed int `json:"deployed"`
}

// Looked is one version or package that would have gone, and who had use for it
// later. Uses is empty for most.
type Looked struct {
	Due
	Uses []Use `json:"uses"`
}

// Use is a sign that a version was needed after it would have been deleted.
type Use struct {
	Kind   string    `json:"kind"` // restored, retagged or deployed
	At     time.Time `json:"at"`   // when that was first read
	Detail string    `json:"detail"`
}

// The kinds of use.
const (
	UseRestored = "restored" // it was deleted in truth, and brought back
	UseRetagged = "retagged" // it was given another tag
	UseDeployed = "deployed" // the document of what is deployed names it
)

// LookBack plays the policies over the past.
func LookBack(ctx context.Context, r BacktestRequest) (Backtest, error) {
	b := Backtest{
		Schema: BacktestSchema, Policies: r.Policies, From: r.From.UTC(), To: r.To.UTC(),
		Owners: []OwnerForecast{}, Series: []Day{}, Items: []Looked{}, Problems: []retention.Problem{},
	}
	days := int(r.To.Sub(r.From).Hours()/24) + 1
	f := Forecast{From: b.From, Until: b.To.Add(time.Nanosecond), Days: days}
	for _, o := range r.Owners {
		src := &past{Past: r.Past, readings: map[retention.PackageRef][]retention.Reading{}}
		w, err := r.play(ctx, o, src)
		if err == nil {
			var items []Looked
			items, err = r.uses(ctx, w, src)
			b.Items = append(b.Items, items...)
		}
		if err != nil {
			return Backtest{}, fmt.Errorf("look back on %s: %w", o.Owner.Login, err)
		}
		if b.Oldest.IsZero() || src.oldest.Before(b.Oldest) {
			b.Oldest = src.oldest.UTC()
		}
		f.Owners = append(f.Owners, w.sum)
		f.Items = append(f.Items, w.items...)
		b.Problems = append(b.Problems, w.problems...)
	}
	f.sumUp()
	b.Owners, b.Series = f.Owners, f.Series
	b.Summary = BacktestSummary{Deleted: f.Summary.Deleted, Packages: f.Summary.Packages, Held: f.Summary.Held}
	b.sumUp()
	return b, nil
}

func (r BacktestRequest) play(ctx context.Context, o Owner, src *past) (*world, error) {
	runs, err := runsOf(o, r.From, r.To.Add(time.Nanosecond))
	if err != nil {
		return nil, err
	}
	var refs []retention.PackageRef
	for ref, err := range r.Past.Past(ctx, o.Owner.Login) {
		if err != nil {
			return nil, err
		}
		if !o.covers(ref) || r.Match != nil && !r.Match(ref.Name) {
			continue
		}
		known, err := src.learn(ctx, ref, r.To)
		if err != nil {
			return nil, err
		}
		if known {
			refs = append(refs, ref)
		}
	}
	if len(refs) == 0 || len(runs) == 0 {
		return nil, ErrNoPast
	}
	o.SpentToday = 0
	w := ForecastRequest{
		Policies: r.Policies, Engine: r.Engine, From: r.From, Match: r.Match, Workers: r.Workers, Progress: r.Progress,
	}.newWorld(o, src, runs, refs)
	return w, w.run(ctx)
}

// past is a source that knows packages as they were read.
type past struct {
	Past
	readings map[retention.PackageRef][]retention.Reading // not written while it is asked
	oldest   time.Time
}

// learn looks up the readings of a package; known is false when there is none
// until then.
func (p *past) learn(ctx context.Context, ref retention.PackageRef, to time.Time) (known bool, err error) {
	list, err := p.Readings(ctx, ref)
	if err != nil || len(list) == 0 || list[0].Since.After(to) {
		return false, err
	}
	p.readings[ref] = list
	if p.oldest.IsZero() || list[0].Since.Before(p.oldest) {
		p.oldest = list[0].Since
	}
	return true, nil
}

// at implements source.
func (p *past) at(ctx context.Context, ref retention.PackageRef, t time.Time) (inv retention.Inventory, until time.Time, known bool, err error) {
	list := p.readings[ref]
	i, _ := slices.BinarySearchFunc(list, t, func(r retention.Reading, t time.Time) int {
		return cmp.Or(r.Since.Compare(t), -1) // the first one after t
	})
	if i < len(list) {
		until = list[i].Since
	}
	if i == 0 {
		return inv, until, false, nil
	}
	inv, err = p.ReadingOf(ctx, ref, list[i-1])
	return inv, until, err == nil, err
}

// uses looks at what was read of the packages after the deletions.
func (r BacktestRequest) uses(ctx context.Context, w *world, src *past) ([]Looked, error) {
	by := map[retention.PackageRef][]int{}
	var refs []retention.PackageRef
	var out []Looked
	for _, d := range w.items {
		if d.Action != retention.Delete {
			continue
		}
		if by[d.Ref()] == nil {
			refs = append(refs, d.Ref())
		}
		by[d.Ref()] = append(by[d.Ref()], len(out))
		out = append(out, Looked{Due: d, Uses: []Use{}})
	}
	var mu sync.Mutex
	err := each(ctx, r.Workers, refs, func(ctx context.Context, ref retention.PackageRef) error {
		var mine []*watched
		for _, i := range by[ref] {
			mine = append(mine, &watched{Looked: out[i]})
		}
		if err := r.usesOf(ctx, ref, mine, src); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for k, i := range by[ref] {
			out[i] = mine[k].Looked
		}
		return nil
	})
	return out, err
}

// sumUp sorts the items and counts those that were needed later.
func (b *Backtest) sumUp() {
	slices.SortFunc(b.Items, func(x, y Looked) int {
		return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Ref().String(), y.Ref().String()), x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.VersionID, y.VersionID))
	})
	for _, it := range b.Items {
		kinds := map[string]int{}
		for _, u := range it.Uses {
			kinds[u.Kind] = 1
		}
		b.Summary.Restored += kinds[UseRestored]
		b.Summary.Retagged += kinds[UseRetagged]
		b.Summary.Deployed += kinds[UseDeployed]
		if len(it.Uses) > 0 {
			b.Summary.Missed++
		}
	}
}
