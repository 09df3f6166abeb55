package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// putBatch is how many items one BatchWriteItem takes.
	putBatch = 25
	// maxManifest keeps an item below 400 KB. What is larger is not kept and has
	// to be fetched each time it is needed.
	maxManifest = 380 << 10
)

type manifestItem struct {
	key
	Digest string `dynamodbav:"digest"`
	Body   []byte `dynamodbav:"body"`
}

// Manifests returns what is kept about those of the digests that are known. A
// digest put a moment ago may still be missing: it is then fetched again, which
// costs a call and does no harm.
func (t *Table) Manifests(ctx context.Context, digests []string) (map[string][]byte, error) {
	keys := make([]key, len(digests))
	for i, d := range digests {
		keys[i] = manifestKey(d)
	}
	out := map[string][]byte{}
	err := t.getAll(ctx, keys, false, func(i item) error {
		m, err := read[manifestItem](i)
		if m.Body == nil {
			m.Body = []byte{}
		}
		out[m.Digest] = m.Body
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	return out, nil
}

// PutManifests keeps what each digest says, for good. The bytes are the caller's
// own form and replace what was kept before. More than 380 KB about one digest
// are not kept.
func (t *Table) PutManifests(ctx context.Context, bodies map[string][]byte) error {
	var puts []types.WriteRequest
	for _, d := range slices.Sorted(maps.Keys(bodies)) {
		if len(bodies[d]) > maxManifest {
			continue
		}
		i, err := attributevalue.MarshalMap(manifestItem{key: manifestKey(d), Digest: d, Body: bodies[d]})
		if err != nil {
			return fmt.Errorf("keep manifest %s: %w", d, err)
		}
		puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
	}
	for chunk := range slices.Chunk(puts, putBatch) {
		if err := t.putChunk(ctx, chunk); err != nil {
			return fmt.Errorf("keep manifests: %w", err)
		}
	}
	return nil
}

// putChunk writes until nothing is left unprocessed.
func (t *Table) putChunk(ctx context.Context, puts []types.WriteRequest) error {
	for stuck := 0; ; {
		out, err := t.client.BatchWriteItem(ctx, &ddb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{t.name: puts}})
		if err != nil {
			return err
		}
		left := out.UnprocessedItems[t.name]
		if len(left) == 0 {
			return nil
		}
		if len(left) < len(puts) {
			stuck = 0
		}
		stuck++
		if err := t.wait.again(ctx, stuck); err != nil {
			return err
		}
		puts = left
	}
}
