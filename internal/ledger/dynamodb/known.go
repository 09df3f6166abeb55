package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// knownItem is the head of a package's snapshot, whose body is on S3.
type knownItem struct {
	key
	Owner  string                `dynamodbav:"owner"`
	Type   retention.PackageType `dynamodbav:"type"`
	Name   string                `dynamodbav:"name"`
	State  retention.State       `dynamodbav:"state"`
	ReadAt time.Time             `dynamodbav:"read_at"`
	Active int                   `dynamodbav:"active"`
}

// SaveKnown keeps the head of a package's snapshot, with the number of active
// versions in it, in place of the one before.
func (t *Table) SaveKnown(ctx context.Context, k retention.KnownPackage, active int) error {
	i, err := attributevalue.MarshalMap(knownItem{
		knownKey(k.Ref), k.Ref.Owner, k.Ref.Type, k.Ref.Name, k.State, k.ReadAt.UTC(), active,
	})
	if err == nil {
		_, err = t.client.PutItem(ctx, &ddb.PutItemInput{TableName: &t.name, Item: i})
	}
	return wrap("keep that "+k.Ref.String()+" is known", err)
}

// Known goes over the heads of all of an owner's snapshots, by type and name.
// After an error it ends.
func (t *Table) Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return func(yield func(retention.KnownPackage, error) bool) {
		enough := false
		err := t.knownItems(ctx, owner, func(k knownItem) bool {
			ref := retention.PackageRef{Owner: k.Owner, Type: k.Type, Name: k.Name}
			enough = !yield(retention.KnownPackage{Ref: ref, State: k.State, ReadAt: k.ReadAt}, nil)
			return !enough
		})
		if err != nil && !enough {
			yield(retention.KnownPackage{}, fmt.Errorf("known packages of %s: %w", owner, err))
		}
	}
}

// ActiveVersions counts the active versions of an owner's packages as they were
// last read.
func (t *Table) ActiveVersions(ctx context.Context, owner string) (int, error) {
	n := 0
	err := t.knownItems(ctx, owner, func(k knownItem) bool {
		n += k.Active
		return true
	})
	if err != nil {
		return 0, fmt.Errorf("count the versions of %s: %w", owner, err)
	}
	return n, nil
}

func (t *Table) knownItems(ctx context.Context, owner string, f func(knownItem) bool) error {
	return t.query(ctx, span{pk: knownPK(ledger.OwnerKey(owner))}, func(i item) (bool, error) {
		k, err := read[knownItem](i)
		if err == nil && (k.Owner == "" || k.Name == "") {
			err = errors.New("one of them has no name")
		}
		return err == nil && f(k), err
	})
}
