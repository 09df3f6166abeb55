package redeliver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/redeliver"
)

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

// hook is an App's webhook as GitHub keeps it: attempts in the order of their ids,
// listed newest first, by cursor.
type hook struct {
	now      time.Time
	attempts []ghapp.HookDelivery
	pageSize int
	up       func(guid string) bool // whether the receiver takes it
	asked    []string               // GUIDs
	refuse   map[string]error
	listed   int
	state    []byte
	log      bytes.Buffer
}

func newHook() *hook {
	return &hook{now: noon, pageSize: 100, up: func(string) bool { return true }, refuse: map[string]error{}}
}

// deliver notes an attempt that was made some time ago.
func (h *hook) deliver(guid string, ago time.Duration, status int) {
	h.attempts = append(h.attempts, ghapp.HookDelivery{
		ID: int64(len(h.attempts) + 1), GUID: guid, Event: "package", DeliveredAt: h.now.Add(-ago), StatusCode: status,
	})
}

func (h *hook) HookDeliveries(_ context.Context, cursor string) (page []ghapp.HookDelivery, next string, err error) {
	h.listed++
	before := int64(len(h.attempts) + 1)
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", err
		}
	}
	for _, d := range slices.Backward(h.attempts) {
		if d.ID >= before {
			continue
		}
		if len(page) == h.pageSize {
			return page, strconv.FormatInt(page[len(page)-1].ID, 10), nil
		}
		page = append(page, d)
	}
	return page, "", nil
}

func (h *hook) Redeliver(_ context.Context, id int64) error {
	d := h.attempts[id-1]
	if err := h.refuse[d.GUID]; err != nil {
		return err
	}
	h.asked = append(h.asked, d.GUID)
	status := 500
	if h.up(d.GUID) {
		status = 202
	}
	h.attempts = append(h.attempts, ghapp.HookDelivery{
		ID: int64(len(h.attempts) + 1), GUID: d.GUID, Event: d.Event, DeliveredAt: h.now, StatusCode: status, Redelivery: true,
	})
	return nil
}

func (h *hook) LoadHook(_ context.Context, app int64) ([]byte, bool, error) {
	if app != 7 {
		return nil, false, fmt.Errorf("App %d is not the one", app)
	}
	return h.state, h.state != nil, nil
}

func (h *hook) SaveHook(_ context.Context, _ int64, state []byte) error {
	h.state = state
	return nil
}

// run makes one call, as a tick does, and returns what it asked for.
func (h *hook) run(t *testing.T) []string {
	t.Helper()
	got, err := h.tryRun(t)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (h *hook) tryRun(t *testing.T) ([]string, error) {
	t.Helper()
	h.asked, h.listed = nil, 0
	r := redeliver.Redeliverer{App: 7, Hook: h, Store: h, Window: redeliver.Window, Now: func() time.Time { return h.now }, Log: jsonlog.New(&h.log)}
	n, err := r.Run(t.Context())
	if n != len(h.asked) {
		t.Errorf("it says that it asked for %d, and asked for %v", n, h.asked)
	}
	return h.asked, err
}

func TestWhatFailedIsAskedForOnce(t *testing.T) {
	h := newHook()
	h.deliver("too old", 73*time.Hour, 500)
	h.deliver("failed", 70*time.Hour, 500)
	h.deliver("taken", 69*time.Hour, 202)
	h.deliver("no answer", time.Hour, 0)
	h.deliver("cured by hand", time.Hour, 502)
	h.deliver("of no use", time.Hour, 500)
	h.attempts[5].Event = "installation"
	h.deliver("cured by hand", 50*time.Minute, 202)
	h.attempts[6].Redelivery = true
	h.deliver("under way", time.Minute, 0)
	if diff := cmp.Diff([]string{"no answer", "failed"}, h.run(t)); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
	h.now = h.now.Add(5 * time.Minute)
	if diff := cmp.Diff([]string{"under way"}, h.run(t)); diff != "" {
		t.Errorf("asked for at the next tick (-want +got)\n%s", diff)
	}
	for range 300 { // a day
		h.now = h.now.Add(5 * time.Minute)
		if got := h.run(t); len(got) > 0 {
			t.Fatalf("asked for %v again", got)
		}
	}
	if h.listed != 1 {
		t.Errorf("%d pages were read where nothing happened, want 1", h.listed)
	}
}

func TestWhatFailsAgainAndAgainIsGivenUp(t *testing.T) {
	h := newHook()
	h.up = func(string) bool { return false }
	h.deliver("hopeless", 10*time.Minute, 500)
	var at []time.Duration
	for range 3 * 24 * 12 {
		if len(h.run(t)) > 0 {
			at = append(at, h.now.Sub(noon))
		}
		h.now = h.now.Add(5 * time.Minute)
	}
	m := time.Minute
	if diff := cmp.Diff([]time.Duration{0, 10 * m, 50 * m, 210 * m, 850 * m}, at); diff != "" {
		t.Errorf("asked for at (-want +got)\n%s", diff)
	}
}

func TestALongOutageIsMadeUpForALittleAtATime(t *testing.T) {
	h := newHook()
	const n = 130
	for i := range n {
		h.deliver(fmt.Sprintf("%03d", i), time.Duration(n-i+5)*time.Minute, 500)
		h.deliver(fmt.Sprintf("ok %03d", i), time.Duration(n-i+5)*time.Minute, 202)
	}
	seen := map[string]int{}
	for range 20 {
		got := h.run(t)
		if len(got) > 20 || h.listed > 10 {
			t.Fatalf("one call asked for %d deliveries and %d pages", len(got), h.listed)
		}
		for _, guid := range got {
			seen[guid]++
		}
		h.now = h.now.Add(5 * time.Minute)
	}
	for i := range n {
		if seen[fmt.Sprintf("%03d", i)] != 1 {
			t.Errorf("%03d was asked for %d times, want once", i, seen[fmt.Sprintf("%03d", i)])
		}
	}
	if len(seen) != n {
		t.Errorf("%d deliveries were asked for, want %d", len(seen), n)
	}
}

func TestManyPagesTakeSeveralCalls(t *testing.T) {
	h := newHook()
	h.pageSize = 3
	h.deliver("oldest", 50*time.Hour, 500)
	for i := range 100 {
		h.deliver(fmt.Sprint(i), time.Duration(200-i)*time.Minute, 202)
	}
	var got []string
	calls := 0
	for ; len(got) == 0 && calls < 10; calls++ {
		got = h.run(t)
		h.now = h.now.Add(5 * time.Minute)
	}
	if diff := cmp.Diff([]string{"oldest"}, got); diff != "" || calls != 4 {
		t.Errorf("after %d calls, want 4 (-want +got)\n%s", calls, diff)
	}
}

func TestOneThatGitHubRefusesStandsInNobodysWay(t *testing.T) {
	h := newHook()
	h.deliver("good", 30*time.Minute, 500)
	h.deliver("bad", 20*time.Minute, 500)
	h.refuse["bad"] = errors.New("422")
	got, err := h.tryRun(t)
	if err == nil {
		t.Error("the refusal is not reported")
	}
	if diff := cmp.Diff([]string{"good"}, got); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
	if strings.Contains(h.log.String(), `"delivery":"bad"`) {
		t.Error("the log says that the refused one was asked for")
	}
}

func TestARateLimitEndsTheCall(t *testing.T) {
	h := newHook()
	for _, guid := range []string{"a", "b"} {
		h.deliver(guid, 30*time.Minute, 500)
		h.refuse[guid] = &ghapp.PausedError{Until: noon.Add(time.Hour), Reason: ghapp.ReasonPrimary}
	}
	_, err := h.tryRun(t)
	var paused *ghapp.PausedError
	if !errors.As(err, &paused) || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("%v, want one pause", err)
	}
	h.refuse = nil
	h.now = h.now.Add(time.Hour)
	got := h.run(t)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Errorf("afterwards (-want +got)\n%s", diff)
	}
}

func TestAStateThatCantBeReadStartsOver(t *testing.T) {
	h := newHook()
	h.state = []byte("{")
	h.deliver("failed", time.Hour, 500)
	if diff := cmp.Diff([]string{"failed"}, h.run(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheWindowIsThatOfTheServer(t *testing.T) {
	for url, want := range map[string]time.Duration{
		"https://api.github.com": redeliver.Window, "https://api.acme.ghe.com": redeliver.Window, "https://ghes.acme.example/api/v3": redeliver.WindowGHES,
	} {
		if got := redeliver.WindowOf(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
