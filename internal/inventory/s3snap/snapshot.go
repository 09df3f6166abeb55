package s3snap

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// SaveSnapshot keeps a reading of a package in place of the one before. The head
// goes first: a package that is known without a snapshot is read again, while
// one with a snapshot that nobody knows of would not be missed when access to it
// is lost.
func (s *Store) SaveSnapshot(ctx context.Context, inv retention.Inventory) error {
	ref := inv.Ref()
	if ref.Owner == "" || ref.Type == "" || ref.Name == "" {
		return fmt.Errorf("save snapshot of %s: it names no package", ref)
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	err := json.NewEncoder(z).Encode(inv)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("encode snapshot of %s: %w", ref, err)
	}
	if err = s.heads.SaveKnown(ctx, inv.Known(), inv.Active()); err == nil {
		err = s.put(ctx, snapshotKey(ref), &buf)
	}
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", ref, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, key string, body *bytes.Buffer) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(body.Bytes()), ContentType: aws.String("application/gzip"),
	})
	return err
}

// Snapshot returns the last reading of a package; ok is false when there is none.
func (s *Store) Snapshot(ctx context.Context, ref retention.PackageRef) (inv retention.Inventory, ok bool, err error) {
	inv, ok, err = s.get(ctx, snapshotKey(ref))
	if err == nil && ok {
		err = belongs(inv, snapshotKey(ref))
	}
	if err != nil {
		return retention.Inventory{}, false, fmt.Errorf("read snapshot of %s: %w", ref, err)
	}
	return inv, ok, nil
}

// get reads one object; ok is false when there is none.
func (s *Store) get(ctx context.Context, key string) (inv retention.Inventory, ok bool, err error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return inv, false, nil
	}
	if err != nil {
		return inv, false, err
	}
	inv, err = decode(out.Body)
	if cerr := out.Body.Close(); err == nil {
		err = cerr
	}
	return inv, err == nil, err
}

func decode(r io.Reader) (inv retention.Inventory, err error) {
	if err := bounded.DecodeGzip(r, bounded.MaxSnapshot, &inv); err != nil {
		return retention.Inventory{}, err
	}
	return inv, nil
}

// belongs makes sure that an object is where its content belongs: one that was
// copied over another must not speak for that package.
func belongs(inv retention.Inventory, key string) error {
	if snapshotKey(inv.Ref()) != key {
		return fmt.Errorf("object %s holds a snapshot of %s: remove it, and the package is read again", key, inv.Ref())
	}
	return nil
}
