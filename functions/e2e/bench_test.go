package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/lambdatest"
)

// The figures are measured once, whatever -benchtime says; bench/functions.go reads
// them by their units.

// BenchmarkStart measures from the start of the process to its first request for an
// event.
func BenchmarkStart(b *testing.B) {
	const starts = 10
	w := newWorld(b, spec{direct: true})
	for _, f := range []*lambdatest.Function{w.enforcer, w.webhook} {
		b.Run(f.Name, func(b *testing.B) {
			for len(f.Inits()) < starts {
				if err := f.Start(b.Context()); err != nil {
					b.Fatal(err)
				}
				f.Recycle()
			}
			b.ReportMetric(millis(quantile(f.Inits(), 0.5)), "ms/start")
		})
	}
}

// BenchmarkWebhook measures deliveries one after the other, each beside a message that
// is sent to the same queue by itself.
func BenchmarkWebhook(b *testing.B) {
	const deliveries = 400
	w := newWorld(b, spec{direct: true})
	client := sqs.NewFromConfig(w.env.Config)
	var whole, queue []time.Duration
	for n := range deliveries + 20 {
		if n%10 == 0 { // moto takes longer for each message that waits, SQS doesn't
			w.empty(b)
		}
		event := w.delivery(b, n)
		id := fmt.Sprintf("alone-%d", n)
		began := time.Now()
		w.accepted(b, event)
		took := time.Since(began)
		began = time.Now()
		_, err := client.SendMessage(b.Context(), &sqs.SendMessageInput{
			QueueUrl: &w.queue, MessageBody: aws.String(item), MessageGroupId: aws.String(owner), MessageDeduplicationId: &id,
		})
		if err != nil {
			b.Fatal(err)
		}
		if n >= 20 { // the first ones find no connections
			whole, queue = append(whole, took), append(queue, time.Since(began))
		}
	}
	b.ReportMetric(millis(quantile(whole, 0.99)), "ms/p99")
	b.ReportMetric(millis(quantile(queue, 0.99)), "ms/queue-p99")
	b.ReportMetric(millis(quantile(whole, 0.5)), "ms/p50")
	b.ReportMetric(millis(quantile(queue, 0.5)), "ms/queue-p50")
}

// BenchmarkBurst sends 500 deliveries of as many packages, 32 at a time, and counts
// the items in the queue.
func BenchmarkBurst(b *testing.B) {
	const deliveries, atOnce = 500, 32
	w := newWorld(b, spec{direct: true})
	work := make(chan []byte)
	var senders sync.WaitGroup
	for range atOnce {
		senders.Go(func() {
			for event := range work {
				w.accepted(b, event)
			}
		})
	}
	began := time.Now()
	for n := range deliveries {
		work <- w.delivery(b, n)
	}
	close(work)
	senders.Wait()
	took := time.Since(began)
	left, err := w.source.Left(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(left), "queued")
	b.ReportMetric(took.Seconds(), "s/burst")
	b.ReportMetric(float64(w.webhook.Counts().Sandboxes), "sandboxes")
}

// delivery is the event of a signed delivery about a package of its own.
func (w *world) delivery(b *testing.B, n int) []byte {
	b.Helper()
	body := fmt.Sprintf(`{"action":"published","registry_package":{"id":%d,"name":"p%d","namespace":"acme","package_type":"npm","updated_at":"2026-01-01T00:00:00Z",`+
		`"owner":{"login":"acme","id":1},"package_version":{"id":%d,"version":"1.0.0","body":%q}},"organization":{"login":"acme"},"sender":{"login":"jane"},"installation":{"id":%d}}`,
		n, n, n, filler, installationID)
	mac := hmac.New(sha256.New, []byte(w.hookSecret))
	mac.Write([]byte(body))
	event, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /webhook", RawPath: "/webhook", Body: body,
		Headers: map[string]string{
			"content-type": "application/json", "x-github-event": "registry_package", "x-github-delivery": fmt.Sprintf("00000000-0000-4000-8000-%012d", n),
			"x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "POST", Path: "/webhook"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return event
}

// filler makes a payload 20 KB large, as live ones of containers are.
var filler = string(slices.Repeat([]byte("0123456789abcdef"), 1250))

// empty takes all messages out of the queue.
func (w *world) empty(b *testing.B) {
	b.Helper()
	client := sqs.NewFromConfig(w.env.Config)
	for {
		got, err := client.ReceiveMessage(b.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.queue, MaxNumberOfMessages: 10})
		if err != nil {
			b.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return
		}
		for _, m := range got.Messages {
			if _, err := client.DeleteMessage(b.Context(), &sqs.DeleteMessageInput{QueueUrl: &w.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// item is a message of the size that the webhook sends.
const item = `{"v":1,"kind":"package","owner":"acme","type":"npm","name":"p100","trigger":{"kind":"webhook","event":"registry_package","action":"published","sender":"jane","version_id":"100"},"change":"0123456789abcdef0123456789abcdef"}`

func (w *world) accepted(b *testing.B, event []byte) {
	answer, err := w.webhook.Invoke(context.Background(), event)
	var a events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(answer, &a)
	}
	if err != nil || a.StatusCode != 202 {
		b.Errorf("%s, %v; want 202", answer, err)
	}
}

func quantile(of []time.Duration, q float64) time.Duration {
	of = slices.Sorted(slices.Values(of))
	return of[min(len(of)-1, int(q*float64(len(of))))]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
