package dynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

type deliveryItem struct {
	key
	ID    string `dynamodbav:"id"`
	Until int64  `dynamodbav:"until"` // nanoseconds since 1970
	TTL   int64  `dynamodbav:"ttl"`   // seconds since 1970, not before Until
}

// Seen reports whether a webhook delivery was marked and its time is not over.
// DynamoDB removes what has expired within days, not at once, so that the time is
// looked at here.
func (t *Table) Seen(ctx context.Context, id string) (bool, error) {
	i, err := t.get(ctx, deliveryKey(id))
	if err != nil {
		return false, fmt.Errorf("look up delivery %s: %w", id, err)
	}
	if i == nil {
		return false, nil
	}
	d, err := read[deliveryItem](i)
	if err != nil {
		return false, fmt.Errorf("look up delivery %s: %w", id, err)
	}
	return t.now().Before(time.Unix(0, d.Until)), nil
}

// Mark notes that a webhook delivery was queued, until a time. Marking it again
// moves the time.
func (t *Table) Mark(ctx context.Context, id string, until time.Time) error {
	i, err := attributevalue.MarshalMap(deliveryItem{
		key: deliveryKey(id), ID: id, Until: until.UnixNano(), TTL: until.Add(time.Second - 1).Unix(),
	})
	if err == nil {
		_, err = t.client.PutItem(ctx, &ddb.PutItemInput{TableName: &t.name, Item: i})
	}
	if err != nil {
		return fmt.Errorf("mark delivery %s: %w", id, err)
	}
	return nil
}
