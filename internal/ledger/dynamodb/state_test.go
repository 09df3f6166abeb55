package dynamodb

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestASweepIsSavedByOneAtATime(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table, ctx := open(t, env), t.Context()
		mine, theirs := table.Sweeps(), table.Sweeps()
		for _, s := range []*Sweeps{mine, theirs} {
			if state, ok, err := s.LoadSweep(ctx, "Acme"); ok || err != nil || state != nil {
				t.Fatalf("an owner who was never swept: %q %v %v", state, ok, err)
			}
		}
		for _, state := range []string{`{"run":"a"}`, `{"run":"b"}`} {
			if err := mine.SaveSweep(ctx, "ACME", []byte(state)); err != nil {
				t.Fatal(err)
			}
		}
		if err := theirs.SaveSweep(ctx, "acme", []byte(`{}`)); !errors.Is(err, ErrStale) {
			t.Errorf("saved over what was not read: %v, want ErrStale", err)
		}
		got, ok, err := theirs.LoadSweep(ctx, "acme")
		if string(got) != `{"run":"b"}` || !ok || err != nil {
			t.Errorf("%s %v %v", got, ok, err)
		}
		if err := theirs.SaveSweep(ctx, "acme", []byte(`{"run":"c"}`)); err != nil {
			t.Error(err)
		}
		if err := mine.SaveSweep(ctx, "acme", []byte(`{"run":"d"}`)); !errors.Is(err, ErrStale) {
			t.Errorf("one behind: %v, want ErrStale", err)
		}
		// The same again, as after an answer that was lost, is no conflict.
		again := table.Sweeps()
		again.revs["acme"] = 2
		if err := again.SaveSweep(ctx, "acme", []byte(`{"run":"c"}`)); err != nil {
			t.Errorf("what was saved already: %v", err)
		}
		// Larger than an item may be, as many packages that were put off make it.
		large := bytes.Repeat([]byte(`{"kind":"package","owner":"acme"},`), 20_000)
		if err := again.SaveSweep(ctx, "acme", large); err != nil {
			t.Fatal(err)
		}
		if got, _, err := mine.LoadSweep(ctx, "acme"); !bytes.Equal(got, large) || err != nil {
			t.Errorf("%d bytes came back of %d: %v", len(got), len(large), err)
		}
	})
}

func TestKillSwitchIsOnWhereItCantBeRead(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table, ctx := open(t, env), t.Context()
		if on, why := table.Paused(ctx); on {
			t.Errorf("on before it was turned: %s", why)
		}
		if _, err := table.SetSwitch(ctx, true, "incident 12"); err != nil {
			t.Fatal(err)
		}
		if on, why := table.Paused(ctx); !on || why != "the kill switch is on: incident 12" {
			t.Errorf("%v %q", on, why)
		}
		if _, err := table.SetSwitch(ctx, false, ""); err != nil {
			t.Fatal(err)
		}
		got, err := table.Switch(ctx)
		if diff := cmp.Diff(Switch{At: noon}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		table.name = "none"
		if on, _ := table.Paused(ctx); !on {
			t.Error("off where it can't be read")
		}
	})
}

func TestHeadsOfSnapshotsAreKeptByOwner(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table, ctx := open(t, env), t.Context()
		head := func(owner, name string, st retention.State) retention.KnownPackage {
			return retention.KnownPackage{Ref: retention.PackageRef{Owner: owner, Type: retention.Container, Name: name}, State: st, ReadAt: noon}
		}
		want := []retention.KnownPackage{head("Acme", "a#b", retention.Deleted), head("acme", "team/api", retention.Active)}
		for i, k := range append([]retention.KnownPackage{head("acme", "a#b", retention.Active), head("other", "x", retention.Active)}, want...) {
			if err := table.SaveKnown(ctx, k, 10+i); err != nil {
				t.Fatal(err)
			}
		}
		var got []retention.KnownPackage
		for k, err := range table.Known(ctx, "ACME") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, k)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for owner, want := range map[string]int{"acme": 12 + 13, "other": 11, "nobody": 0} {
			if n, err := table.ActiveVersions(ctx, owner); n != want || err != nil {
				t.Errorf("%s has %d versions, want %d: %v", owner, n, want, err)
			}
		}
		for range table.Known(ctx, "acme") {
			break // stopping early is no error
		}
	})
}

func TestAnOwnerIsHeldByOneUntilItsTimeIsOver(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table, ctx := open(t, env), t.Context()
		until := noon.Add(time.Minute)
		for range 2 { // the same holder may take it again
			if err := table.Hold(ctx, "Acme", "worker 1", until); err != nil {
				t.Fatal(err)
			}
		}
		var held *HeldError
		if err := table.Hold(ctx, "acme", "worker 2", until); !errors.As(err, &held) || *held != (HeldError{"acme", "worker 1", until.Local()}) {
			t.Errorf("%#v, want that worker 1 holds it", err)
		}
		if err := table.Release(ctx, "acme", "worker 2"); err != nil {
			t.Error(err)
		}
		if err := table.Hold(ctx, "acme", "worker 2", until); !errors.As(err, &held) {
			t.Errorf("it was given back by somebody else: %v", err)
		}
		if err := table.Release(ctx, "acme", "worker 1"); err != nil {
			t.Error(err)
		}
		if err := table.Hold(ctx, "acme", "worker 2", until); err != nil {
			t.Errorf("after it was given back: %v", err)
		}
		table.now = func() time.Time { return until }
		if err := table.Hold(ctx, "acme", "worker 3", until.Add(time.Hour)); err != nil {
			t.Errorf("after its time was over: %v", err)
		}
	})
}

func TestWhereRedeliveringStandsIsKeptByApp(t *testing.T) {
	eachPlace(t, func(t *testing.T, env *awstest.Env) {
		table, ctx := open(t, env), t.Context()
		if err := table.SaveHook(ctx, 1, []byte("here")); err != nil {
			t.Fatal(err)
		}
		for app, want := range map[int64]string{1: "here", 2: ""} {
			got, ok, err := table.LoadHook(ctx, app)
			if string(got) != want || ok != (want != "") || err != nil {
				t.Errorf("app %d: %q %v %v", app, got, ok, err)
			}
		}
	})
}
