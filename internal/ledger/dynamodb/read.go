package dynamodb

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// getBatch is how many items one BatchGetItem may ask for.
const getBatch = 100

// get reads one item, strongly consistent; nil when it is not there.
func (t *Table) get(ctx context.Context, k key) (item, error) {
	out, err := t.client.GetItem(ctx, &ddb.GetItemInput{TableName: &t.name, Key: k.item(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, nil
	}
	return out.Item, nil
}

// span is a stretch of one partition.
type span struct {
	pk        string
	after     string // sort keys above this; "" for all
	from      string // sort keys from this on; "" for all
	prefix    string // sort keys that begin so; "" for all
	backwards bool
	limit     int32 // items asked for at a time; 0 for as many as go into 1 MB
}

// input asks for the span; at most one of after, from and prefix is given.
func (s span) input(table *string) *ddb.QueryInput {
	in := &ddb.QueryInput{
		TableName: table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!s.backwards),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: item{":pk": str(s.pk)},
	}
	for _, c := range []struct{ condition, value string }{
		{"sk > :sk", s.after}, {"sk >= :sk", s.from}, {"begins_with(sk, :sk)", s.prefix},
	} {
		if c.value != "" {
			in.KeyConditionExpression = aws.String("pk = :pk AND " + c.condition)
			in.ExpressionAttributeValues[":sk"] = str(c.value)
		}
	}
	if s.limit > 0 {
		in.Limit = &s.limit
	}
	return in
}

// query hands over the items of a span in order until f wants no more.
func (t *Table) query(ctx context.Context, s span, f func(item) (more bool, err error)) error {
	in := s.input(&t.name)
	for {
		out, err := t.client.Query(ctx, in)
		if err != nil {
			return err
		}
		for _, i := range out.Items {
			if more, err := f(i); err != nil || !more {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// all decodes every item of a span.
func all[T any](ctx context.Context, t *Table, s span, decode func(item) (T, error)) (out []T, err error) {
	err = t.query(ctx, s, func(i item) (bool, error) {
		v, err := decode(i)
		out = append(out, v)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// getAll hands over those of the items that are there, in any order. Keys that
// are given twice are read once.
func (t *Table) getAll(ctx context.Context, keys []key, consistent bool, f func(item) error) error {
	unique := make(map[key]bool, len(keys))
	for _, k := range keys {
		unique[k] = true
	}
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(unique)), getBatch) {
		ask := types.KeysAndAttributes{ConsistentRead: &consistent}
		for _, k := range chunk {
			ask.Keys = append(ask.Keys, k.item())
		}
		if err := t.getChunk(ctx, ask, f); err != nil {
			return err
		}
	}
	return nil
}

// getChunk asks until nothing is left unprocessed: an answer holds 16 MB at most.
func (t *Table) getChunk(ctx context.Context, ask types.KeysAndAttributes, f func(item) error) error {
	for stuck := 0; ; {
		out, err := t.client.BatchGetItem(ctx, &ddb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{t.name: ask}})
		if err != nil {
			return err
		}
		for _, i := range out.Responses[t.name] {
			if err := f(i); err != nil {
				return err
			}
		}
		left, ok := out.UnprocessedKeys[t.name]
		if !ok || len(left.Keys) == 0 {
			return nil
		}
		if len(left.Keys) < len(ask.Keys) {
			stuck = 0
		}
		stuck++
		if err := t.wait.again(ctx, stuck); err != nil {
			return err
		}
		ask.Keys = left.Keys
	}
}
