package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// Instance is one place that holds a ledger, empty at first.
type Instance struct {
	Store ledger.Store
	// Another opens one more handle on the same place, as another process would.
	Another func(t *testing.T) ledger.Store
	// Tamper changes what is kept behind the ledger's back. seq is the record
	// concerned, for those wounds that concern one.
	Tamper func(t *testing.T, owner string, wound Wound, seq int64)
}

// Wound is a way of tampering with a ledger.
type Wound string

// The wounds that Verify must notice.
const (
	EditBody    Wound = "body edited"        // a character of record seq's body differs
	DropRecord  Wound = "record removed"     // record seq is missing
	CutTail     Wound = "tail cut off"       // record seq, the last, is missing and the head set back
	LowerCount  Wound = "counter lowered"    // every counter is one less
	ForgeAction Wound = "outcome rewritten"  // every action kept beside the chain says done
	DropActions Wound = "actions removed"    // no action is kept beside the chain
	ForgeRun    Wound = "run rewritten"      // every run kept beside the chain has one item more planned
	ExtraCount  Wound = "counter made up"    // there is a counter "run/made-up" of 1
	RehashBody  Wound = "record made to fit" // as EditBody, and the record's own hash is made to fit
)

// Wounds returns all of them.
func Wounds() []Wound {
	return []Wound{EditBody, DropRecord, CutTail, LowerCount, ForgeAction, DropActions, ForgeRun, ExtraCount, RehashBody}
}

// Run proves that a Store does what the ledger needs. open returns a fresh place
// each time it is called.
func Run(t *testing.T, open func(t *testing.T) Instance) {
	tests := []struct {
		name string
		test func(t *testing.T, in Instance)
	}{
		{"a run is started once, resumed, and closed once", testRunLife},
		{"intents begun again are found, not reserved again", testIdempotence},
		{"a reservation is granted whole or not at all", testAllOrNothing},
		{"zero means zero", testZeroLimits},
		{"restores spend nothing", testRestoresAreFree},
		{"the day's budget begins anew at midnight UTC, the run's does not", testDayBoundary},
		{"ten workers on their own handles spend the budget to the last one", testTenWorkers},
		{"workers that begin the same intents record them once", testSameIntents},
		{"after a crash the open intents are there for whoever comes next", testCrash},
		{"outcomes stand, except that unknown may be found out", testOutcomes},
		{"a full batch fits, a larger one is refused", testBatchSize},
		{"a stale head conflicts and writes nothing", testConflict},
		{"what exists is not created again", testExists},
		{"spellings of an owner share one chain and one budget", testSpelling},
		{"owners do not see one another", testOwners},
		{"lists come in order", testOrder},
		{"refusals are remembered until something goes through", testRefusals},
		{"deletions are ours until restored", testDeletedBy},
		{"any text survives", testText},
		{"the chain is whole and its export proves it", testExport},
		{"an earlier head is still in the chain", testExpect},
		{"nothing is written under a cancelled context", testCancelled},
		{"the ledger agrees with a model of it", testModel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
	for _, w := range Wounds() {
		t.Run("tampering is noticed: "+string(w), func(t *testing.T) { testTamper(t, open(t), w) })
	}
}

func newClock() *testclock.Clock {
	return testclock.New(time.Date(2026, 11, 22, 23, 30, 0, 123456789, time.UTC))
}

// bench is what most tests need: a ledger on a clock with a started run.
type bench struct {
	*ledger.Ledger
	t     *testing.T
	ctx   context.Context
	clock *testclock.Clock
	run   retention.Run
}

func newBench(t *testing.T, in Instance) *bench {
	t.Helper()
	c := newClock()
	b := &bench{Ledger: ledger.New(in.Store, c.Now), t: t, ctx: t.Context(), clock: c, run: aRun("acme", "plan-1")}
	b.start(b.run)
	return b
}

// another is the same bench on a handle of its own.
func (b *bench) another(in Instance) *bench {
	other := *b
	other.Ledger = ledger.New(in.Another(b.t), b.clock.Now)
	return &other
}

func (b *bench) start(run retention.Run) {
	b.t.Helper()
	if _, err := b.Start(b.ctx, run); err != nil {
		b.t.Fatal(err)
	}
}

// begin begins intents under limits that allow everything.
func (b *bench) begin(intents ...ledger.Intent) ledger.Grant {
	b.t.Helper()
	g, err := b.Begin(b.ctx, b.run, retention.DefaultLimits(), intents)
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *bench) finish(in ledger.Intent, o retention.Outcome) {
	b.t.Helper()
	if err := b.Finish(b.ctx, in, ledger.Result{Outcome: o, RequestID: "ABC1:" + in.VersionID.String()}); err != nil {
		b.t.Fatal(err)
	}
}

// do begins one intent and finishes it.
func (b *bench) do(in ledger.Intent, o retention.Outcome) ledger.Intent {
	b.t.Helper()
	g := b.begin(in)
	if len(g.New) != 1 {
		b.t.Fatalf("begin granted %d new intents, want 1", len(g.New))
	}
	b.finish(g.New[0], o)
	return g.New[0]
}

// whole makes sure that the chain is.
func (b *bench) whole() ledger.Verification {
	b.t.Helper()
	v, err := b.Verify(b.ctx, b.run.Owner)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bench) used() ledger.Used {
	b.t.Helper()
	u, err := b.Used(b.ctx, b.run.Owner, b.run.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func aRun(owner, id string) retention.Run {
	return retention.Run{
		ID: id, Owner: owner, Kind: retention.RunApply, Mode: retention.Enforce, Planned: 3, BundleDigest: "sha256:b0",
		Trigger: retention.Trigger{Kind: retention.TriggerCLI}, Actor: "ops",
		StartedAt: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC),
	}
}

func apiPackage(owner string) retention.PackageRef {
	return retention.PackageRef{Owner: owner, Type: retention.Container, Name: "team/api"}
}

// deletion is the intent to delete a version of acme's team/api.
func deletion(run retention.Run, version retention.ID) ledger.Intent {
	ref := apiPackage(run.Owner)
	return ledger.Intent{
		Run: run.ID, Owner: ref.Owner, PackageType: ref.Type, Package: ref.Name, VersionID: version,
		Version: fmt.Sprintf("sha256:%064d", version), Tags: []string{"pr-7"}, Action: retention.Delete, Target: retention.TargetVersion,
		Rules: []retention.Rule{{Policy: "expire_pull_requests", Action: retention.Delete, Reason: "<old> & done", Severity: "low", Mode: retention.Enforce, CascadeOf: &version}},
		Unit:  version, Cost: 1, UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// restore is the intent to bring that version back.
func restore(run retention.Run, version retention.ID) ledger.Intent {
	in := deletion(run, version)
	in.Action, in.Rules, in.Tags = retention.Restore, nil, nil
	return in
}

func deletions(run retention.Run, from, to retention.ID) []ledger.Intent {
	var out []ledger.Intent
	for v := from; v <= to; v++ {
		out = append(out, deletion(run, v))
	}
	return out
}

func perRun(n int) retention.Limits {
	return retention.Limits{DeletesPerRun: n, DeletesPerDay: 1 << 30}
}

func perDay(n int) retention.Limits {
	return retention.Limits{DeletesPerRun: 1 << 30, DeletesPerDay: n}
}

func versionsOf(actions []ledger.Action) []string {
	var out []string
	for _, a := range actions {
		out = append(out, strings.TrimSpace(a.VersionID.String()+" "+string(a.Outcome)))
	}
	return out
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
