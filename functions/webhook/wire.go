package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/awsenv"
	"github.com/shelflife-dev/shelflife/internal/fifo"
	"github.com/shelflife-dev/shelflife/internal/funcenv"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/metrics"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
	"github.com/shelflife-dev/shelflife/internal/secretstore"
	"github.com/shelflife-dev/shelflife/internal/webhook"
)

// function is the wired function.
type function struct {
	handler *webhook.Handler
	metrics *metrics.Emitter
	log     *slog.Logger
}

// request is what matters of an HTTP API event, payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type request struct {
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	IsBase64 bool              `json:"isBase64Encoded"`
	Context  struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

// response is the answer in the same format.
type response struct {
	Status   int               `json:"statusCode"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	IsBase64 bool              `json:"isBase64Encoded"`
}

// wire builds the function from its environment without a call.
func wire(env func(string) string, out io.Writer, log *slog.Logger, now func() time.Time) (*function, error) {
	settings, err := funcenv.ReadWebhook(env)
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Config(env)
	if err != nil {
		return nil, err
	}
	emitter := metrics.New(out, "webhook", now)
	secrets := secretstore.New(secretsmanager.NewFromConfig(cfg))
	read := func(ctx context.Context) ([]secret.Secret, error) { return secrets.List(ctx, settings.WebhookSecret) }
	h, err := webhook.NewHandler(webhook.Config{
		Verifier:   webhook.NewVerifier(webhook.NewCachedSecrets(read, now, log)),
		Owners:     settings.Config,
		Queue:      counted{fifo.New(sqs.NewFromConfig(cfg), settings.QueueURL, settings.Revision(revision)), emitter},
		Deliveries: dynamodb.New(ddb.NewFromConfig(cfg), settings.Table, now),
		Log:        log, Now: now, Self: settings.Config.Serve.Self,
	})
	if err != nil {
		return nil, err
	}
	return &function{handler: h, metrics: emitter, log: log}, nil
}

// answer answers one request and counts it by the class of its status.
func (f *function) answer(ctx context.Context, ev request) response {
	out := f.handler.HandleGateway(ctx, ev.Context.HTTP.Method, ev.Headers, ev.Body, ev.IsBase64)
	class := map[int]string{2: metrics.Deliveries2xx, 4: metrics.Deliveries4xx, 5: metrics.Deliveries5xx}[out.Status/100]
	if err := f.metrics.Emit("", metrics.Of(metrics.Deliveries, 1), metrics.Of(class, 1)); err != nil {
		f.log.WarnContext(ctx, "metrics could not be written", "error", err)
	}
	return response{Status: out.Status, Headers: out.Headers, Body: out.Body}
}

// counted is a queue that counts what could not be queued.
type counted struct {
	*fifo.Queue
	metrics *metrics.Emitter
}

// Send queues an item.
func (q counted) Send(ctx context.Context, item retention.WorkItem) error {
	err := q.Queue.Send(ctx, item)
	if err != nil {
		// The failure itself is answered and logged; a figure that can't be written
		// must not hide it.
		_ = q.metrics.Emit(item.Owner, metrics.Of(metrics.QueuePutFailures, 1))
	}
	return err
}
