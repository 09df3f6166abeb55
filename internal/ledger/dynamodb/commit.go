package dynamodb

import (
	"context"
	"crypto/rand"
	"fmt"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/shelflife-dev/shelflife/internal/ledger"
)

// maxItems is how many items a transaction may touch.
const maxItems = 100

// Commit writes a batch in one transaction. See the package comment on what
// happens when the answer is lost.
//
// After an error that is none of ErrConflict, ErrExists and *BudgetError the
// batch was not found in the table when that could be looked up; a transaction
// still on its way may write it later, as after any lost answer.
func (t *Table) Commit(ctx context.Context, b ledger.Batch) error {
	if len(b.Records) == 0 {
		return fmt.Errorf("commit to %s: the batch has no records", b.Owner)
	}
	token := rand.Text() // 26 characters; a ClientRequestToken takes 36
	steps, err := transaction(t.name, b, token)
	if err != nil {
		return fmt.Errorf("commit to %s: %w", b.Owner, err)
	}
	if len(steps) > maxItems {
		return fmt.Errorf("commit to %s: the batch takes %d items, a transaction holds %d: begin fewer intents at once", b.Owner, len(steps), maxItems)
	}
	in := &ddb.TransactWriteItemsInput{ClientRequestToken: &token}
	for _, s := range steps {
		in.TransactItems = append(in.TransactItems, s.write)
	}
	for attempt := 1; ; attempt++ {
		_, err := t.client.TransactWriteItems(ctx, in)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("commit to %s: %w: whether it was written is not known", b.Owner, ctx.Err())
		}
		verdict, err := t.judge(ctx, b, token, steps, err)
		if verdict == throttled {
			if err = t.wait.again(ctx, attempt); err == nil {
				continue
			}
		}
		if verdict == written {
			return nil
		}
		return fmt.Errorf("commit to %s: %w", b.Owner, err)
	}
}
