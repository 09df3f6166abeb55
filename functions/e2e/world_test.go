package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	owner          = "acme"
	appID          = 4711
	installationID = 71
	appSlug        = "shelflife"
)

// spec is what differs from world to world.
type spec struct {
	owners   []githubsim.Owner // of the simulator; acme with stale() when nil
	mode     string            // of shelflife.yaml and SHELFLIFE_MODE; enforce when ""
	policies string            // of shelflife.yaml, in YAML; expire_by_age when ""
	params   string            // likewise
	rego     string            // a policy beside shelflife.yaml
	limits   string            // likewise; out of the way when ""
	timeout  time.Duration     // of the enforcer; 15 minutes when 0
	slice    time.Duration     // of a sweep; a minute when 0
	latency  time.Duration     // of GitHub
	pem      bool              // the App's key is in Secrets Manager, not in KMS
	direct   bool              // functions ask moto itself, for figures
}

// world is an account of AWS with both functions deployed, and a GitHub whose App is
// installed there.
type world struct {
	t       testing.TB
	dir     string
	secrets secrecy
	taps    taps
	log     *lambdatest.Log
	env     *awstest.Env
	aws     *gateway
	sim     *githubsim.Server
	github  string // its address

	table, bucket, queue, dead string
	enforcer, webhook          *lambdatest.Function
	source                     *lambdatest.Source
	hook                       string // address of the webhook's HTTP API
	hookSecret                 string
	enforcerEnv, webhookEnv    []string
	db                         *ddb.Client
}

func newWorld(t testing.TB, s spec) *world {
	t.Helper()
	built := bootstraps(t)
	w := &world{t: t, dir: t.TempDir(), log: &lambdatest.Log{}, env: awstest.Start(t)}
	w.aws = newGateway(t, w.env.Endpoint, &w.taps)
	t.Cleanup(func() { w.sealed(t) }) // after the functions have ended
	w.resources()
	if s.timeout == 0 {
		s.timeout = 15 * time.Minute
	}
	w.webhook = lambdatest.New(t, lambdatest.Config{Name: "webhook", Bootstrap: built.webhook, Timeout: 10 * time.Second, Log: w.log})
	front := httptest.NewServer(lambdatest.Front(w.webhook, "POST /webhook"))
	t.Cleanup(front.Close)
	w.hook = front.URL + "/webhook"
	key := w.appKey(s.pem)
	w.simulate(s, key)
	w.configure(s)
	w.enforcer = lambdatest.New(t, lambdatest.Config{Name: "enforcer", Bootstrap: built.enforcer, Timeout: s.timeout, Log: w.log})
	w.variables(s, key)
	w.enforcer.Env, w.webhook.Env = w.enforcerEnv, w.webhookEnv
	w.source = &lambdatest.Source{
		Client: sqs.NewFromConfig(w.env.Config), QueueURL: w.queue, QueueARN: w.arn(w.queue), Function: w.enforcer, Expired: w.expire,
	}
	t.Cleanup(func() { total.add(w.enforcer, w.webhook) })
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// resources are what template.yaml defines.
func (w *world) resources() {
	w.t.Helper()
	w.db = ddb.NewFromConfig(w.env.Config)
	w.table, w.bucket = w.env.Table(w.t, dynamodb.Definition("")), w.env.Bucket(w.t)
	client := sqs.NewFromConfig(w.env.Config)
	var deadARN string
	w.dead, deadARN = lambdatest.FIFO(w.t, client, nil)
	w.queue, _ = lambdatest.FIFO(w.t, client, map[string]string{
		"VisibilityTimeout": "960", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
		"RedrivePolicy": `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":"5"}`,
	})
	w.hookSecret = awstest.Unique("hook-secret-of-the-tests")
	w.secrets.add("the webhook's secret", w.hookSecret)
}

func (w *world) arn(url string) string {
	return "arn:aws:sqs:" + awstest.Region + ":123456789012:" + filepath.Base(url)
}

// secret puts a value into Secrets Manager and returns its ARN.
func (w *world) secret(what, value string) string {
	w.t.Helper()
	w.secrets.add(what, value)
	out, err := secretsmanager.NewFromConfig(w.env.Config).CreateSecret(w.t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(awstest.Unique("shelflife")), SecretString: &value,
	})
	w.must(err)
	return *out.ARN
}

func (w *world) simulate(s spec, key appKey) {
	w.t.Helper()
	owners := s.owners
	if owners == nil {
		owners = []githubsim.Owner{{Login: owner, Packages: stale(2, 4)}}
	}
	var installations []githubsim.Installation
	for i, o := range owners {
		installations = append(installations, githubsim.Installation{
			ID: int64(installationID + i), Owner: o.Login, Permissions: map[string]string{"packages": "write", "metadata": "read"},
		})
	}
	events := []string{"package", "registry_package"}
	var err error
	w.sim, err = githubsim.New(githubsim.Seed{
		Owners:  owners,
		Apps:    []githubsim.App{{AppID: appID, Slug: appSlug, Owner: owner, PublicKeyPEM: key.public, Events: events, Installations: installations}},
		Webhook: &githubsim.Webhook{URL: w.hook, Secret: w.hookSecret, AppID: appID, Events: events},
		Latency: githubsim.Duration(s.latency),
	})
	w.must(err)
	inner := w.secrets.listen(w.sim.Handler())
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.taps.serve(rw, r, "GitHub "+r.Method+" "+r.URL.EscapedPath(), inner.ServeHTTP)
	}))
	w.t.Cleanup(server.Close)
	w.github = server.URL
}

// configure writes shelflife.yaml and, beside it, the policies that a test adds.
func (w *world) configure(s spec) {
	w.t.Helper()
	var owners strings.Builder
	for i, o := range s.owners {
		fmt.Fprintf(&owners, "  - {login: %s, types: [container, npm], schedule: '0 3 * * *', credentials: {kind: app, installation_id: %d}}\n", o.Login, installationID+i)
	}
	if s.owners == nil {
		fmt.Fprintf(&owners, "  - {login: %s, types: [container, npm], schedule: '0 3 * * *', credentials: {kind: app, installation_id: %d}}\n", owner, installationID)
	}
	text := "version: 1\nmode: " + or(s.mode, "enforce") + "\nowners:\n" + owners.String() +
		"policies: " + or(s.policies, "{only: [expire_by_age, expire_untagged, keep_newest]}") + "\n" +
		"params: " + or(s.params, "{expire_by_age: {globs: ['*'], older_than_days: 30, newest: 1}, keep_newest: {tagged: 1, releases: 0}}") + "\n" +
		"limits: " + or(s.limits, "{deletes_per_run: 1000, deletes_per_day: 1000, percent_of_package: 100, percent_of_owner: 100}") + "\n"
	w.must(os.WriteFile(filepath.Join(w.dir, "shelflife.yaml"), []byte(text), 0o600))
	if s.rego != "" {
		w.must(os.Mkdir(filepath.Join(w.dir, "policies"), 0o700))
		w.must(os.WriteFile(filepath.Join(w.dir, "policies", "own.rego"), []byte(s.rego), 0o600))
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// variables are those of template.yaml.
func (w *world) variables(s spec, key appKey) {
	endpoint := w.aws.URL
	if s.direct {
		endpoint = w.env.Endpoint
	}
	access, token := awstest.Unique("secret-access-key"), awstest.Unique("session-token")
	w.secrets.add("AWS_SECRET_ACCESS_KEY", access)
	w.secrets.add("AWS_SESSION_TOKEN", token)
	both := []string{
		"AWS_REGION=" + awstest.Region, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=" + access, "AWS_SESSION_TOKEN=" + token,
		"AWS_ENDPOINT_URL=" + endpoint,
		"SHELFLIFE_TABLE=" + w.table, "SHELFLIFE_BUCKET=" + w.bucket, "SHELFLIFE_QUEUE_URL=" + w.queue,
		"SHELFLIFE_CONFIG=" + filepath.Join(w.dir, "shelflife.yaml"), "SHELFLIFE_MODE=" + or(s.mode, "enforce"),
		"GITHUB_API_URL=" + w.github, "SHELFLIFE_REGISTRY_URL=" + w.github,
	}
	w.enforcerEnv = append(both[:len(both):len(both)], fmt.Sprintf("SHELFLIFE_APP_ID=%d", appID), key.variable, "SHELFLIFE_SEAL_KEY_ID="+sealKey(w.t, w.env))
	if s.slice != 0 {
		w.enforcerEnv = append(w.enforcerEnv, "SHELFLIFE_SLICE="+s.slice.String())
	}
	w.webhookEnv = append(both[:len(both):len(both)], "SHELFLIFE_WEBHOOK_SECRET="+w.secret("the webhook's secret", w.hookSecret))
}

// expire lets the time until an invocation's deadline pass for who works on the
// owners: what the queue's visibility timeout waits for.
func (w *world) expire(ctx context.Context) error {
	for _, o := range w.sim.State().Owners {
		_, err := w.db.UpdateItem(ctx, &ddb.UpdateItemInput{
			TableName: &w.table, Key: map[string]types.AttributeValue{
				dynamodb.PartitionKey: &types.AttributeValueMemberS{Value: "lock#" + strings.ToLower(o.Login)},
				dynamodb.SortKey:      &types.AttributeValueMemberS{Value: "-"},
			},
			ConditionExpression: aws.String("attribute_exists(pk)"), UpdateExpression: aws.String("SET #until = :then"),
			ExpressionAttributeNames:  map[string]string{"#until": "until"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":then": &types.AttributeValueMemberN{Value: "1"}},
		})
		var none *types.ConditionalCheckFailedException
		if err != nil && !errors.As(err, &none) {
			return fmt.Errorf("let the hold of %s expire: %w", o.Login, err)
		}
	}
	return nil
}

// call invokes the enforcer directly, as the scheduler and operators do.
func (w *world) call(event string) map[string]any {
	w.t.Helper()
	out, err := w.enforcer.Invoke(w.t.Context(), []byte(event))
	w.must(err)
	var answer map[string]any
	if string(out) != "null" {
		w.must(json.Unmarshal(out, &answer))
	}
	return answer
}

// tick is what the scheduler sends every five minutes.
func (w *world) tick() { w.t.Helper(); w.call(`{"kind":"tick"}`) }

// work lets the event source work until the queue is empty.
func (w *world) work() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	w.must(w.source.Drain(ctx))
}

func (w *world) store() *dynamodb.Table { return dynamodb.New(w.db, w.table, time.Now) }

func (w *world) ledger() *ledger.Ledger { return ledger.New(w.store(), time.Now) }

// gone lists what is deleted on GitHub, as "package key".
func (w *world) gone() []string {
	var out []string
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.State == retention.Deleted {
					out = append(out, p.Name+" "+v.Key)
				}
			}
		}
	}
	return out
}

// deletions counts the calls that GitHub was asked to delete or restore with.
func (w *world) deletions() int { return w.sim.CallCounts().Mutating }

// bodies are the messages in the dead-letter queue.
func (w *world) deadBodies() []string {
	w.t.Helper()
	var out []string
	client := sqs.NewFromConfig(w.env.Config)
	for {
		got, err := client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.dead, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
		w.must(err)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			out = append(out, *m.Body)
			// A group is held back while one of its messages is in flight.
			_, err := client.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &w.dead, ReceiptHandle: m.ReceiptHandle})
			w.must(err)
		}
	}
}

func diff(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
