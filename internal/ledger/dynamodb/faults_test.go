package dynamodb

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// wire is an HTTP client whose first call of an operation goes wrong.
type wire struct {
	aws.HTTPClient
	operation string
	calls     atomic.Int32
	// lose is called for the first call instead of the client; send sends it.
	lose func(send func() error) error
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+w.operation) || w.calls.Add(1) > 1 {
		return w.HTTPClient.Do(r)
	}
	return nil, w.lose(func() error {
		resp, err := w.HTTPClient.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	})
}

// answerLost lets the call take effect; neverSent does not.
func answerLost(send func() error) error { return errors.Join(send(), syscall.ECONNRESET) }
func neverSent(func() error) error       { return syscall.ECONNRESET }

func (w *wire) option(env *awstest.Env) func(*ddb.Options) {
	w.HTTPClient = env.Config.HTTPClient
	return func(o *ddb.Options) { o.HTTPClient = w }
}

func noRetries(o *ddb.Options) { o.Retryer = aws.NopRetryer{} }

// withRun returns a store whose owner has a run that is under way, and another
// handle on the same table without faults.
func withRun(t *testing.T, env *awstest.Env, opts ...func(*ddb.Options)) (table, sound *Table) {
	t.Helper()
	sound = open(t, env)
	table = New(ddb.NewFromConfig(env.Config, opts...), sound.name, sound.now)
	table.wait = backoff{attempts: 3, first: time.Millisecond, longest: time.Millisecond}
	if _, err := ledger.New(sound, sound.now).Start(t.Context(), aRun()); err != nil {
		t.Fatal(err)
	}
	return table, sound
}

func aRun() retention.Run {
	return retention.Run{ID: "run-1", Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, StartedAt: noon}
}

func intent(version retention.ID) ledger.Intent {
	return ledger.Intent{
		Run: "run-1", Owner: "acme", PackageType: retention.Container, Package: "team/api", VersionID: version, Version: "sha256:x",
		Action: retention.Delete, Target: retention.TargetVersion, Unit: version, Cost: 1, UpdatedAt: noon,
	}
}

func begin(t *testing.T, table *Table, versions ...retention.ID) (ledger.Grant, error) {
	t.Helper()
	var intents []ledger.Intent
	for _, v := range versions {
		intents = append(intents, intent(v))
	}
	limits := retention.Limits{DeletesPerRun: 5, DeletesPerDay: 5}
	return ledger.New(table, table.now).Begin(t.Context(), aRun(), limits, intents)
}

// spy keeps the batch that a ledger commits, and commits nothing.
type spy struct {
	*Table
	batch ledger.Batch
}

var errSpy = errors.New("not committed")

func (s *spy) Commit(_ context.Context, b ledger.Batch) error { s.batch = b; return errSpy }

// batch is what a ledger would commit now to begin an action on a version.
func batch(t *testing.T, table *Table, version retention.ID) ledger.Batch {
	t.Helper()
	s := &spy{Table: table}
	limits := retention.Limits{DeletesPerRun: 5, DeletesPerDay: 5}
	if _, err := ledger.New(s, table.now).Begin(t.Context(), aRun(), limits, []ledger.Intent{intent(version)}); !errors.Is(err, errSpy) {
		t.Fatal(err)
	}
	return s.batch
}

// faulty is a client with operations replaced.
type faulty struct {
	API
	transact func(context.Context, *ddb.TransactWriteItemsInput) (*ddb.TransactWriteItemsOutput, error)
	get      error // what GetItem fails with
}

func (f faulty) GetItem(ctx context.Context, in *ddb.GetItemInput, opts ...func(*ddb.Options)) (*ddb.GetItemOutput, error) {
	if f.get != nil {
		return nil, f.get
	}
	return f.API.GetItem(ctx, in, opts...)
}

func (f faulty) TransactWriteItems(ctx context.Context, in *ddb.TransactWriteItemsInput, _ ...func(*ddb.Options)) (*ddb.TransactWriteItemsOutput, error) {
	return f.transact(ctx, in)
}
