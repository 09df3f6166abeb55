// Package fifo puts work items on an SQS FIFO queue and reads them from the
// messages that SQS hands to a function.
//
// An owner is a message group, so that its items are worked one after the other.
// Deduplication ids are explicit and hold the owner: the queue compares them
// across groups, and content deduplication would drop a change within five
// minutes of an equal one. It never receives or deletes a message; that is the
// event source's work.
package fifo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// API is what of SQS is used. *sqs.Client of the SDK is one.
type API interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Queue sends work items. It is safe for concurrent use.
type Queue struct {
	client   API
	url      string
	revision string
}

// New returns the queue at a URL. revision is the sender's, which every item
// then bears; "" is for senders that have none. It makes no call.
func New(client API, url, revision string) *Queue {
	return &Queue{client: client, url: url, revision: revision}
}

// Send queues an item. Within five minutes the same item again is dropped by SQS.
func (q *Queue) Send(ctx context.Context, item retention.WorkItem) error {
	item.Revision = q.revision
	body, err := retention.EncodeWorkItem(item)
	if err != nil {
		return err
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: aws.String(string(body)),
		MessageGroupId: aws.String(item.GroupID()), MessageDeduplicationId: aws.String(DeduplicationID(item)),
	})
	if err != nil {
		return fmt.Errorf("send %s of %s to the queue: %w", item.Kind, item.Owner, err)
	}
	return nil
}

// longest is how long SQS lets a deduplication id be.
const longest = 128

// DeduplicationID is the item's own with its owner before it, so that no two
// owners share one: at most 128 characters, or a digest of them.
func DeduplicationID(item retention.WorkItem) string {
	id := item.GroupID() + "/" + item.DeduplicationID()
	if len(id) <= longest {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "~" + base64.RawURLEncoding.EncodeToString(sum[:])
}
