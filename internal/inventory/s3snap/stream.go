package s3snap

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// ahead is how many snapshots are read before they are asked for, which bounds
// the memory and hides the time of each call.
const ahead = 8

// reading is a snapshot that is being read.
type reading struct {
	key  string
	done chan struct{} // closed when the rest is there
	inv  retention.Inventory
	ok   bool
	err  error
}

// Snapshots goes over all snapshots of an owner by type and escaped name, a few
// in memory at a time. After an error it ends.
func (s *Store) Snapshots(ctx context.Context, owner string) iter.Seq2[retention.Inventory, error] {
	return func(yield func(retention.Inventory, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		queue := make(chan *reading, ahead-1)
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer close(queue)
			s.readAhead(inner, owner, queue, &wg)
		}()
		for r := range queue {
			<-r.done
			if r.err != nil {
				yield(retention.Inventory{}, fmt.Errorf("read snapshots of %s: %w", owner, r.err))
				return
			}
			if r.ok && !yield(r.inv, nil) {
				return
			}
		}
		// A context that ended may have cut the reading ahead short, and then what
		// came is not all there is.
		if err := ctx.Err(); err != nil {
			yield(retention.Inventory{}, fmt.Errorf("read snapshots of %s: %w", owner, err))
		}
	}
}

// readAhead lists an owner's keys and begins to read each as soon as there is
// room in the queue. A listing that fails is the queue's last entry.
func (s *Store) readAhead(ctx context.Context, owner string, queue chan<- *reading, wg *sync.WaitGroup) {
	push := func(r *reading) bool {
		select {
		case queue <- r:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := s.keys(ctx, owner, func(key string) bool {
		r := &reading{key: key, done: make(chan struct{})}
		if !push(r) {
			return false
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer close(r.done)
			s.fill(ctx, r)
		}()
		return true
	})
	if err != nil {
		r := &reading{err: err, done: make(chan struct{})}
		close(r.done)
		push(r)
	}
}

// fill reads the snapshot. One that went since it was listed is left out.
func (s *Store) fill(ctx context.Context, r *reading) {
	if r.inv, r.ok, r.err = s.get(ctx, r.key); r.err == nil && r.ok {
		r.err = belongs(r.inv, r.key)
	}
	if r.err != nil {
		r.err = fmt.Errorf("%s: %w", r.key, r.err)
	}
}

// keys hands over the keys of an owner's snapshots until f wants no more.
func (s *Store) keys(ctx context.Context, owner string, f func(key string) bool) error {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(ownerPrefix(owner))}
	for {
		out, err := s.client.ListObjectsV2(ctx, in)
		if err != nil {
			return fmt.Errorf("list them: %w", err)
		}
		for _, o := range out.Contents {
			if !f(aws.ToString(o.Key)) {
				return nil
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}
