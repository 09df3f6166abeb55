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

// HeldError says that somebody else holds an owner.
type HeldError struct {
	Owner  string
	Holder string
	Until  time.Time // when the hold ends at the latest
}

// Error names the owner, who holds it and until when.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is being worked on (%s, until %s at the latest)", e.Owner, e.Holder, e.Until.UTC().Format(time.RFC3339))
}

type lockItem struct {
	key
	Owner  string `dynamodbav:"owner"`
	Holder string `dynamodbav:"holder"`
	Until  int64  `dynamodbav:"until"` // nanoseconds since 1970
}

// Hold takes an owner for one worker until a time, after which the worker must
// have ended: that of a function's deadline. It fails with *HeldError while
// another holds it; the same holder may take it again.
//
// The queue already works an owner's items one after the other; this keeps what
// a person starts by hand apart from them.
func (t *Table) Hold(ctx context.Context, owner, holder string, until time.Time) error {
	owner = ledger.OwnerKey(owner)
	err := t.putLock(ctx, lockItem{lockKey(owner), owner, holder, until.UnixNano()},
		"attribute_not_exists(pk) OR #holder = :holder OR #until <= :now",
		map[string]string{"#holder": "holder", "#until": "until"}, item{":holder": str(holder), ":now": number(t.now().UnixNano())})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return wrap("take "+owner, err)
	}
	held, err := read[lockItem](failed.Item)
	if err != nil {
		return wrap("take "+owner, err)
	}
	return &HeldError{Owner: owner, Holder: held.Holder, Until: time.Unix(0, held.Until)}
}

// Release gives an owner back. One that is not held by holder stays as it is.
func (t *Table) Release(ctx context.Context, owner, holder string) error {
	owner = ledger.OwnerKey(owner)
	err := t.putLock(ctx, lockItem{lockKey(owner), owner, holder, 0}, "#holder = :holder",
		map[string]string{"#holder": "holder"}, item{":holder": str(holder)})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return nil
	}
	return wrap("give back "+owner, err)
}

func (t *Table) putLock(ctx context.Context, l lockItem, condition string, names map[string]string, values item) error {
	i, err := attributevalue.MarshalMap(l)
	if err != nil {
		return err
	}
	_, err = t.client.PutItem(ctx, &ddb.PutItemInput{
		TableName: &t.name, Item: i, ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

func lockKey(owner string) key { return key{"lock#" + part(owner), only} }
