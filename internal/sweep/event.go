package sweep

import (
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// EventKind says what an Event is about.
type EventKind int

// The kinds of event.
const (
	Began       EventKind = iota // a sweep
	Ended                        // a sweep, done
	GivenUp                      // a sweep, after too many failures
	PlanMade                     // of a sweep or of one package; Summary says what it holds
	RunEnded                     // Result holds every item of the run, whatever slices it took
	QueueFailed                  // an item could not be queued; the tick makes up for it
)

// Event is something that figures are kept of.
type Event struct {
	Kind    EventKind
	Owner   string
	Summary retention.Summary
	Result  enforce.Result
}

func (w *worker) observe(e Event) {
	if w.Observe != nil {
		e.Owner = w.owner.Login
		w.Observe(e)
	}
}
