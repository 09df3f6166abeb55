package lambdatest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source is the event source mapping of a function on an SQS FIFO queue, with
// ReportBatchItemFailures. A message group with messages in flight is held back by the
// queue itself, and so is the move to the dead-letter queue.
//
// It differs from Lambda's in one thing: where a batch or an item failed, it ends the
// rest of the visibility timeout at once, so that a test does not wait for it.
type Source struct {
	Client      *sqs.Client
	QueueURL    string
	QueueARN    string
	Function    *Function
	Concurrency int // batches at once; 2 when zero, the least that Lambda takes
	// Batches, when set, hears of every batch after it was worked.
	Batches func(Batch)
	// Expired, when set, is called where the rest of a visibility timeout is left out,
	// for a test to let the same time pass elsewhere.
	Expired func(context.Context) error
}

// maxBatch is the largest batch of a FIFO queue.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const maxBatch = 10

// Batch is what became of the messages that one invocation was given.
type Batch struct {
	Bodies []string
	Failed []string // bodies of those that stay in the queue
	Err    error    // of the invocation; then all have failed
}

// Once receives one batch and works it. Without a message the batch is empty. Its error
// is one of the queue; the function's is in the batch.
func (s *Source) Once(ctx context.Context) (Batch, error) {
	messages, err := s.receive(ctx)
	if err != nil || len(messages) == 0 {
		return Batch{}, err
	}
	return s.work(ctx, messages)
}

// Drain works until nothing is left in the queue, in flight or visible: what keeps
// failing is gone when it is in the dead-letter queue.
func (s *Source) Drain(ctx context.Context) error {
	return s.run(ctx, true)
}

// Run works what comes until ctx ends.
func (s *Source) Run(ctx context.Context) error {
	err := s.run(ctx, false)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Source) run(ctx context.Context, untilEmpty bool) error {
	slots := s.Concurrency
	if slots == 0 {
		slots = 2
	}
	// A batch that is under way at the end is let finish: its function would
	// otherwise be cut short, which no test that ends has asked for.
	var workers sync.WaitGroup
	defer workers.Wait()
	results := make(chan error, slots)
	idle := time.NewTicker(10 * time.Millisecond)
	defer idle.Stop()
	for busy := 0; ; {
		var messages []types.Message
		if busy < slots {
			var err error
			// One request at a time: moto may give a message to two at once.
			if messages, err = s.receive(ctx); err != nil {
				return err
			}
		}
		if len(messages) > 0 {
			busy++
			workers.Go(func() {
				_, err := s.work(ctx, messages)
				results <- err
			})
			continue
		}
		if busy == 0 && untilEmpty {
			if left, err := s.Left(ctx); err != nil || left == 0 {
				return err
			}
		}
		select {
		case err := <-results:
			if busy--; err != nil {
				return err
			}
		case <-idle.C:
		case <-ctx.Done():
			return fmt.Errorf("the queue is not drained: %w", ctx.Err())
		}
	}
}

// Left is the number of messages in the queue, those in flight included.
func (s *Source) Left(ctx context.Context) (int, error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	out, err := s.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &s.QueueURL, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("count the messages: %w", err)
	}
	sum := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count the messages: %w", err)
		}
		sum += n
	}
	return sum, nil
}

func (s *Source) receive(ctx context.Context) ([]types.Message, error) {
	out, err := s.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &s.QueueURL, MaxNumberOfMessages: maxBatch,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return out.Messages, nil
}

// work invokes the function and settles the messages by what it answers.
func (s *Source) work(ctx context.Context, messages []types.Message) (Batch, error) {
	event, err := s.event(messages)
	if err != nil {
		return Batch{}, err
	}
	answer, err := s.Function.Invoke(ctx, event)
	failed := failures(messages, answer, err)
	b := Batch{Err: err}
	var done, again []types.Message
	for _, m := range messages {
		b.Bodies = append(b.Bodies, aws.ToString(m.Body))
		if failed[aws.ToString(m.MessageId)] {
			again = append(again, m)
			b.Failed = append(b.Failed, aws.ToString(m.Body))
			continue
		}
		done = append(done, m)
	}
	// The queue is told even when the test has ended meanwhile.
	ctx = context.WithoutCancel(ctx)
	if err := s.remove(ctx, done); err != nil {
		return b, err
	}
	if err := s.release(ctx, again); err != nil {
		return b, err
	}
	if s.Batches != nil {
		s.Batches(b)
	}
	return b, nil
}

func (s *Source) event(messages []types.Message) ([]byte, error) {
	var e events.SQSEvent
	for _, m := range messages {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
			Md5OfBody: aws.ToString(m.MD5OfBody), Attributes: m.Attributes, MessageAttributes: attributesOf(m),
			EventSourceARN: s.QueueARN, EventSource: "aws:sqs", AWSRegion: "us-east-1",
		})
	}
	return encode(e)
}

func attributesOf(m types.Message) map[string]events.SQSMessageAttribute {
	out := map[string]events.SQSMessageAttribute{}
	for name, a := range m.MessageAttributes {
		out[name] = events.SQSMessageAttribute{StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType)}
	}
	return out
}

// remove deletes what was done with.
func (s *Source) remove(ctx context.Context, messages []types.Message) error {
	if len(messages) == 0 {
		return nil
	}
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &s.QueueURL}
	for i, m := range messages {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	out, err := s.Client.DeleteMessageBatch(ctx, in)
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("%d of %d: %s", len(out.Failed), len(messages), aws.ToString(out.Failed[0].Message))
	}
	if err != nil {
		return fmt.Errorf("delete messages: %w", err)
	}
	return nil
}

// release ends the visibility timeout of what failed.
func (s *Source) release(ctx context.Context, messages []types.Message) error {
	if len(messages) > 0 && s.Expired != nil {
		if err := s.Expired(ctx); err != nil {
			return err
		}
	}
	for _, m := range messages {
		if _, err := s.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &s.QueueURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return fmt.Errorf("end the visibility timeout: %w", err)
		}
	}
	return nil
}
