package bundles_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/bundles"
)

var monday = time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)

// place is a source whose answers a test sets.
type place struct {
	body, etag string
	err        error
	asked      []string // the ETags that it was asked with
}

func (p *place) Get(_ context.Context, etag string) (bundles.Fetched, error) {
	p.asked = append(p.asked, etag)
	switch {
	case p.err != nil:
		return bundles.Fetched{}, p.err
	case etag != "" && etag == p.etag:
		return bundles.Fetched{NotModified: true, ETag: etag}, nil
	}
	return bundles.Fetched{Body: []byte(p.body), ETag: p.etag}, nil
}

// shelf is a store in memory.
type shelf struct {
	kept   map[string]bundles.Kept
	writes int
}

func (s *shelf) Bundle(_ context.Context, source string) (bundles.Kept, bool, error) {
	k, ok := s.kept[source]
	return k, ok, nil
}

func (s *shelf) KeepBundle(_ context.Context, k bundles.Kept) error {
	s.kept[k.Source] = k
	s.writes++
	return nil
}

var errForged = errors.New("the signature does not hold")

// open takes what begins with "good".
func open(_ context.Context, archive []byte) (string, string, error) {
	if !strings.HasPrefix(string(archive), "good") {
		return "", "", errForged
	}
	return "opened " + string(archive), "r-" + string(archive), nil
}

type world struct {
	place *place
	shelf *shelf
	now   time.Time
}

func newWorld() *world {
	return &world{place: &place{body: "good1", etag: `"1"`}, shelf: &shelf{kept: map[string]bundles.Kept{}}, now: monday}
}

func (w *world) load(t *testing.T) (string, bundles.Status, error) {
	t.Helper()
	s := bundles.Source{Name: "https://example.com/b", Getter: w.place, Store: w.shelf, Now: func() time.Time { return w.now }}
	return bundles.Load(t.Context(), s, open)
}

func (w *world) mustLoad(t *testing.T) bundles.Status {
	t.Helper()
	_, status, err := w.load(t)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestTheSourcesBundleIsUsedAndKept(t *testing.T) {
	w := newWorld()
	got, status, err := w.load(t)
	if err != nil || got != "opened good1" {
		t.Fatalf("%q, %v", got, err)
	}
	want := bundles.Status{Source: "https://example.com/b", Digest: bundles.Digest([]byte("good1")), Revision: "r-good1", ConfirmedAt: monday}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	w.place.body, w.place.etag, w.now = "good2", `"2"`, monday.Add(time.Hour)
	if got := w.mustLoad(t).Revision; got != "r-good2" {
		t.Errorf("revision %s after the source changed, want r-good2", got)
	}
}

func TestAnUnchangedBundleIsConfirmedNotFetched(t *testing.T) {
	w := newWorld()
	w.mustLoad(t)
	for _, after := range []time.Duration{time.Minute, time.Hour, 20 * 24 * time.Hour} {
		w.now = monday.Add(after)
		if s := w.mustLoad(t); s.Age != 0 || s.StandsIn != nil {
			t.Errorf("after %s: %+v", after, s)
		}
	}
	if diff := cmp.Diff([]string{"", `"1"`, `"1"`, `"1"`}, w.place.asked); diff != "" {
		t.Errorf("asked with (-want +got):\n%s", diff)
	}
	if w.shelf.writes != 3 { // the first, and two confirmations: not one for the minute
		t.Errorf("%d writes, want 3", w.shelf.writes)
	}
	if got := w.shelf.kept["https://example.com/b"].ConfirmedAt; !got.Equal(w.now) {
		t.Errorf("confirmed at %s, want %s", got, w.now)
	}
}

func TestTheLastGoodBundleStandsInForALimitedTime(t *testing.T) {
	offline := errors.New("connection refused")
	for name, tc := range map[string]struct {
		change  func(*place)
		because error
	}{
		"the source can't be reached": {func(p *place) { p.err = offline }, offline},
		"its bundle is refused":       {func(p *place) { p.body, p.etag = "forged", `"2"` }, errForged},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mustLoad(t)
			tc.change(w.place)
			w.now = monday.Add(6 * 24 * time.Hour)
			got, status, err := w.load(t)
			if err != nil || got != "opened good1" {
				t.Fatalf("after 6 days: %q, %v", got, err)
			}
			if !errors.Is(status.StandsIn, tc.because) || status.Age != 6*24*time.Hour || !status.ConfirmedAt.Equal(monday) {
				t.Errorf("after 6 days: %+v", status)
			}
			w.now = monday.Add(7*24*time.Hour + time.Second)
			_, _, err = w.load(t)
			if !errors.Is(err, bundles.ErrStale) || !errors.Is(err, tc.because) {
				t.Errorf("after 7 days: %v, want ErrStale and what is wrong with the source", err)
			}
		})
	}
}

func TestWithoutAnEarlierBundleNothingStandsIn(t *testing.T) {
	w := newWorld()
	w.place.body = "forged"
	if _, _, err := w.load(t); !errors.Is(err, errForged) || !strings.Contains(err.Error(), "no earlier one") {
		t.Errorf("got %v", err)
	}
	if w.shelf.writes != 0 {
		t.Error("a refused bundle was kept")
	}
}

// TestAKeptBundleIsNotTrusted holds that who can write the store can neither put
// a bundle of his own there, nor make one look fresh for ever.
func TestAKeptBundleIsNotTrusted(t *testing.T) {
	const source = "https://example.com/b"
	for name, tc := range map[string]struct {
		change func(*bundles.Kept)
		want   string
	}{
		"another body":             {func(k *bundles.Kept) { k.Body = []byte("good but changed") }, "it is damaged"},
		"another body and digest":  {func(k *bundles.Kept) { k.Body, k.Digest = []byte("evil"), bundles.Digest([]byte("evil")) }, errForged.Error()},
		"confirmed in the future":  {func(k *bundles.Kept) { k.ConfirmedAt = monday.AddDate(1, 0, 0) }, "still to come"},
		"confirmed in the past":    {func(k *bundles.Kept) { k.ConfirmedAt = monday.AddDate(0, 0, -8) }, "last confirmed 8.0 days ago"},
		"nobody knows when it was": {func(k *bundles.Kept) { k.ConfirmedAt = time.Time{} }, "stale"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mustLoad(t)
			k := w.shelf.kept[source]
			tc.change(&k)
			w.shelf.kept[source] = k
			w.place.err = errors.New("offline")
			if _, _, err := w.load(t); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want something with %q", err, tc.want)
			}
		})
	}
}

// TestABundleThatNoLongerVerifiesIsFetchedAnew is what a rotated key leads to: its
// ETag must not be sent, or the source would confirm what is refused here.
func TestABundleThatNoLongerVerifiesIsFetchedAnew(t *testing.T) {
	w := newWorld()
	w.mustLoad(t)
	k := w.shelf.kept["https://example.com/b"]
	k.Body, k.Digest = []byte("signed by the old key"), bundles.Digest([]byte("signed by the old key"))
	w.shelf.kept["https://example.com/b"] = k
	if s := w.mustLoad(t); s.Revision != "r-good1" || w.place.asked[1] != "" {
		t.Errorf("%+v, asked %q", s, w.place.asked)
	}
}

func TestASourceThatConfirmsWhatItWasNotAskedIsRefused(t *testing.T) {
	w := newWorld()
	s := bundles.Source{Name: "x", Getter: liar{}, Store: w.shelf, Now: func() time.Time { return monday }}
	if _, _, err := bundles.Load(t.Context(), s, open); err == nil {
		t.Error("an answer without a bundle was taken")
	}
}

type liar struct{}

func (liar) Get(context.Context, string) (bundles.Fetched, error) {
	return bundles.Fetched{NotModified: true}, nil
}

func TestACancelledLoadIsNotAnsweredWithTheKeptBundle(t *testing.T) {
	w := newWorld()
	w.mustLoad(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := bundles.Source{Name: "https://example.com/b", Getter: w.place, Store: w.shelf, Now: func() time.Time { return w.now }}
	if _, _, err := bundles.Load(ctx, s, open); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}
