package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Phase is what a sweep is doing.
type Phase string

// The phases. A sweep that is planning or applying is unfinished.
const (
	Waiting  Phase = "waiting" // none has begun yet; the schedule counts from StartedAt
	Planning Phase = "planning"
	Applying Phase = "applying"
	Done     Phase = "done"
	Failed   Phase = "failed"
)

// State is where an owner's sweep stands. It is written by the worker that holds
// the owner, and once by the tick that sees the owner first.
type State struct {
	Run       string    `json:"run"` // also the id of the plan and of the ledger's run
	Phase     Phase     `json:"phase"`
	StartedAt time.Time `json:"started_at"` // readings since then count as fresh
	UpdatedAt time.Time `json:"updated_at"`
	// Cursor counts the slices; an item with another one is late or repeated.
	Cursor   int `json:"cursor"`
	Progress int `json:"progress"` // packages planned, or items settled
	Stalls   int `json:"stalls"`   // slices in a row without progress; each doubles the next
	Failures int `json:"failures"` // in a row
	// PausedUntil is when GitHub may be asked again; it holds for the owner's
	// packages too.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	// PausedSince is when the pause at hand began, pauses right behind one another
	// being one; PausedEnd is PausedUntil, kept when the work goes on.
	PausedSince time.Time `json:"paused_since,omitzero"`
	PausedEnd   time.Time `json:"paused_end,omitzero"`
	Note        string    `json:"note,omitempty"` // why it stands where it does
	// Deferred are package items that came at a bad time; the tick sends them again.
	Deferred []retention.WorkItem `json:"deferred,omitempty"`
	// Attempts counts how often a package item has failed, by its deduplication id.
	Attempts map[string]int `json:"attempts,omitempty"`
}

// Unfinished reports whether slices are left.
func (s State) Unfinished() bool { return s.Phase == Planning || s.Phase == Applying }

const (
	maxDeferred = 500
	// maxFailures is how many slices in a row may fail before a sweep is given up
	// until the next one is due.
	maxFailures = 5
	// maxAttempts is how often Retry keeps a package item.
	maxAttempts = 5
	// maxStalls bounds the doubling of slices: 64 times is longer than any
	// function may run.
	maxStalls = 6
)

// PausedFor is how long the owner has been paused at a time, 0 when it is not.
func (s State) PausedFor(now time.Time) time.Duration {
	if !now.Before(s.PausedUntil) {
		return 0
	}
	return max(0, now.Sub(s.PausedSince))
}

// State returns where an owner's sweep stands; ok is false when none has begun.
func (e *Engine) State(ctx context.Context, owner string) (s State, ok bool, err error) {
	return e.stateOf(ctx, owner)
}

func (e *Engine) stateOf(ctx context.Context, owner string) (s State, ok bool, err error) {
	b, ok, err := e.Sweeps.LoadSweep(ctx, owner)
	if err != nil || !ok {
		return State{}, false, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return State{}, false, fmt.Errorf("read the sweep of %s: %w", owner, err)
	}
	return s, true, nil
}

func (e *Engine) save(ctx context.Context, owner string, s State) error {
	s.UpdatedAt = e.Now().UTC()
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the sweep of %s: %w", owner, err)
	}
	// What was done is noted also when the time for doing it is over.
	return e.Sweeps.SaveSweep(context.WithoutCancel(ctx), owner, b)
}

func (w *worker) load(ctx context.Context) (ok bool, err error) {
	w.state, ok, err = w.stateOf(ctx, w.owner.Login)
	return ok, err
}

func (w *worker) keep(ctx context.Context) error {
	if w.state.Phase == "" {
		w.state.Phase, w.state.StartedAt = Waiting, w.Now().UTC()
	}
	return w.save(ctx, w.owner.Login, w.state)
}

// putOff keeps a package item for the tick to send again.
func (w *worker) putOff(ctx context.Context, item retention.WorkItem) error {
	at := w.deferred(item)
	switch {
	case at >= 0:
	case len(w.state.Deferred) >= maxDeferred:
		w.log.WarnContext(ctx, "too many packages wait; the next sweep looks at this one", "package", item.Ref().String())
	default:
		w.state.Deferred = append(w.state.Deferred, item)
	}
	return w.keep(ctx)
}

// settled forgets a package item that was put off.
func (w *worker) settled(ctx context.Context, item retention.WorkItem) error {
	at, tried := w.deferred(item), w.state.Attempts[item.DeduplicationID()]
	if at < 0 && tried == 0 {
		return nil
	}
	if at >= 0 {
		w.state.Deferred = slices.Delete(w.state.Deferred, at, at+1)
	}
	delete(w.state.Attempts, item.DeduplicationID())
	return w.keep(ctx)
}

func (w *worker) deferred(item retention.WorkItem) int {
	return slices.IndexFunc(w.state.Deferred, func(d retention.WorkItem) bool { return d.DeduplicationID() == item.DeduplicationID() })
}

// runID names the sweep that is due at a time: the same whoever asks, later ones
// sort behind earlier ones, and it can stand as the id of a plan.
func runID(owner string, due time.Time) string {
	due = due.UTC().Truncate(time.Second)
	sum := sha256.Sum256([]byte(strings.ToLower(owner) + " " + due.Format(time.RFC3339)))
	return due.Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:4])
}
