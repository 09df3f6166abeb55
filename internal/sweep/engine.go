package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Queue takes work items. Sending the same deduplication id again within the
// queue's window has to be harmless.
type Queue interface {
	Send(ctx context.Context, item retention.WorkItem) error
}

// Plans keeps the sealed plan of each owner's current sweep. Saving replaces the
// plan of an earlier sweep and is durable when it returns.
type Plans interface {
	SavePlan(ctx context.Context, owner, run string, sealed []byte) error
	LoadPlan(ctx context.Context, owner, run string) (sealed []byte, ok bool, err error)
}

// Sweeps keeps where each owner's sweep stands, as a JSON document. Reading gives
// what was saved last, and saving is durable when it returns.
type Sweeps interface {
	SaveSweep(ctx context.Context, owner string, state []byte) error
	LoadSweep(ctx context.Context, owner string) (state []byte, ok bool, err error)
}

// Switch is the kill switch. While it is on nothing is read or written on GitHub;
// what is under way stops before its next call.
type Switch interface {
	Paused(ctx context.Context) (on bool, reason string)
}

// Config is what an Engine is made of. OwnerVersions, Record, Observe, Beside,
// the durations, and either Policies or Judge and Bundle may be left out.
type Config struct {
	Owners  []config.Owner // the only ones that are ever touched
	Connect func(ctx context.Context, o config.Owner) (enforce.Target, error)

	Enforcer *enforce.Enforcer // its Progress is not used
	Judge    enforce.Judge
	Bundle   guard.Bundle
	// Policies are those in force now, in the place of Judge and Bundle, for an
	// engine that outlives them. An item is handled by one set of them. An error
	// says why there are none, and holds what would be done as the Switch does.
	Policies func() (enforce.Judge, guard.Bundle, error)
	Sealer   guard.Sealer
	Plans    Plans
	Sweeps   Sweeps
	Queue    Queue
	Switch   Switch
	// OwnerVersions counts the active versions that an owner is known to have.
	OwnerVersions func(ctx context.Context, owner string) (int, error)
	// Record keeps what was decided, before anything of it is done.
	Record func(ctx context.Context, p guard.Plan) error
	// Observe hears what is worth counting; it is called while the owner is held.
	Observe func(e Event)

	// Beside holds an owner while an item of it is handled, against an undo by
	// another process.
	Beside func(ctx context.Context, owner string) (release func(), err error)

	Now   func() time.Time
	Log   *slog.Logger
	Slice time.Duration // how long a sweep works at a time; 0 means DefaultSlice
}

const (
	// DefaultSlice is how long a webhook waits for a sweep of its owner.
	DefaultSlice = time.Minute
	// maxMargin bounds margin, and is what it is for slices of a minute or more.
	maxMargin = 30 * time.Second
)

// margin is what a slice leaves of its context's deadline, and how much longer
// than planned a call at its end may take.
func (e *Engine) margin() time.Duration { return min(maxMargin, e.Slice/2) }

// Needs is how much time Handle should have until its context's deadline: with
// less, a slice would be over before it has come far.
func (e *Engine) Needs() time.Duration { return e.margin() * 3 / 2 }

// Engine starts, works and resumes sweeps and looks at packages. It is safe for
// concurrent use: one item at a time for each owner, owners side by side.
type Engine struct {
	Config
	mu    sync.Mutex
	locks map[string]chan struct{} // by owner in lower case
}

// New checks the configuration and names what is missing.
func New(c Config) (*Engine, error) {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{"Connect", c.Connect == nil}, {"Enforcer", c.Enforcer == nil}, {"Judge", c.Judge == nil && c.Policies == nil}, {"Sealer", c.Sealer == nil},
		{"Plans", c.Plans == nil}, {"Sweeps", c.Sweeps == nil}, {"Queue", c.Queue == nil}, {"Switch", c.Switch == nil},
		{"Now", c.Now == nil}, {"Log", c.Log == nil},
	} {
		if part.missing {
			return nil, fmt.Errorf("sweep engine: %s is missing", part.name)
		}
	}
	if c.Slice <= 0 {
		c.Slice = DefaultSlice
	}
	return &Engine{Config: c, locks: map[string]chan struct{}{}}, nil
}

// Handle works one item. Without an error the item is done with: carried out,
// put off (the tick sends it again), or not ours. With one it should be sent
// again; its effect so far is recorded.
func (e *Engine) Handle(ctx context.Context, item retention.WorkItem) error {
	if err := item.Validate(); err != nil {
		return err
	}
	o, ok := e.owner(item.Owner)
	if !ok {
		e.Log.WarnContext(ctx, "ignored: the owner is not configured", "owner", item.Owner, "kind", string(item.Kind))
		return nil
	}
	unlock, err := e.lock(ctx, o.Login)
	if err != nil {
		return err
	}
	defer unlock()
	if e.Beside != nil {
		release, err := e.Beside(ctx, o.Login)
		if err != nil {
			return err
		}
		defer release()
	}
	w := &worker{Engine: e, owner: o, log: e.Log.With("owner", o.Login), judge: e.Judge, bundle: e.Bundle}
	if _, err := w.load(ctx); err != nil {
		return err
	}
	if e.Policies != nil {
		w.judge, w.bundle, w.none = e.Policies()
	}
	switch {
	case item.Kind == retention.WorkPackage:
		err = w.look(ctx, item)
	case strings.HasPrefix(item.Run, reconcilePrefix):
		err = w.reconcile(ctx)
	default:
		err = w.sweep(ctx, item)
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", item.Kind, o.Login, err)
	}
	return nil
}

func (e *Engine) owner(login string) (config.Owner, bool) {
	return config.Config{Owners: e.Owners}.Owner(login)
}

// worker holds one owner for one item.
type worker struct {
	*Engine
	owner  config.Owner
	state  State
	log    *slog.Logger
	judge  enforce.Judge
	bundle guard.Bundle
	none   error // why there are no policies
}

// stop is what enforce asks between its steps: whether the switch is on, or the
// slice is over (a zero end is never).
func (w *worker) stop(end time.Time) func(context.Context) error {
	return func(ctx context.Context) error {
		if on, why := w.Switch.Paused(ctx); on {
			return &switchedError{why}
		}
		if w.none != nil {
			return &switchedError{"there are no policies: " + w.none.Error()}
		}
		if !end.IsZero() && !w.Now().Before(end) {
			return errSlice
		}
		return ctx.Err()
	}
}

// record keeps and logs a plan.
func (w *worker) record(ctx context.Context, p guard.Plan) error {
	s := p.Summary()
	level := slog.LevelInfo
	if len(p.Problems()) > 0 || s.Held > 0 {
		level = slog.LevelWarn
	}
	w.observe(Event{Kind: PlanMade, Summary: s})
	w.log.Log(ctx, level, "planned", "run", p.ID(), "mode", p.Mode().String(), "delete", s.Delete, "restore", s.Restore, "keep", s.Keep,
		"held", s.Held, "blocked", s.Blocked, "conflict", s.Conflict, "observed", s.Observed, "problems", len(p.Problems()))
	for i, problem := range p.Problems() {
		if i == maxLogged {
			break
		}
		w.log.WarnContext(ctx, "problem", "run", p.ID(), "package", problem.Package, "problem", string(problem.Kind), "detail", problem.Detail)
	}
	if w.Record == nil {
		return nil
	}
	return w.Record(ctx, p)
}

// maxLogged bounds the lines that one plan or result takes in the log.
const maxLogged = 100

// logResult writes what became of the items.
func (w *worker) logResult(ctx context.Context, res enforce.Result) {
	for i, it := range res.Items {
		if i == maxLogged {
			w.log.InfoContext(ctx, "and more; shelflife show lists all", "run", res.Run, "items", len(res.Items))
			break
		}
		w.log.InfoContext(ctx, "item", "run", res.Run, "package_type", string(it.PackageType), "package", it.Package, "version", it.Version,
			"version_id", it.VersionID.String(), "action", it.Action.String(), "outcome", string(it.Outcome), "detail", it.Detail)
	}
}

// errSlice says that the time of a slice is over.
var errSlice = errors.New("the slice is over")

// switchedError says that the kill switch is on.
type switchedError struct{ why string }

func (e *switchedError) Error() string { return "switched off: " + e.why }
