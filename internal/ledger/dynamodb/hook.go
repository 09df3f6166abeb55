package dynamodb

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

type hookItem struct {
	key
	State []byte `dynamodbav:"state"`
}

// LoadHook returns how far the failed deliveries of an App's webhook have been
// gone through, as SaveHook was given it; ok is false when there is nothing.
func (t *Table) LoadHook(ctx context.Context, app int64) (state []byte, ok bool, err error) {
	i, err := t.get(ctx, hookKey(app))
	if err != nil || i == nil {
		return nil, false, wrap("read where redelivering stands", err)
	}
	h, err := read[hookItem](i)
	return h.State, err == nil, wrap("read where redelivering stands", err)
}

// SaveHook keeps it in place of what was kept before.
func (t *Table) SaveHook(ctx context.Context, app int64, state []byte) error {
	i, err := attributevalue.MarshalMap(hookItem{hookKey(app), state})
	if err == nil {
		_, err = t.client.PutItem(ctx, &ddb.PutItemInput{TableName: &t.name, Item: i})
	}
	return wrap("keep where redelivering stands", err)
}

func hookKey(app int64) key { return key{"hook#" + strconv.FormatInt(app, 10), only} }
