package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

func TestMemoryDeliveriesForgetInTime(t *testing.T) {
	clk := newClock()
	d := webhook.NewMemoryDeliveries(clk.Now)
	seen := func(key string) bool {
		ok, err := d.Seen(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	for i := range 5000 { // more than one round of pruning
		if err := d.Mark(t.Context(), fmt.Sprint(i), clk.Now().Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	clk.Advance(3000 * time.Second)
	if err := d.Mark(t.Context(), "late", clk.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{"0": seen("0"), "2999": seen("2999"), "3000": seen("3000"), "3001": seen("3001"), "4999": seen("4999"), "late": seen("late"), "never": seen("never")}
	want := map[string]bool{"0": false, "2999": false, "3000": false, "3001": true, "4999": true, "late": true, "never": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryQueueIsFirstInFirstOutAndDropsRepetitions(t *testing.T) {
	clk := newClock()
	q := webhook.NewMemoryQueue(3, clk.Now)
	a, b := retention.NewSweepWork("r", "acme", "1"), retention.NewSweepWork("r", "acme", "2")
	mona := retention.NewSweepWork("r", "mona", "1")
	for _, w := range []retention.WorkItem{a, b, a, mona} {
		if err := q.Send(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Send(t.Context(), retention.NewSweepWork("r", "acme", "3")); !errors.Is(err, webhook.ErrQueueFull) {
		t.Errorf("error %v", err)
	}
	if err := q.Send(t.Context(), retention.WorkItem{}); err == nil {
		t.Error("an item that no worker can read was taken")
	}
	receive := func(n int) []retention.WorkItem {
		var out []retention.WorkItem
		for range n {
			w, err := q.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, w)
		}
		return out
	}
	if diff := cmp.Diff([]retention.WorkItem{a, b, mona}, receive(q.Len())); diff != "" {
		t.Error(diff)
	}
	clk.Advance(5 * time.Minute)
	for _, w := range []retention.WorkItem{retention.NewSweepWork("r", "acme", "3"), a} { // what was refused, and what is old
		if err := q.Send(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]retention.WorkItem{retention.NewSweepWork("r", "acme", "3"), a}, receive(q.Len())); diff != "" {
		t.Error(diff)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Receive(done); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestABurstLosesNothing sends 500 pushes at once, each as both events, twice.
func TestABurstLosesNothing(t *testing.T) {
	clk := newClock()
	q := webhook.NewMemoryQueue(1000, clk.Now)
	s := newStand(t, func(c *webhook.Config) { c.Queue = q })
	var wg sync.WaitGroup
	for i := range 500 {
		for j, event := range []string{"package", "registry_package", "package", "registry_package"} {
			body := push(event, func(_, _, v doc) { v["id"] = i + 1 })
			wg.Go(func() {
				if got := s.Handle(context.Background(), request(event, fmt.Sprintf("%08x-%d", i, j%2), body)); got.Status != 202 {
					t.Errorf("status %d", got.Status)
				}
			})
		}
	}
	wg.Wait()
	ids := map[retention.ID]int{}
	for range q.Len() {
		w, err := q.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids[w.Trigger.VersionID]++
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("version %s was queued %d times", id, n)
		}
	}
	if len(ids) != 500 {
		t.Errorf("%d of 500 versions queued", len(ids))
	}
}
