package faults

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// account is what the Lambda cases share: moto, the keys, the built functions.
type account struct {
	t                 *testing.T
	env               *awstest.Env
	enforcer, webhook string // their bootstraps
	app, seal         string // KMS keys
	public            string // of the App's key, PEM
	mu                sync.Mutex
}

func newAccount(t *testing.T, ws *workshop, env *awstest.Env) *account {
	a := &account{t: t, env: env, enforcer: bootstrap(t, ws, "EnforcerFunction"), webhook: bootstrap(t, ws, "WebhookFunction")}
	client := kms.NewFromConfig(a.env.Config)
	app, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048, KeyUsage: kmstypes.KeyUsageTypeSignVerify})
	must(t, err)
	public, err := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: app.KeyMetadata.KeyId})
	must(t, err)
	seal, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecHmac256, KeyUsage: kmstypes.KeyUsageTypeGenerateVerifyMac})
	must(t, err)
	a.app, a.seal = *app.KeyMetadata.Arn, *seal.KeyMetadata.Arn
	a.public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public.PublicKey}))
	return a
}

func bootstrap(t *testing.T, ws *workshop, name string) string {
	t.Helper()
	built, err := lambdatest.BuildHere(ws.dir, name)
	if errors.Is(err, lambdatest.ErrNotHere) && os.Getenv("CI") != "true" {
		t.Skipf("skipped: %v", err)
	}
	must(t, err)
	return built
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// deployed is a world whose owner is swept by the real enforcer function.
type deployed struct {
	*world
	account  *account
	enforcer *lambdatest.Function
	source   *lambdatest.Source
	aws      *trap // of the enforcer
	table    string
	queue    string
	db       *ddb.Client
}

const lambdaOwner = `owners: [{login: acme, types: [container, npm], schedule: "0 0 1 1 *", credentials: {kind: app, installation_id: 71}}]`

var hookEvents = []string{"package", "registry_package"}

// deploy makes a world with the enforcer; change adds to the simulator's seed.
func (a *account) deploy(c *Case, l layout, limits retention.Limits, change ...func(*githubsim.Seed)) *deployed {
	app := func(s *githubsim.Seed) {
		s.Apps = []githubsim.App{{AppID: 4711, Slug: "shelflife", Owner: owner, PublicKeyPEM: a.public, Events: hookEvents, Installations: []githubsim.Installation{
			{ID: 71, Owner: owner, Permissions: map[string]string{"packages": "write", "metadata": "read"}},
		}}}
	}
	w := newWorld(c, l, limits, append([]func(*githubsim.Seed){app}, change...)...)
	w.extra = lambdaOwner
	w.configure()
	d := &deployed{world: w, account: a, db: ddb.NewFromConfig(a.env.Config)}
	d.aws = a.trap(c, func() { d.enforcer.Kill() })
	a.mu.Lock()
	defer a.mu.Unlock()
	d.table = a.env.Table(a.t, dynamodb.Definition(""))
	var arn string
	d.queue, arn = lambdatest.FIFO(a.t, sqs.NewFromConfig(a.env.Config), map[string]string{
		"VisibilityTimeout": "960", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
	})
	w.on(dynamodb.New(d.db, d.table, time.Now))
	d.enforcer = lambdatest.New(a.t, lambdatest.Config{Name: "enforcer", Bootstrap: a.enforcer, Timeout: 15 * time.Minute, Env: d.variables(d.aws,
		"SHELFLIFE_BUCKET="+a.env.Bucket(a.t), "SHELFLIFE_MODE=enforce", "GITHUB_API_URL="+w.url, "SHELFLIFE_REGISTRY_URL="+w.url,
		"SHELFLIFE_APP_ID=4711", "SHELFLIFE_APP_KEY_ID="+a.app, "SHELFLIFE_SEAL_KEY_ID="+a.seal,
	)})
	c.Cleanup(d.enforcer.Close)
	d.source = &lambdatest.Source{
		Client: sqs.NewFromConfig(a.env.Config), QueueURL: d.queue, QueueARN: arn, Function: d.enforcer, Expired: d.expire,
	}
	return d
}

// variables are those that both functions have, and more.
func (d *deployed) variables(aws *trap, more ...string) []string {
	return append([]string{
		"AWS_REGION=" + awstest.Region, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=x", "AWS_ENDPOINT_URL=" + aws.url,
		"SHELFLIFE_TABLE=" + d.table, "SHELFLIFE_QUEUE_URL=" + d.queue, "SHELFLIFE_CONFIG=" + d.path("shelflife.yaml"),
	}, more...)
}

// trap stands between a function and moto, and is where it is killed in the middle
// of a call to AWS.
type trap struct {
	url string

	mu     sync.Mutex
	calls  int // so far
	strike int // the call at which the function is killed; 0 none
	lose   bool
}

// trap kills with the function that it is given.
func (a *account) trap(c *Case, kill func()) *trap {
	to, err := url.Parse(a.env.Endpoint)
	c.Must(err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	tr := &trap{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		struck, lose := tr.count()
		if !struck {
			proxy.ServeHTTP(rw, r)
			return
		}
		if lose {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		}
		c.Count("killed in a call to AWS")
		kill()
		panic(http.ErrAbortHandler)
	}))
	c.Cleanup(server.Close)
	tr.url = server.URL
	return tr
}

func (tr *trap) count() (struck, lose bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.calls++
	return tr.calls == tr.strike, tr.lose
}

// set lets the n-th call from now on be the last one, with its effect or without.
func (tr *trap) set(n int, effect bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.strike, tr.lose = tr.calls+n, effect
}

// unset lets all calls through.
func (tr *trap) unset() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.strike = 0
}

// seen is how many calls there were.
func (tr *trap) seen() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.calls
}

// expire lets the time pass for which a dead worker holds its owner: as long as the
// queue's visibility timeout, which the source leaves out too.
func (d *deployed) expire(ctx context.Context) error {
	_, err := d.db.UpdateItem(ctx, &ddb.UpdateItemInput{
		TableName: &d.table, Key: map[string]types.AttributeValue{
			dynamodb.PartitionKey: &types.AttributeValueMemberS{Value: "lock#" + owner}, dynamodb.SortKey: &types.AttributeValueMemberS{Value: "-"},
		},
		ConditionExpression: aws.String("attribute_exists(pk)"), UpdateExpression: aws.String("SET #until = :then"),
		ExpressionAttributeNames:  map[string]string{"#until": "until"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":then": &types.AttributeValueMemberN{Value: "1"}},
	})
	if _, none := errors.AsType[*types.ConditionalCheckFailedException](err); none {
		return nil
	}
	return err
}

// due makes the owner's last sweep one of so many years ago.
func (d *deployed) due(years int) {
	sweeps := dynamodb.New(d.db, d.table, time.Now).Sweeps()
	raw, ok, err := sweeps.LoadSweep(d.Context(), owner)
	d.Must(err)
	st := sweep.State{Phase: sweep.Waiting}
	if ok {
		d.Must(json.Unmarshal(raw, &st))
	}
	st.StartedAt = time.Now().AddDate(-years, 0, -1)
	raw, err = json.Marshal(st)
	d.Must(err)
	d.Must(sweeps.SaveSweep(d.Context(), owner, raw))
}

// tick is what the scheduler sends, and Lambda's own two attempts more when the
// function dies of it.
func (d *deployed) tick() {
	var err error
	for range 3 {
		if _, err = d.enforcer.Invoke(d.Context(), []byte(`{"kind":"tick"}`)); err == nil {
			return
		}
	}
	d.Must(err)
}

// sweep lets the queue's items be worked until none is left.
func (d *deployed) sweep() {
	d.tick()
	d.Must(d.source.Drain(d.Context()))
}

// killLambda is the campaign against the enforcer function: SIGKILL in the middle
// of calls to AWS and to GitHub; the queue delivers again.
func killLambda(t *testing.T, ws *workshop, env *awstest.Env) func(*Case) {
	a := newAccount(t, ws, env)
	undisturbed := newCalms()
	return func(c *Case) {
		l, limits := draw(c.Seed%variants), c.tightLimits()
		usual := undisturbed.of(fmt.Sprint(c.Seed%variants, limits), func() calm { return a.calmLambda(c, l, limits) })
		d := a.deploy(c, l, limits)
		d.due(3)
		for range 1 + c.Rand.IntN(2) {
			d.killOnce(usual)
			d.check("after the kill", true)
		}
		d.enforcer.Recycle()
		d.Must(d.expire(d.Context()))
		d.sweep()
		d.check("after the end", false)
		if limits != roomy() {
			c.Count("with a budget that binds") // what killed sweeps have reserved stays reserved: less may go, never more
			return
		}
		d.Found("after the end", checkFinal(d.evidence.start, d.sim.State(), l.doomed))
		before := d.glance()
		d.due(2)
		d.sweep()
		d.Found("another sweep", checkQuiet(before, d.glance()))
		d.check("after another sweep", false)
	}
}

// calmLambda sweeps the owner undisturbed.
func (a *account) calmLambda(c *Case, l layout, limits retention.Limits) calm {
	d := a.deploy(c, l, limits)
	d.due(3)
	d.sweep()
	n := d.sim.CallCounts()
	d.check("undisturbed", false)
	if limits == roomy() {
		d.Found("undisturbed", checkFinal(d.evidence.start, d.sim.State(), l.doomed))
	}
	return calm{calls: d.aws.seen(), writes: n.Mutating}
}

// killOnce lets the enforcer work and kills it at a random call.
func (d *deployed) killOnce(usual calm) {
	effect := d.Rand.IntN(2) == 0
	d.aws.unset()
	if d.Rand.IntN(2) == 0 {
		d.aws.set(1+d.Rand.IntN(usual.calls), effect)
		d.sweep()
		d.aws.unset()
		return
	}
	held, err := d.sim.Hold(githubsim.Hold{Match: "DELETE /**", Skip: d.Rand.IntN(max(1, usual.writes)), AfterEffect: d.Rand.IntN(2) == 0})
	d.Must(err)
	over := make(chan struct{})
	go func() {
		select {
		case <-held.Reached():
			d.Count("killed in a call to GitHub")
			d.enforcer.Kill()
		case <-over:
		}
		held.Release()
	}()
	defer close(over)
	d.sweep()
}
