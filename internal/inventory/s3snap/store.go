package s3snap

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// API is what of S3 is used. *s3.Client of the SDK is one.
type API interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Heads keeps the head of each snapshot where all of an owner's can be had at
// once. *dynamodb.Table is one.
type Heads interface {
	SaveKnown(ctx context.Context, k retention.KnownPackage, active int) error
	Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error]
}

// Store keeps snapshots, plans and decisions in one bucket. It is safe for
// concurrent use.
type Store struct {
	client API
	bucket string
	heads  Heads
}

var _ inventory.Snapshots = (*Store)(nil)

// New returns the store in a bucket, which must be there. It makes no call.
func New(client API, bucket string, heads Heads) *Store {
	return &Store{client: client, bucket: bucket, heads: heads}
}

// Known goes over the heads of all snapshots of an owner. After an error it ends.
func (s *Store) Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return s.heads.Known(ctx, owner)
}
