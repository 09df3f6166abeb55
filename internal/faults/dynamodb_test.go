package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// fuse is the life of a worker in this process: every call that leaves it, to
// GitHub or to the ledger, is a step before and a step after. When it is blown no
// call leaves or comes back any more, as when the machine is gone: a transaction
// that was on its way may have been written.
type fuse struct {
	mu   sync.Mutex
	n    int // steps so far
	at   int // the step at which it blows; 0 never
	dead context.CancelFunc
}

var errDead = fmt.Errorf("the worker is gone: %w", syscall.ECONNRESET)

func (f *fuse) step() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.at == 0 || f.n < f.at {
		return nil
	}
	f.dead()
	return errDead
}

func (f *fuse) blown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at != 0 && f.n >= f.at
}

// around makes a call between its two steps.
func (f *fuse) around(r *http.Request, do func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	// What was sent arrives, whatever becomes of the sender.
	resp, err := do(r.WithContext(context.WithoutCancel(r.Context())))
	if dead := f.step(); dead != nil {
		if err == nil {
			err = resp.Body.Close()
		}
		return nil, errors.Join(dead, err)
	}
	return resp, err
}

type fusedTransport struct {
	next http.RoundTripper
	fuse *fuse
}

func (t fusedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.fuse.around(r, t.next.RoundTrip)
}

type fusedClient struct {
	next aws.HTTPClient
	fuse *fuse
}

func (c fusedClient) Do(r *http.Request) (*http.Response, error) { return c.fuse.around(r, c.next.Do) }

// tables makes stores on tables of their own.
type tables struct {
	env *awstest.Env
	t   *testing.T
	mu  sync.Mutex
}

func (ts *tables) create() string {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.env.Table(ts.t, dynamodb.Definition(""))
}

// open is a store on a table; its calls are steps of the fuse, if there is one.
func (ts *tables) open(name string, f *fuse) *dynamodb.Table {
	return dynamodb.New(ddb.NewFromConfig(ts.env.Config, func(o *ddb.Options) {
		if f != nil {
			o.HTTPClient, o.Retryer = fusedClient{o.HTTPClient, f}, aws.NopRetryer{}
		}
	}), name, time.Now)
}

// killDynamoDB is the campaign against the line on the AWS ledger: all connections
// of the worker are cut between or in the middle of calls, transactions included.
func killDynamoDB(start func(testing.TB) *awstest.Env) func(t *testing.T, _ *workshop) func(*Case) {
	return func(t *testing.T, _ *workshop) func(*Case) {
		ts := &tables{env: start(t), t: t}
		undisturbed := newCalms()
		return func(c *Case) {
			l, limits := draw(c.Seed%variants), c.tightLimits()
			usual := undisturbed.of(fmt.Sprint(c.Seed%variants, limits), func() calm { return c.calmDynamoDB(ts, l, limits) })
			w, table := c.onDynamoDB(ts, l, limits)
			p := w.planned(ts, table)
			for range 1 + c.Rand.IntN(2) {
				f := &fuse{at: 1 + c.Rand.IntN(usual.calls)}
				w.applyFused(ts, table, f, p)
				if f.blown() {
					c.Count("killed")
				}
				w.check("after the kill", true)
			}
			w.applyFused(ts, table, &fuse{}, p)
			w.check("after the end", false)
			w.Found("after the end", checkFinal(w.evidence.start, w.sim.State(), usual.gone))
			if limits == roomy() {
				w.quietAgain(w.newLine(ts.open(table, nil)))
			} else {
				c.Count("with a budget that binds")
			}
			if c.Rand.IntN(4) == 0 {
				w.undone(w.newLine(ts.open(table, nil)))
			}
		}
	}
}

// calmDynamoDB applies the owner's plan undisturbed: all goes, or as much as the
// budget takes.
func (c *Case) calmDynamoDB(ts *tables, l layout, limits retention.Limits) calm {
	w, table := c.onDynamoDB(ts, l, limits)
	f := &fuse{}
	w.applyFused(ts, table, f, w.planned(ts, table))
	w.check("undisturbed", false)
	if limits == roomy() {
		w.Found("undisturbed", checkFinal(w.evidence.start, w.sim.State(), l.doomed))
	}
	return calm{calls: max(1, f.n), gone: gone(w.evidence.start, w.sim.State())}
}

// tightLimits are limits of which one holds something back in a quarter of the cases.
func (c *Case) tightLimits() retention.Limits {
	l := roomy()
	switch n := 1 + c.Rand.IntN(3); c.Rand.IntN(8) {
	case 0:
		l.DeletesPerRun = n
	case 1:
		l.DeletesPerDay = n
	}
	return l
}

func (c *Case) onDynamoDB(ts *tables, l layout, limits retention.Limits) (*world, string) {
	w, table := newWorld(c, l, limits), ts.create()
	outside := ts.open(table, nil)
	return w.on(outside), table
}
