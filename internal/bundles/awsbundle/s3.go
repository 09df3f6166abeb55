package awsbundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/shelflife-dev/shelflife/internal/bundles"
)

// S3 is what of S3 is used. *s3.Client of the SDK is one.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Getter gets a bundle from S3.
type Getter struct {
	client      S3
	bucket, key string
	maxBytes    int64
}

var _ bundles.Getter = (*Getter)(nil)

// NewGetter reads an address s3://bucket/key. It makes no call.
func NewGetter(client S3, address string, maxBytes int64) (*Getter, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || strings.Trim(u.Path, "/") == "" || u.RawQuery != "" {
		return nil, fmt.Errorf("a bundle on S3 is written s3://BUCKET/KEY, and not %q", address)
	}
	return &Getter{client: client, bucket: u.Host, key: strings.TrimPrefix(u.Path, "/"), maxBytes: maxBytes}, nil
}

// Get fetches the bundle, unless it is the one that etag stands for.
func (g *Getter) Get(ctx context.Context, etag string) (bundles.Fetched, error) {
	in := &s3.GetObjectInput{Bucket: &g.bucket, Key: &g.key}
	if etag != "" {
		in.IfNoneMatch = &etag
	}
	out, err := g.client.GetObject(ctx, in)
	if answered, ok := errors.AsType[*awshttp.ResponseError](err); ok && etag != "" && answered.HTTPStatusCode() == http.StatusNotModified {
		return bundles.Fetched{NotModified: true, ETag: etag}, nil
	}
	if err != nil {
		return bundles.Fetched{}, fmt.Errorf("get it from S3: %w", err)
	}
	defer func() { _ = out.Body.Close() }()
	body, err := bundles.ReadAtMost(out.Body, g.maxBytes)
	if err != nil {
		return bundles.Fetched{}, err
	}
	return bundles.Fetched{Body: body, ETag: aws.ToString(out.ETag)}, nil
}

// Store keeps the last good bundle of each source as one object in a bucket.
type Store struct {
	client S3
	bucket string
}

var _ bundles.Store = (*Store)(nil)

// NewStore returns the store in a bucket, which must be there. It makes no call.
func NewStore(client S3, bucket string) *Store { return &Store{client: client, bucket: bucket} }

// maxKept bounds a kept bundle, which is written as JSON with the archive in base64.
const maxKept = 32 << 20

func (s *Store) object(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "bundles/" + hex.EncodeToString(sum[:16]) + ".json"
}

// Bundle returns the kept bundle of a source; false when there is none. Of an object
// that is not what KeepBundle wrote comes one that no loader opens.
func (s *Store) Bundle(ctx context.Context, source string) (bundles.Kept, bool, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(s.object(source))})
	if _, missing := errors.AsType[*types.NoSuchKey](err); missing {
		return bundles.Kept{}, false, nil
	}
	if err != nil {
		return bundles.Kept{}, false, fmt.Errorf("read the kept bundle from S3: %w", err)
	}
	defer func() { _ = out.Body.Close() }()
	text, err := bundles.ReadAtMost(out.Body, maxKept)
	if err != nil {
		return bundles.Kept{}, false, fmt.Errorf("read the kept bundle from S3: %w", err)
	}
	var k bundles.Kept
	if json.Unmarshal(text, &k) != nil {
		// As damaged as one whose archive has another digest, and refused as that is:
		// a bundle that the source still gives takes its place, and without one
		// nothing is decided. An error would stand in the way of the healthy source.
		return bundles.Kept{Source: source, Digest: "unreadable"}, true, nil
	}
	if k.Source != source {
		return bundles.Kept{}, false, fmt.Errorf("the kept bundle %s is that of %q; delete the object", s.object(source), k.Source)
	}
	return k, true, nil
}

// KeepBundle puts a bundle in the place of the source's former one.
func (s *Store) KeepBundle(ctx context.Context, k bundles.Kept) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keep the bundle on S3: %w", err)
	}
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: aws.String(s.object(k.Source)), Body: bytes.NewReader(text), ContentType: aws.String("application/json"),
	})
	if err != nil {
		return fmt.Errorf("keep the bundle on S3: %w", err)
	}
	return nil
}
