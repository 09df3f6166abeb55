// Package deliveries remembers which webhook deliveries were queued, in items of
// their own of the DynamoDB table that also holds the ledger:
//
//	pk               sk  what
//	delivery#<key>   -   until; the attribute ttl removes it
//
// It stands apart from the ledger so that the webhook function, which needs nothing
// else of the table, neither links nor may touch the rest. It needs
// dynamodb:GetItem and dynamodb:PutItem on delivery#*.
package deliveries

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// API is what of DynamoDB is used. *dynamodb.Client of the SDK is one.
type API interface {
	GetItem(context.Context, *ddb.GetItemInput, ...func(*ddb.Options)) (*ddb.GetItemOutput, error)
	PutItem(context.Context, *ddb.PutItemInput, ...func(*ddb.Options)) (*ddb.PutItemOutput, error)
}

// Store remembers deliveries. It is safe for concurrent use.
type Store struct {
	client API
	table  string
	now    func() time.Time
}

// New returns the store in a table, whose keys are strings named pk and sk. It
// makes no call. now tells which deliveries have expired.
func New(client API, table string, now func() time.Time) *Store {
	return &Store{client: client, table: table, now: now}
}

type item = map[string]types.AttributeValue

func itemKey(key string) item {
	return item{"pk": &types.AttributeValueMemberS{Value: "delivery#" + key}, "sk": &types.AttributeValueMemberS{Value: "-"}}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Seen reports whether a delivery was marked and its time is not over. DynamoDB
// removes what has expired within days, not at once, so that the time is looked at
// here.
func (s *Store) Seen(ctx context.Context, key string) (bool, error) {
	out, err := s.client.GetItem(ctx, &ddb.GetItemInput{TableName: &s.table, Key: itemKey(key), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return false, fmt.Errorf("look up delivery %s: %w", key, err)
	}
	if len(out.Item) == 0 {
		return false, nil
	}
	until, err := nanoseconds(out.Item["until"])
	if err != nil {
		return false, fmt.Errorf("look up delivery %s: %w", key, err)
	}
	return s.now().Before(until), nil
}

func nanoseconds(v types.AttributeValue) (time.Time, error) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}, errors.New("its item has no time")
	}
	ns, err := strconv.ParseInt(n.Value, 10, 64)
	return time.Unix(0, ns), err
}

// Mark notes that a delivery was queued, until a time. Marking it again moves the
// time.
func (s *Store) Mark(ctx context.Context, key string, until time.Time) error {
	i := itemKey(key)
	i["until"] = number(until.UnixNano())
	i["ttl"] = number(until.Add(time.Second - 1).Unix()) // in seconds, and not before its time
	if _, err := s.client.PutItem(ctx, &ddb.PutItemInput{TableName: &s.table, Item: i}); err != nil {
		return fmt.Errorf("mark delivery %s: %w", key, err)
	}
	return nil
}
