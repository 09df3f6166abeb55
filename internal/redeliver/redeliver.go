// Package redeliver asks GitHub to send webhook deliveries again that failed, since
// GitHub never does so by itself: it keeps them for three days, and whoever wants
// one again has to ask.
//
// It goes through the App's deliveries, the newest first, a few pages and a few
// deliveries at a time, and remembers where it stands. It never asks for one that
// was taken later, gives each up after a few tries, and knows nothing of what a
// delivery says: the handler decides what to do with it.
package redeliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
)

// Hook is the App's webhook. *ghapp.AppSource is one.
type Hook interface {
	HookDeliveries(ctx context.Context, cursor string) (page []ghapp.HookDelivery, next string, err error)
	Redeliver(ctx context.Context, id int64) error
}

// Store keeps where going through an App's deliveries stands.
type Store interface {
	LoadHook(ctx context.Context, app int64) (state []byte, ok bool, err error)
	SaveHook(ctx context.Context, app int64, state []byte) error
}

// The windows in which a delivery can be asked for again.
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const (
	Window     = 3 * 24 * time.Hour
	WindowGHES = 7 * 24 * time.Hour
)

// WindowOf is the window of the server with that API address.
func WindowOf(apiURL string) time.Duration {
	if strings.HasPrefix(apiURL, "https://api.github.com") || strings.Contains(apiURL, ".ghe.com") {
		return Window
	}
	return WindowGHES
}

const (
	// grace is how old a delivery has to be: a younger one may be under way.
	grace    = 2 * time.Minute
	maxPages = 10 // of 100 deliveries, in one call of Run
	maxAsked = 20 // likewise
	maxTries = 5  // of one delivery
	firstGap = 10 * time.Minute
	// maxKept bounds each list of what is kept, below the 400 KB of an item. A
	// delivery that falls out of it may be asked for once more than it should.
	maxKept   = 2000
	maxFailed = 3 // requests that GitHub refused, in one call
)

// gap is how long to wait after a number of tries before the next: 10 min, 40 min,
// 2 h 40 min, 10 h 40 min.
func gap(tries int) time.Duration { return firstGap << (2 * (tries - 1)) }

// Redeliverer goes through the deliveries of one App.
type Redeliverer struct {
	App    int64
	Hook   Hook
	Store  Store
	Window time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// state is where it stands.
type state struct {
	// Through is a time before which nothing is left to be done.
	Through time.Time `json:"through,omitzero"`
	// The pass under way, when it takes more than one call.
	Cursor string          `json:"cursor,omitempty"` // the page to go on with
	Top    time.Time       `json:"top,omitzero"`     // when the pass began
	Left   time.Time       `json:"left,omitzero"`    // oldest delivery so far that needs another look
	Seen   map[string]bool `json:"seen,omitempty"`   // GUIDs whose newest attempt was a redelivery
	Tried  map[string]try  `json:"tried,omitempty"`  // by GUID
}

type try struct {
	N  int       `json:"n"`
	At time.Time `json:"at"`
}

// Run looks through some deliveries and returns how many it asked for. What it has
// not come to the next call does.
func (r *Redeliverer) Run(ctx context.Context) (asked int, err error) {
	s, err := r.load(ctx)
	if err != nil {
		return 0, err
	}
	if s.Cursor == "" {
		s.Top, s.Left, s.Seen = r.Now().UTC(), time.Time{}, map[string]bool{}
	}
	asked, err = r.pass(ctx, &s)
	if serr := r.save(context.WithoutCancel(ctx), s); err == nil {
		err = serr
	}
	return asked, err
}

func (r *Redeliverer) load(ctx context.Context) (s state, err error) {
	b, ok, err := r.Store.LoadHook(ctx, r.App)
	if err != nil || !ok {
		return state{Tried: map[string]try{}}, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		// Nothing is lost by going through all of them again.
		r.Log.WarnContext(ctx, "where redelivering stands can't be read: it starts over", "app", r.App, "error", err)
		s = state{}
	}
	if s.Tried == nil {
		s.Tried = map[string]try{}
	}
	if s.Seen == nil {
		s.Seen = map[string]bool{}
	}
	return s, nil
}

func (r *Redeliverer) save(ctx context.Context, s state) error {
	maps.DeleteFunc(s.Tried, func(_ string, t try) bool { return r.Now().Sub(t.At) > r.Window })
	if len(s.Tried) > maxKept {
		byAge := slices.SortedFunc(maps.Keys(s.Tried), func(a, b string) int { return s.Tried[a].At.Compare(s.Tried[b].At) })
		for _, guid := range byAge[:len(byAge)-maxKept] {
			delete(s.Tried, guid)
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep where redelivering stands: %w", err)
	}
	return r.Store.SaveHook(ctx, r.App, b)
}

// pass goes on from the cursor until the deliveries, or what one call may do, are
// through.
func (r *Redeliverer) pass(ctx context.Context, s *state) (asked int, err error) {
	var refused []error
	for range maxPages {
		page, next, err := r.Hook.HookDeliveries(ctx, s.Cursor)
		if err != nil {
			s.Cursor = "" // it may be the cursor: the next pass starts with the first page
			return asked, errors.Join(append(refused, err)...)
		}
		for _, d := range page {
			if d.DeliveredAt.Before(r.Now().Add(-r.Window)) || d.DeliveredAt.Before(s.Through) {
				next = ""
				break
			}
			if asked == maxAsked {
				return asked, errors.Join(refused...) // the next call goes on with this page
			}
			did, err := r.look(ctx, s, d)
			asked += did
			if err != nil {
				refused = append(refused, err)
			}
			if ctx.Err() != nil || isPause(err) || len(refused) == maxFailed {
				return asked, errors.Join(refused...)
			}
		}
		if s.Cursor = next; next == "" {
			s.end()
			break
		}
	}
	return asked, errors.Join(refused...)
}

func isPause(err error) bool {
	_, ok := errors.AsType[*ghapp.PausedError](err)
	return ok
}

// end closes a pass: what is older than anything that is left is settled.
func (s *state) end() {
	s.Through = s.Top.Add(-grace)
	if !s.Left.IsZero() && s.Left.Before(s.Through) {
		s.Through = s.Left
	}
	s.Top, s.Left, s.Seen = time.Time{}, time.Time{}, nil
}

// look decides on one delivery; did is 1 when it was asked for again.
func (r *Redeliverer) look(ctx context.Context, s *state, d ghapp.HookDelivery) (did int, err error) {
	if d.Event != "package" && d.Event != "registry_package" || s.Seen[d.GUID] {
		return 0, nil // not ours, or a later attempt has been looked at
	}
	if d.Redelivery && len(s.Seen) < maxKept {
		s.Seen[d.GUID] = true
	}
	if d.OK() {
		return 0, nil
	}
	t, now := s.Tried[d.GUID], r.Now()
	if t.N >= maxTries {
		return 0, nil
	}
	if s.Left.IsZero() || d.DeliveredAt.Before(s.Left) {
		s.Left = d.DeliveredAt
	}
	if now.Sub(d.DeliveredAt) < grace || t.N > 0 && now.Sub(t.At) < gap(t.N) {
		return 0, nil
	}
	s.Tried[d.GUID] = try{t.N + 1, now.UTC()} // also when GitHub refuses: it must not stand in the way of others
	if err := r.Hook.Redeliver(ctx, d.ID); err != nil {
		return 0, err
	}
	r.Log.InfoContext(ctx, "asked for a delivery again", "delivery", d.GUID, "event", d.Event, "status", d.StatusCode, "delivered_at", d.DeliveredAt, "try", t.N+1)
	if t.N+1 == maxTries {
		r.Log.WarnContext(ctx, "last try of a delivery; the next sweep sees what it announces", "delivery", d.GUID)
	}
	return 1, nil
}
