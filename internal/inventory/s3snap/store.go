package s3snap

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/inventory"
)

// API is what of S3 is used. *s3.Client of the SDK is one.
type API interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Store keeps snapshots and decisions in one bucket. It is safe for concurrent use.
type Store struct {
	client API
	bucket string
}

var _ inventory.Snapshots = (*Store)(nil)

// New returns the store in a bucket, which must be there. It makes no call.
func New(client API, bucket string) *Store { return &Store{client: client, bucket: bucket} }
