package tick_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/metrics"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
	"github.com/shelflife-dev/shelflife/internal/tick"
)

var (
	noon      = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)
	errBroken = errors.New("broken")
)

// rig stands in for the engine and the ledger of one owner.
type rig struct {
	tickErr, usedErr, redeliverErr error
	state                          sweep.State
	off                            time.Time // since when the switch is on
	redelivered                    bool
	used                           int
	open                           []ledger.Action
	runs                           []retention.Run
}

func (r *rig) Tick(context.Context, time.Time) error { return r.tickErr }
func (r *rig) State(context.Context, string) (sweep.State, bool, error) {
	return r.state, true, nil
}
func (r *rig) Used(context.Context, string, string) (ledger.Used, error) {
	return ledger.Used{Day: r.used}, r.usedErr
}
func (r *rig) Open(context.Context, string) ([]ledger.Action, error)      { return r.open, nil }
func (r *rig) Runs(context.Context, string, int) ([]retention.Run, error) { return r.runs, nil }

// run ticks once and returns every figure that was written.
func (r *rig) run(t *testing.T) (map[string]float64, error) {
	t.Helper()
	var out, log bytes.Buffer
	ticker := tick.Ticker{
		Owners: []config.Owner{{Login: "acme"}}, Limits: func(string) retention.Limits { return retention.Limits{DeletesPerDay: 200} },
		Engine: r, Ledger: r, Metrics: metrics.New(&out, "enforcer", func() time.Time { return noon }),
		PausedSince: func(context.Context) (time.Time, error) { return r.off, nil },
		Redeliver:   func(context.Context) (int, error) { r.redelivered = true; return 3, r.redeliverErr },
		Now:         func() time.Time { return noon }, Log: jsonlog.New(&log),
	}
	err := ticker.Tick(t.Context())
	got := map[string]float64{}
	dec := json.NewDecoder(&out)
	for dec.More() {
		var line map[string]any
		if derr := dec.Decode(&line); derr != nil {
			t.Fatal(derr)
		}
		for name, v := range line {
			if n, ok := v.(float64); ok {
				got[name] = n
			}
		}
	}
	return got, err
}

func TestFiguresOfATick(t *testing.T) {
	quiet := map[string]float64{"BudgetUsedPercent": 0, "PausedSeconds": 0, "UnknownOutcomes": 0, "Redelivered": 3, "RedeliverFailed": 0, "Heartbeat": 1}
	with := func(change map[string]float64, without ...string) map[string]float64 {
		out := map[string]float64{}
		for _, m := range []map[string]float64{quiet, change} {
			for k, v := range m {
				out[k] = v
			}
		}
		for _, name := range without {
			delete(out, name)
		}
		return out
	}
	for name, tc := range map[string]struct {
		rig  rig
		want map[string]float64
		err  error
	}{
		"nothing to say":           {want: quiet},
		"most of the day's budget": {rig: rig{used: 170}, want: with(map[string]float64{"BudgetUsedPercent": 85})},
		"paused by GitHub": {
			rig:  rig{state: sweep.State{PausedSince: noon.Add(-10 * time.Minute), PausedUntil: noon.Add(time.Minute)}},
			want: with(map[string]float64{"PausedSeconds": 600}),
		},
		"a pause that is over": {rig: rig{state: sweep.State{PausedSince: noon.Add(-10 * time.Minute), PausedUntil: noon}}, want: quiet},
		"switched off":         {rig: rig{off: noon.Add(-time.Hour)}, want: with(map[string]float64{"PausedSeconds": 3600}, "Redelivered", "RedeliverFailed")},
		"outcomes that nobody knows": {
			rig: rig{
				runs: []retention.Run{
					{StartedAt: noon.Add(-time.Hour), Outcomes: map[retention.Outcome]int{retention.OutcomeUnknown: 2, retention.OutcomeDone: 5}},
					{StartedAt: noon.Add(-25 * time.Hour), Outcomes: map[retention.Outcome]int{retention.OutcomeUnknown: 7}},
				},
				open: []ledger.Action{{Intent: ledger.Intent{At: noon.Add(-2 * time.Hour)}}, {Intent: ledger.Intent{At: noon.Add(-time.Minute)}}},
			},
			want: with(map[string]float64{"UnknownOutcomes": 3}),
		},
		"deliveries can't be asked for": {rig: rig{redeliverErr: errBroken}, want: with(map[string]float64{"RedeliverFailed": 1})},
		"the engine is broken":          {rig: rig{tickErr: errBroken}, want: with(nil, "Heartbeat"), err: errBroken},
		"the ledger is broken": {
			rig:  rig{usedErr: errBroken},
			want: map[string]float64{"Redelivered": 3, "RedeliverFailed": 0}, err: errBroken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.rig.run(t)
			if !errors.Is(err, tc.err) {
				t.Errorf("%v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("figures (-want +got)\n%s", diff)
			}
			if tc.rig.redelivered != tc.rig.off.IsZero() {
				t.Errorf("asked GitHub for deliveries: %v", tc.rig.redelivered)
			}
		})
	}
}
