package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// queues are one queue in the process for each owner, by group, as an SQS FIFO
// queue keeps the items of a group in order and works groups side by side.
type queues map[string]*webhook.MemoryQueue

func newQueues(owners []config.Owner, now func() time.Time) queues {
	q := queues{}
	for _, o := range owners {
		q[group(o.Login)] = webhook.NewMemoryQueue(queueSize, now)
	}
	return q
}

func group(login string) string { return retention.WorkItem{Owner: login}.GroupID() }

// kept is the queues with what makes them outlive the process: a package that a
// webhook names is on the disk before the webhook is answered, until it has been
// looked at. GitHub does not deliver again what was answered.
type kept struct {
	queues
	db *sqlite.DB
}

// Send keeps a package and queues it with its owner's.
func (k kept) Send(ctx context.Context, item retention.WorkItem) error {
	if of, ok := k.queues[item.GroupID()]; !ok || of.Had(item) {
		return k.queues.Send(ctx, item)
	}
	if err := k.db.KeepWork(ctx, item); err != nil {
		return err
	}
	err := k.queues.Send(ctx, item)
	if err != nil {
		err = errors.Join(err, k.db.DropWork(context.WithoutCancel(ctx), item))
	}
	return err
}

// again queues what an earlier process left. What is not ours any more is forgotten.
func (k kept) again(ctx context.Context) (n int, err error) {
	items, err := k.db.Work(ctx)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		err := k.queues.Send(ctx, item)
		switch {
		case errors.Is(err, webhook.ErrQueueFull):
			return n, nil // the next start takes the rest
		case err != nil:
			err = k.db.DropWork(ctx, item)
		default:
			n++
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Send queues an item with its owner's.
func (q queues) Send(ctx context.Context, item retention.WorkItem) error {
	of, ok := q[item.GroupID()]
	if !ok {
		return fmt.Errorf("owner %s is not configured", item.Owner)
	}
	return of.Send(ctx, item)
}

// pauseName is the file beside the state file that stops all work.
const pauseName = "PAUSE"

func (s *session) pauseFile() string { return filepath.Join(filepath.Dir(s.db.Path()), pauseName) }

// pauseSwitch is the kill switch of this machine.
func (s *session) pauseSwitch() pauseSwitch { return pauseSwitch{path: s.pauseFile(), env: s.getenv} }

// pauseSwitch is the kill switch of one machine: a file, or the environment.
type pauseSwitch struct {
	path string
	env  func(string) string
}

// Paused looks for both. Where it can't look, the switch is on.
func (p pauseSwitch) Paused(context.Context) (bool, string) {
	if v := p.env("SHELFLIFE_PAUSE"); v != "" && v != "0" {
		return true, "SHELFLIFE_PAUSE is set"
	}
	f, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ""
	}
	if err != nil {
		return true, "the file PAUSE can't be looked for: " + err.Error()
	}
	defer f.Close()
	why := make([]byte, 200)
	n, err := io.ReadFull(f, why)
	if err != nil && n == 0 {
		return true, "the file PAUSE is there"
	}
	return true, "the file PAUSE says: " + strings.TrimSpace(strings.ToValidUTF8(string(why[:n]), "?"))
}

// stopSwitch is on as well once the server stops, so that the work at hand ends
// before its next call.
type stopSwitch struct {
	sweep.Switch
	stop  <-chan struct{}
	mu    sync.Mutex
	ended bool
}

// Paused reports whether the server stops or the switch below is on.
func (s *stopSwitch) Paused(ctx context.Context) (bool, string) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	select {
	case <-s.stop:
		ended = true
	default:
	}
	if ended {
		return true, "the server stops"
	}
	return s.Switch.Paused(ctx)
}

// now turns the switch on for good.
func (s *stopSwitch) now() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// jsonLog writes JSON lines in which nothing that looks like a secret stands.
func jsonLog(w io.Writer) *slog.Logger { return jsonlog.New(w) }

// lines makes a log line of each line that is written.
type lines struct{ log *slog.Logger }

// Write never fails.
func (l lines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimPrefix(strings.TrimSpace(line), "shelflife: "); line != "" {
			l.log.Info(line)
		}
	}
	return len(b), nil
}
