package fifo_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/fifo"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func pkg(owner, name, change string) retention.WorkItem {
	return retention.NewPackageWork(retention.PackageRef{Owner: owner, Type: retention.Container, Name: name}, retention.Trigger{Kind: retention.TriggerWebhook}, change)
}

// received is what matters of a message.
type received struct{ Group, Body string }

func TestItemsOfOneOwnerStayInOrderAndAreSentOnce(t *testing.T) {
	env := awstest.Start(t)
	client := sqs.NewFromConfig(env.Config)
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(awstest.Unique("q") + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	q := fifo.New(client, *created.QueueUrl, "abc-1")
	items := []retention.WorkItem{
		retention.NewSweepWork("reconcile-20310506T120000Z", "Acme", ""),
		retention.NewSweepWork("reconcile-20310506T120000Z", "zeta", ""), // the same run of another owner
		retention.NewSweepWork("20310506T030000Z-aa", "acme", "0"),
		retention.NewSweepWork("20310506T030000Z-aa", "acme", "1"),
		retention.NewSweepWork("20310506T030000Z-aa", "acme", "1"), // again
		pkg("acme", "team/api", "change1"), pkg("acme", "team/api", "change2"), pkg("ACME", "team/api", "change2"),
	}
	for _, item := range items {
		if err := q.Send(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	var got []received
	for {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: created.QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			item, err := retention.DecodeWorkItem([]byte(*m.Body))
			if err != nil || item.Revision != "abc-1" {
				t.Errorf("%s: revision %q, %v", *m.Body, item.Revision, err)
			}
			got = append(got, received{m.Attributes["MessageGroupId"], item.Run + item.Name + " " + item.Cursor + item.Change})
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: created.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string][]string{
		"acme": {"reconcile-20310506T120000Z ", "20310506T030000Z-aa 0", "20310506T030000Z-aa 1", "team/api change1", "team/api change2"},
		"zeta": {"reconcile-20310506T120000Z "},
	}
	byGroup := map[string][]string{}
	for _, r := range got {
		byGroup[r.Group] = append(byGroup[r.Group], r.Body)
	}
	if diff := cmp.Diff(want, byGroup); diff != "" {
		t.Errorf("received (-want +got)\n%s", diff)
	}
}

func TestAnItemThatCantBeQueuedIsAnError(t *testing.T) {
	env := awstest.Start(t)
	q := fifo.New(sqs.NewFromConfig(env.Config), env.Endpoint+"/1/none.fifo", "")
	if err := q.Send(t.Context(), pkg("acme", "x", "c")); err == nil {
		t.Error("sent to a queue that is not there")
	}
	if err := q.Send(t.Context(), retention.WorkItem{}); err == nil {
		t.Error("sent an item that nobody could read")
	}
}

func TestDeduplicationIDsFitSQS(t *testing.T) {
	long := strings.Repeat("x", 100)
	seen := map[string]bool{}
	for _, item := range []retention.WorkItem{
		retention.NewSweepWork("run", "acme", "1"), retention.NewSweepWork("run", "acme", "2"), retention.NewSweepWork("run", "zeta", "1"),
		retention.NewSweepWork(strings.Repeat("r", 80), long, "1"), retention.NewSweepWork(strings.Repeat("r", 80), long, "2"),
		pkg(long, strings.Repeat("n", 500), ""), pkg("acme", "x", ""), pkg("@me", "x", ""),
	} {
		id := fifo.DeduplicationID(item)
		if len(id) == 0 || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q is no deduplication id for SQS", id)
		}
		if seen[id] {
			t.Errorf("%q is the id of two items", id)
		}
		seen[id] = true
	}
}
