package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// ErrStale is what SaveSweep returns when the sweep was saved by somebody else
// since it was read. Nothing was written.
var ErrStale = errors.New("the state of the sweep was changed at the same time: read it again")

// Sweep is how far an owner's sweep has come. The zero Sweep is that of an owner
// who was never swept.
type Sweep struct {
	Owner       string    // in any spelling
	Run         string    // run that is under way; "" when none is
	Cursor      string    // where it goes on; the caller's own form
	StartedAt   time.Time // when the last one was started, which says when the next is due
	FinishedAt  time.Time // when the last one was through; zero while it is under way
	PausedUntil time.Time // a rate limit: nothing is done before; zero when there is none
	// Rev counts the savings. It is given by Sweep and checked by SaveSweep.
	Rev int64
}

type sweepItem struct {
	key
	Owner       string    `dynamodbav:"owner"`
	Run         string    `dynamodbav:"run"`
	Cursor      string    `dynamodbav:"cursor"`
	StartedAt   time.Time `dynamodbav:"started_at"`
	FinishedAt  time.Time `dynamodbav:"finished_at"`
	PausedUntil time.Time `dynamodbav:"paused_until"`
	Rev         int64     `dynamodbav:"rev"`
}

// Sweep returns the state of an owner's sweep.
func (t *Table) Sweep(ctx context.Context, owner string) (Sweep, error) {
	owner = ledger.OwnerKey(owner)
	i, err := t.get(ctx, sweepKey(owner))
	if err != nil {
		return Sweep{}, fmt.Errorf("sweep of %s: %w", owner, err)
	}
	if i == nil {
		return Sweep{Owner: owner}, nil
	}
	s, err := read[sweepItem](i)
	if err != nil {
		return Sweep{}, fmt.Errorf("sweep of %s: %w", owner, err)
	}
	return Sweep{s.Owner, s.Run, s.Cursor, s.StartedAt, s.FinishedAt, s.PausedUntil, s.Rev}, nil
}

// SaveSweep writes the state of an owner's sweep if nobody else has since it was
// read (ErrStale), and returns it as it is now, for the next saving.
//
// After an answer was lost, ErrStale may be about the caller's own first try: to
// read again is right then too.
func (t *Table) SaveSweep(ctx context.Context, s Sweep) (Sweep, error) {
	s.Owner = ledger.OwnerKey(s.Owner)
	before := s.Rev
	s.Rev++
	i, err := attributevalue.MarshalMap(sweepItem{
		sweepKey(s.Owner), s.Owner, s.Run, s.Cursor, s.StartedAt.UTC(), s.FinishedAt.UTC(), s.PausedUntil.UTC(), s.Rev,
	})
	if err != nil {
		return Sweep{}, fmt.Errorf("save the sweep of %s: %w", s.Owner, err)
	}
	in := &ddb.PutItemInput{TableName: &t.name, Item: i, ConditionExpression: aws.String("attribute_not_exists(pk)")}
	if before != 0 {
		in.ConditionExpression = aws.String("#rev = :rev")
		in.ExpressionAttributeNames = map[string]string{"#rev": "rev"}
		in.ExpressionAttributeValues = item{":rev": number(before)}
	}
	_, err = t.client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		err = ErrStale
	}
	if err != nil {
		return Sweep{}, fmt.Errorf("save the sweep of %s: %w", s.Owner, err)
	}
	return s, nil
}
