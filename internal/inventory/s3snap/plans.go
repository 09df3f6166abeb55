package s3snap

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/shelflife-dev/shelflife/internal/guard"
)

// SavePlan keeps the sealed plan of an owner's run; plans of other runs stay
// beside it until the bucket's lifecycle removes them. It is durable when it
// returns.
func (s *Store) SavePlan(ctx context.Context, owner, run string, sealed []byte) error {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(sealed)
	if err = errors.Join(err, z.Close()); err == nil {
		err = s.put(ctx, planKey(owner, run), &buf)
	}
	if err != nil {
		return fmt.Errorf("save the plan of run %s of %s: %w", run, owner, err)
	}
	return nil
}

// LoadPlan returns the plan that SavePlan kept for the run; ok is false when there
// is none. Its seal says whether it is what was saved.
func (s *Store) LoadPlan(ctx context.Context, owner, run string) (sealed []byte, ok bool, err error) {
	key := planKey(owner, run)
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return nil, false, nil
	}
	if err == nil {
		sealed, err = readPlan(out.Body)
		if cerr := out.Body.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the plan of run %s of %s: %w", run, owner, err)
	}
	return sealed, true, nil
}

func readPlan(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(z, guard.MaxPlanBytes+1))
	if err == nil && len(b) > guard.MaxPlanBytes {
		err = fmt.Errorf("it is larger than %d MiB", guard.MaxPlanBytes>>20)
	}
	return b, err
}
