package dynamodb

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// The items of the ledger as they are written.
type (
	ownerItem struct {
		key
		Owner string `dynamodbav:"owner"`
	}
	headItem struct {
		key
		Seq    int64  `dynamodbav:"seq"`
		Hash   string `dynamodbav:"hash"`
		Writer string `dynamodbav:"writer"` // token of the Commit that put it there
	}
	counterItem struct {
		key
		Name string `dynamodbav:"name"`
		N    int    `dynamodbav:"n"`
	}
	pageItem struct {
		key
		Records []recordItem `dynamodbav:"records"`
		Writer  string       `dynamodbav:"writer,omitempty"` // on the last page of a batch
	}
	// recordItem keeps the body as text of its own: the hash is over its exact bytes.
	recordItem struct {
		V     int    `dynamodbav:"v"`
		Owner string `dynamodbav:"owner"`
		Seq   int64  `dynamodbav:"seq"`
		At    string `dynamodbav:"at"`
		Kind  string `dynamodbav:"kind"`
		Run   string `dynamodbav:"run"`
		Body  string `dynamodbav:"body"`
		Prev  string `dynamodbav:"prev"`
		Hash  string `dynamodbav:"hash"`
	}
	// docItem holds a run or an action as its JSON, which is how the ledger
	// compares it with the chain.
	docItem struct {
		key
		Doc string `dynamodbav:"doc"`
	}
	// runRef is an entry of the lists of runs.
	runRef struct {
		key
		Run string `dynamodbav:"run"`
	}
	// packageItem points at the actions that a batch began on a package.
	packageItem struct {
		key
		Run string   `dynamodbav:"run"`
		IDs []string `dynamodbav:"ids"`
	}
)

func toRecordItem(r ledger.Record) recordItem {
	return recordItem{
		V: r.V, Owner: r.Owner, Seq: r.Seq, At: r.At.UTC().Format(time.RFC3339Nano), Kind: string(r.Kind),
		Run: r.Run, Body: string(r.Body), Prev: r.Prev, Hash: r.Hash,
	}
}

func (r recordItem) record() (ledger.Record, error) {
	at, err := time.Parse(time.RFC3339Nano, r.At)
	if err != nil {
		return ledger.Record{}, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return ledger.Record{
		V: r.V, Owner: r.Owner, Seq: r.Seq, At: at, Kind: ledger.Kind(r.Kind),
		Run: r.Run, Body: json.RawMessage(r.Body), Prev: r.Prev, Hash: r.Hash,
	}, nil
}

func toDoc(k key, v any) (docItem, error) {
	b, err := json.Marshal(v)
	return docItem{key: k, Doc: string(b)}, err
}

func readRun(i item) (run retention.Run, err error)  { err = readDoc(i, &run); return run, err }
func readAction(i item) (a ledger.Action, err error) { err = readDoc(i, &a); return a, err }

func readDoc(i item, into any) error {
	d, err := read[docItem](i)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(d.Doc), into); err != nil {
		return fmt.Errorf("item %s %s: %w", d.PK, d.SK, err)
	}
	return nil
}

// read decodes an item.
func read[T any](i item) (v T, err error) {
	if err := attributevalue.UnmarshalMap(i, &v); err != nil {
		return v, fmt.Errorf("decode an item: %w", err)
	}
	return v, nil
}
