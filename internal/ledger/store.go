package ledger

import (
	"context"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Head is the end of an owner's chain. The zero Head is an empty chain.
type Head struct {
	Seq  int64  // sequence number of the last record, from 1
	Hash string // its hash
}

// Add raises a counter by N unless that takes it beyond Limit.
type Add struct {
	Name  string
	N     int
	Limit int
	Guard retention.GuardCode // named by the BudgetError
}

// Batch is one atomic step. With MaxIntents intents it touches at most
// 2·MaxIntents+4 items, which fits DynamoDB's 100 per transaction.
type Batch struct {
	Owner    string   // key of the chain
	Expect   Head     // what the batch was built on
	Records  []Record // continue the chain from Expect; never empty
	Counters []Add    // at most two
	// StartRun and BeginActions create and fail with ErrExists when something is
	// there; FinishRun and FinishAction replace what is there.
	StartRun     *retention.Run
	FinishRun    *retention.Run
	BeginActions []Action
	FinishAction *Action
}

// Head is where the chain stands after the batch.
func (b Batch) Head() Head {
	last := b.Records[len(b.Records)-1]
	return Head{Seq: last.Seq, Hash: last.Hash}
}

// Chain is the writing half of a Store, and the raw records.
//
// Owners are keys made by OwnerKey throughout; Head, Run and Lookup must be
// strongly consistent. None of it needs to walk over other owners' data.
type Chain interface {
	// Owners returns the keys of all chains, sorted.
	Owners(ctx context.Context) ([]string, error)
	// Head returns the end of a chain, the zero Head when there is none.
	Head(ctx context.Context, owner string) (Head, error)
	// Commit writes the batch wholly and durably or not at all. It fails with
	// ErrConflict when the head is not Expect (whatever else is wrong), with
	// ErrExists, or with a *BudgetError of the first counter that is exceeded.
	Commit(ctx context.Context, b Batch) error
	// Records returns up to limit records after a sequence number, in order.
	Records(ctx context.Context, owner string, after int64, limit int) ([]Record, error)
	// Counters returns every counter of an owner. A counter without an entry is 0.
	Counters(ctx context.Context, owner string) (map[string]int, error)
	// Counter returns one counter, strongly consistent.
	Counter(ctx context.Context, owner, name string) (int, error)
}

// Index is the reading half: what the records amount to, by key.
type Index interface {
	// Run returns one run; ok is false when it was not started.
	Run(ctx context.Context, owner, id string) (run retention.Run, ok bool, err error)
	// Runs returns runs, the newest first (by StartedAt, then id descending);
	// limit 0 means all.
	Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error)
	// Lookup returns those of a run's actions that are there, in any order.
	Lookup(ctx context.Context, owner, run string, ids []string) ([]Action, error)
	// Actions returns a run's actions by Seq.
	Actions(ctx context.Context, owner, run string) ([]Action, error)
	// OpenActions returns an owner's actions without an outcome, by Seq.
	OpenActions(ctx context.Context, owner string) ([]Action, error)
	// PackageActions returns the actions on one package and its versions that
	// began at or after since, by Seq. ref.Owner is a key.
	PackageActions(ctx context.Context, ref retention.PackageRef, since time.Time) ([]Action, error)
}

// Store is what a database must offer to hold the ledger. The conformance suite
// is in ledgertest.
type Store interface {
	Chain
	Index
}
