package lambdatest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/shelflife-dev/shelflife/internal/awstest"
)

// FIFO creates a FIFO queue under a name of its own, without content-based
// deduplication and with the given attributes beside, and returns its address and ARN.
func FIFO(t testing.TB, client *sqs.Client, attributes map[string]string) (url, arn string) {
	t.Helper()
	name := awstest.Unique("shelflife") + ".fifo"
	all := map[string]string{"FifoQueue": "true"}
	for k, v := range attributes {
		all[k] = v
	}
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: all})
	if err != nil {
		t.Fatalf("create a queue: %v", err)
	}
	out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("ask for the queue's ARN: %v", err)
	}
	return *made.QueueUrl, out.Attributes["QueueArn"]
}
