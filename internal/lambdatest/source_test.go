package lambdatest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
)

// queue is a FIFO queue with a dead-letter queue and the echo function behind it.
type queue struct {
	t *testing.T
	*Source
	dead    string
	mu      sync.Mutex
	batches []Batch
	sent    int
}

func newQueue(t *testing.T) *queue {
	t.Helper()
	env := awstest.Start(t)
	client := sqs.NewFromConfig(env.Config)
	dead, deadARN := FIFO(t, client, nil)
	url, arn := FIFO(t, client, map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":"3"}`})
	q := &queue{t: t, dead: dead}
	q.Source = &Source{Client: client, QueueURL: url, QueueARN: arn, Function: echo(t, Config{Timeout: 10 * time.Second}), Batches: func(b Batch) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.batches = append(q.batches, b)
	}}
	return q
}

func (q *queue) send(group string, bodies ...string) {
	q.t.Helper()
	for _, body := range bodies {
		q.sent++
		if _, err := q.Client.SendMessage(q.t.Context(), &sqs.SendMessageInput{
			QueueUrl: &q.QueueURL, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: aws.String(strconv.Itoa(q.sent)),
		}); err != nil {
			q.t.Fatal(err)
		}
	}
}

func (q *queue) drain() {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(q.t.Context(), 30*time.Second)
	defer cancel()
	if err := q.Drain(ctx); err != nil {
		q.t.Fatal(err)
	}
}

func (q *queue) worked() []string {
	var out []string
	for _, l := range q.Function.Log.Matching("works ") {
		out = append(out, l[len("works "):])
	}
	return out
}

func TestMessagesAreWorkedInOrderAndDeleted(t *testing.T) {
	q := newQueue(t)
	q.send("acme", "1", "2", "3")
	q.drain()
	if diff := cmp.Diff([]string{"1 attempt 1", "2 attempt 1", "3 attempt 1"}, q.worked()); diff != "" {
		t.Error(diff)
	}
	if len(q.batches) != 1 || len(q.batches[0].Failed) != 0 {
		t.Errorf("%+v", q.batches)
	}
}

func TestAFailedItemComesAgainAndThenIsDead(t *testing.T) {
	q := newQueue(t)
	q.send("acme", "1", "poison", "2")
	q.drain()
	if diff := cmp.Diff([]string{"1 attempt 1", "poison attempt 1", "2 attempt 1", "poison attempt 2", "poison attempt 3"}, q.worked()); diff != "" {
		t.Error(diff)
	}
	out, err := q.Client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.dead, MaxNumberOfMessages: 10})
	if err != nil || len(out.Messages) != 1 || aws.ToString(out.Messages[0].Body) != "poison" {
		t.Errorf("%+v, %v; want the poison alone", out, err)
	}
}

func TestACrashFailsTheWholeBatch(t *testing.T) {
	q := newQueue(t)
	q.send("acme", "1", "exit once", "2")
	q.drain()
	want := []string{"1 attempt 1", "exit once attempt 1", "1 attempt 2", "exit once attempt 2", "2 attempt 2"}
	if diff := cmp.Diff(want, q.worked()); diff != "" {
		t.Error(diff)
	}
	if len(q.batches) != 2 || !IsType(q.batches[0].Err, TypeExit) || q.batches[1].Err != nil {
		t.Errorf("%+v", q.batches)
	}
}

// A group whose messages are under way is held back; another one is not.
func TestGroupsAreWorkedSideBySideButEachAlone(t *testing.T) {
	q := newQueue(t)
	q.send("acme", "1")
	held, err := q.receive(t.Context())
	if err != nil || len(held) != 1 {
		t.Fatal(held, err)
	}
	q.send("acme", "2")
	q.send("zeta", "3")
	b, err := q.Once(t.Context())
	if err != nil || !slices.Equal(b.Bodies, []string{"3"}) {
		t.Errorf("%+v, %v; want zeta's alone", b, err)
	}
	if n, err := q.Left(t.Context()); err != nil || n != 2 {
		t.Errorf("%d left, %v", n, err)
	}
	if err := q.release(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	q.drain()
	if diff := cmp.Diff([]string{"3 attempt 1", "1 attempt 2", "2 attempt 1"}, q.worked()); diff != "" {
		t.Error(diff)
	}
	if b, err := q.Once(t.Context()); err != nil || len(b.Bodies) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	q := newQueue(t)
	ctx, cancel := context.WithCancel(t.Context())
	q.Batches = func(Batch) { cancel() }
	q.send("acme", "1")
	if err := q.Run(ctx); err != nil {
		t.Error(err)
	}
	if got := q.worked(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
