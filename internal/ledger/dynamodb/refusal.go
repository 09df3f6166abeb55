package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// verdict is what an error of a transaction amounts to.
type verdict int

const (
	refused   verdict = iota // it was not written, or nobody knows: the error says which
	written                  // it was
	throttled                // it was not, and may be tried as it is
)

// The codes of a cancellation reason, from the API reference of TransactWriteItems.
const (
	codeCondition = "ConditionalCheckFailed"
	codeConflict  = "TransactionConflict"
)

var codesThrottled = []string{"ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"}

// judge finds out what became of a transaction that ended in cause.
func (t *Table) judge(ctx context.Context, b ledger.Batch, token string, steps []step, cause error) (verdict, error) {
	var cancelled *types.TransactionCanceledException
	if !errors.As(cause, &cancelled) {
		// Whatever the last answer was, an earlier attempt of the client may
		// have got through without its answer.
		return t.look(ctx, b, token, cause)
	}
	reasons := cancelled.CancellationReasons
	if len(reasons) != len(steps) {
		return t.look(ctx, b, token, fmt.Errorf("%d reasons for %d items: %w", len(reasons), len(steps), cause))
	}
	failed := first(steps, reasons)
	switch {
	case failed < 0:
		return byCode(reasons, cause)
	case steps[failed].role == moveHead:
		return t.moved(ctx, b, token, reasons[failed].Item)
	}
	// The contract puts a conflict before everything else, and a transaction
	// need not name all that is wrong with it.
	head, err := t.Head(ctx, b.Owner)
	if err != nil {
		return refused, fmt.Errorf("read the head: %w", err)
	}
	if head != b.Expect {
		return t.look(ctx, b, token, ledger.ErrConflict)
	}
	return refused, refusal(steps[failed], reasons[failed].Item)
}

// first finds the failed condition that counts, -1 when none failed.
func first(steps []step, reasons []types.CancellationReason) int {
	at := -1
	for i, r := range reasons {
		if aws.ToString(r.Code) == codeCondition && (at < 0 || steps[i].role < steps[at].role) {
			at = i
		}
	}
	return at
}

// byCode judges a cancellation in which no condition failed.
func byCode(reasons []types.CancellationReason, cause error) (verdict, error) {
	has := func(codes ...string) bool {
		return slices.ContainsFunc(reasons, func(r types.CancellationReason) bool { return slices.Contains(codes, aws.ToString(r.Code)) })
	}
	switch {
	case has(codeConflict):
		return refused, fmt.Errorf("%w: another transaction was under way", ledger.ErrConflict)
	case has(codesThrottled...):
		return throttled, cause
	}
	return refused, cause
}

// refusal is what a failed condition means when the head is where it should be.
func refusal(s step, old item) error {
	switch s.role {
	case create:
		return fmt.Errorf("%w: %s", ledger.ErrExists, s.what)
	case reserve:
		used, err := read[counterItem](old)
		if err != nil {
			return err
		}
		return &ledger.BudgetError{Which: s.add.Guard, Limit: s.add.Limit, Used: used.N, Asked: s.add.N}
	case appendPage:
		return fmt.Errorf("%s are there already, though the head is before them: the ledger was tampered with; run shelflife ledger verify", s.what)
	}
	return fmt.Errorf("%s is not there", s.what)
}

// moved judges a batch that found another head than it expected: maybe its own.
func (t *Table) moved(ctx context.Context, b ledger.Batch, token string, old item) (verdict, error) {
	head, err := read[headItem](old)
	switch {
	case err != nil:
		return refused, err
	case head.Writer == token && head.Seq == b.Head().Seq:
		return written, nil
	case len(old) > 0 && head.Seq <= b.Head().Seq:
		return refused, ledger.ErrConflict // it never got as far
	}
	return t.look(ctx, b, token, ledger.ErrConflict) // others may have gone on from it
}

// look finds out by reading whether the batch was written. If not, cause stands.
func (t *Table) look(ctx context.Context, b ledger.Batch, token string, cause error) (verdict, error) {
	landed, err := t.landed(ctx, b, token)
	switch {
	case err != nil:
		return refused, fmt.Errorf("%w; whether it was written could not be read: %w", cause, err)
	case landed:
		return written, nil
	}
	return refused, cause
}

// landed reports whether the batch's last page is there and bears its token.
func (t *Table) landed(ctx context.Context, b ledger.Batch, token string) (bool, error) {
	i, err := t.get(ctx, pageKey(b.Owner, b.Head().Seq))
	if err != nil || i == nil {
		return false, err
	}
	p, err := read[pageItem](i)
	return err == nil && p.Writer == token, err
}
