// Package sweeptest holds what every store of sweeps and of their plans must do, so
// that the embedded store and those on AWS can't come to differ. It is for tests only.
package sweeptest

import (
	"bytes"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// Sweeps tests a store of sweeps. Each call of open gives another user of the same,
// at first empty, store.
func Sweeps(t *testing.T, open func(t *testing.T) sweep.Sweeps) {
	t.Helper()
	first, ctx := open(t), t.Context()
	load := func(s sweep.Sweeps, owner, want string) {
		t.Helper()
		got, ok, err := s.LoadSweep(ctx, owner)
		if err != nil || ok != (want != "") || string(got) != want {
			t.Errorf("sweep of %s: %.60q, %v, %v; want %.60q", owner, got, ok, err, want)
		}
	}
	save := func(s sweep.Sweeps, owner, state string) {
		t.Helper()
		if err := s.SaveSweep(ctx, owner, []byte(state)); err != nil {
			t.Errorf("save the sweep of %s: %v", owner, err)
		}
	}
	load(first, "acme", "")
	save(first, "Acme", `{"run":"a"}`)
	load(first, "acme", `{"run":"a"}`)
	save(first, "acme", `{"run":"b"}`) // in place of the one before
	load(first, "ACME", `{"run":"b"}`)
	load(first, "zeta", "")
	save(first, "zeta", `{"run":"z"}`)
	load(first, "acme", `{"run":"b"}`)

	second := open(t)
	load(second, "acme", `{"run":"b"}`)
	save(second, "acme", `{"run":"c"}`)
	load(first, "acme", `{"run":"c"}`)

	// Five hundred packages that were put off, with long names.
	large := `{"deferred":["` + string(bytes.Repeat([]byte("team/name-of-a-package "), 40_000)) + `"]}`
	save(first, "acme", large)
	load(second, "acme", large)
}

// Plans tests a store of plans in the same way.
func Plans(t *testing.T, open func(t *testing.T) sweep.Plans) {
	t.Helper()
	first, ctx := open(t), t.Context()
	load := func(p sweep.Plans, owner, run, want string) {
		t.Helper()
		got, ok, err := p.LoadPlan(ctx, owner, run)
		if err != nil || ok != (want != "") || string(got) != want {
			t.Errorf("plan %s of %s: %.60q, %v, %v; want %.60q", run, owner, got, ok, err, want)
		}
	}
	save := func(owner, run, plan string) {
		t.Helper()
		if err := first.SavePlan(ctx, owner, run, []byte(plan)); err != nil {
			t.Errorf("save plan %s of %s: %v", run, owner, err)
		}
	}
	load(first, "acme", "r1", "")
	save("Acme", "r1", "plan 1")
	load(first, "acme", "r1", "plan 1")
	save("acme", "r1", "plan 1, made again")
	load(open(t), "acme", "r1", "plan 1, made again")
	save("zeta", "r1", "another owner's")
	load(first, "acme", "r1", "plan 1, made again")
	large := string(bytes.Repeat([]byte(`{"action":"delete"},`), 100_000)) // more than an item of DynamoDB holds
	save("acme", "r2", large)
	load(open(t), "acme", "r2", large)
	load(first, "acme", "r3", "")
}
