package dynamodb

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// ErrStale is what SaveSweep returns when the sweep was saved by somebody else
// since it was loaded. Nothing was written.
var ErrStale = errors.New("the state of the sweep was changed at the same time: the next attempt reads it again")

// Sweeps keeps where each owner's sweep stands, as the document that the engine
// gives. It is safe for concurrent use; an owner is worked by one at a time.
type Sweeps struct {
	table *Table
	mu    sync.Mutex
	revs  map[string]int64 // as last loaded or saved here, by owner
}

// Sweeps returns the sweeps in the table.
func (t *Table) Sweeps() *Sweeps { return &Sweeps{table: t, revs: map[string]int64{}} }

type sweepItem struct {
	key
	Owner string `dynamodbav:"owner"`
	// State is compressed: the packages that were put off can make it larger
	// than the 400 KB of an item.
	State []byte `dynamodbav:"state"`
	Rev   int64  `dynamodbav:"rev"` // counts the savings
}

// LoadSweep returns what SaveSweep kept; ok is false when there is nothing.
func (s *Sweeps) LoadSweep(ctx context.Context, owner string) (state []byte, ok bool, err error) {
	owner = ledger.OwnerKey(owner)
	i, err := s.table.get(ctx, sweepKey(owner))
	var kept sweepItem
	if err == nil && i != nil {
		if kept, err = read[sweepItem](i); err == nil {
			state, err = unzip(kept.State)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the sweep of %s: %w", owner, err)
	}
	s.note(owner, kept.Rev)
	return state, i != nil, nil
}

// SaveSweep writes the state of an owner's sweep if nobody else has since it was
// loaded here (ErrStale). It is durable when it returns.
func (s *Sweeps) SaveSweep(ctx context.Context, owner string, state []byte) error {
	owner = ledger.OwnerKey(owner)
	s.mu.Lock()
	before := s.revs[owner]
	s.mu.Unlock()
	body, err := zipped(state)
	if err == nil {
		err = s.put(ctx, sweepItem{sweepKey(owner), owner, body, before + 1}, before)
	}
	if err != nil {
		return fmt.Errorf("save the sweep of %s: %w", owner, err)
	}
	s.note(owner, before+1)
	return nil
}

func (s *Sweeps) note(owner string, rev int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revs[owner] = rev
}

func (s *Sweeps) put(ctx context.Context, it sweepItem, before int64) error {
	i, err := attributevalue.MarshalMap(it)
	if err != nil {
		return err
	}
	in := &ddb.PutItemInput{
		TableName: &s.table.name, Item: i, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if before != 0 {
		in.ConditionExpression = aws.String("#rev = :rev")
		in.ExpressionAttributeNames = map[string]string{"#rev": "rev"}
		in.ExpressionAttributeValues = item{":rev": number(before)}
	}
	_, err = s.table.client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	// When an answer was lost and the client asked again, what stands in the way
	// is what was asked for.
	if there, err := read[sweepItem](failed.Item); err == nil && there.Rev == it.Rev && bytes.Equal(there.State, it.State) {
		return nil
	}
	return ErrStale
}

func zipped(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(b)
	err = errors.Join(err, z.Close())
	return buf.Bytes(), err
}

// maxState bounds what a document unpacks to.
const maxState = 16 << 20

func unzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, maxState+1))
	if err == nil && len(out) > maxState {
		err = fmt.Errorf("it is larger than %d MiB", maxState>>20)
	}
	return out, err
}
