package webhook

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// expiring is a set whose members leave it at a time of their own. The caller
// holds the lock.
type expiring struct {
	until map[string]time.Time
	prune int // size at which to drop what has expired
}

func newExpiring() expiring { return expiring{until: map[string]time.Time{}, prune: 1024} }

func (e *expiring) has(key string, now time.Time) bool { return e.until[key].After(now) }

func (e *expiring) add(key string, until, now time.Time) {
	e.until[key] = until
	if len(e.until) < e.prune {
		return
	}
	maps.DeleteFunc(e.until, func(_ string, t time.Time) bool { return !t.After(now) })
	e.prune = max(1024, 2*len(e.until))
}

// MemoryDeliveries remembers deliveries for as long as the process lives. Safe
// for concurrent use.
type MemoryDeliveries struct {
	now func() time.Time
	mu  sync.Mutex
	set expiring
}

// NewMemoryDeliveries remembers nothing yet.
func NewMemoryDeliveries(now func() time.Time) *MemoryDeliveries {
	return &MemoryDeliveries{now: now, set: newExpiring()}
}

// Seen reports whether the key is marked and its time not over.
func (m *MemoryDeliveries) Seen(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set.has(key, m.now()), nil
}

// Mark remembers the key until then.
func (m *MemoryDeliveries) Mark(_ context.Context, key string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set.add(key, until, m.now())
	return nil
}

// ErrQueueFull says that the worker is too far behind to take another item.
var ErrQueueFull = errors.New("the queue is full; the delivery can be sent again later")

// queueDedup is how long SQS FIFO queues remember a deduplication id.
const queueDedup = 5 * time.Minute

// MemoryQueue is a bounded queue in the process, first in first out. Like an
// SQS FIFO queue it takes an item whose deduplication id it has had in the last
// five minutes and drops it. What is in it is lost with the process; the next
// sweep sees it anyway. Safe for concurrent use; with one receiver items are
// worked one after the other.
type MemoryQueue struct {
	now   func() time.Time
	items chan retention.WorkItem
	mu    sync.Mutex
	ids   expiring
}

// NewMemoryQueue holds up to capacity items.
func NewMemoryQueue(capacity int, now func() time.Time) *MemoryQueue {
	return &MemoryQueue{now: now, items: make(chan retention.WorkItem, capacity), ids: newExpiring()}
}

// Send takes a valid item, or fails with ErrQueueFull. It doesn't wait.
func (q *MemoryQueue) Send(_ context.Context, item retention.WorkItem) error {
	if err := item.Validate(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now, id := q.now(), item.GroupID()+" "+item.DeduplicationID()
	if q.ids.has(id, now) {
		return nil
	}
	select {
	case q.items <- item:
		q.ids.add(id, now.Add(queueDedup), now)
		return nil
	default:
		return ErrQueueFull
	}
}

// Had reports whether the queue would drop an item as one that it has had.
func (q *MemoryQueue) Had(item retention.WorkItem) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ids.has(item.GroupID()+" "+item.DeduplicationID(), q.now())
}

// Receive waits for the next item, or for the end of the context.
func (q *MemoryQueue) Receive(ctx context.Context) (retention.WorkItem, error) {
	select {
	case item := <-q.items:
		return item, nil
	case <-ctx.Done():
		return retention.WorkItem{}, ctx.Err()
	}
}

// Len is the number of items that wait.
func (q *MemoryQueue) Len() int { return len(q.items) }
