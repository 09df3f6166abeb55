package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
)

// announced is a world whose pushes go through the real webhook function to the
// real enforcer function.
type announced struct {
	*deployed
	webhook *lambdatest.Function
	hook    *trap // between the webhook function and AWS
}

// announce deploys both functions; the App hears of a push by so many events.
func (a *account) announce(c *Case, l layout, events int) *announced {
	front := &later{}
	listener := httptest.NewServer(front)
	c.Cleanup(listener.Close)
	d := a.deploy(c, l, roomy(), func(s *githubsim.Seed) {
		s.Webhook = &githubsim.Webhook{URL: listener.URL + "/webhook", Secret: hookSecret, AppID: 4711, Events: hookEvents[:events]}
	})
	d.doomed = append(slices.Clone(d.doomed), "web hooked")
	n := &announced{deployed: d}
	n.hook = a.trap(c, func() { n.webhook.Kill() })
	a.mu.Lock()
	defer a.mu.Unlock()
	secret, err := secretsmanager.NewFromConfig(a.env.Config).CreateSecret(c.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(awstest.Unique("hook")), SecretString: aws.String(hookSecret),
	})
	c.Must(err)
	n.webhook = lambdatest.New(a.t, lambdatest.Config{
		Name: "webhook", Bootstrap: a.webhook, Timeout: 10 * time.Second, Env: d.variables(n.hook, "SHELFLIFE_WEBHOOK_SECRET="+*secret.ARN),
	})
	c.Cleanup(n.webhook.Close)
	front.Handler = lambdatest.Front(n.webhook, "POST /webhook")
	return n.swept()
}

// swept makes the owner's last sweep one of yesterday: none is due, and what goes
// goes for the push.
func (n *announced) swept() *announced {
	n.due(0)
	return n
}

// later is a handler that is known only once its address is.
type later struct{ http.Handler }

// pushLongAgo publishes what must go as soon as somebody looks, ten minutes ago on
// GitHub's clock: a younger delivery that failed may still be under way.
func (n *announced) pushLongAgo() {
	n.ahead.Store(-int64(10 * time.Minute))
	n.push()
	n.ahead.Store(0)
}

// newest is the last attempt of each delivery.
func (n *announced) newest() map[string]githubsim.Delivery {
	out := map[string]githubsim.Delivery{}
	for _, d := range n.sim.Deliveries() {
		out[d.GUID] = d
	}
	return out
}

// taken reports whether every delivery was taken in the end.
func (n *announced) taken() bool {
	all := n.newest()
	for _, d := range all {
		if d.StatusCode != http.StatusAccepted {
			return false
		}
	}
	return len(all) > 0
}

// redelivered lets the schedule tick until GitHub has delivered again what failed. On
// a busy machine the function may not answer within its ten seconds then either: the
// program asks for such a delivery once more, when its time has come.
func (n *announced) redelivered() {
	n.tick()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	asked := map[int64]bool{} // attempts after which the program was let ask again
	for !n.taken() {
		select {
		case <-ticker.C:
		case <-n.Context().Done():
			n.Fatalf("a delivery that failed was never taken: %s\n%s", n.attempts(), n.webhook.Log.Tail(20))
		}
		if id, failed := n.failedAgain(); failed && !asked[id] {
			asked[id] = true
			n.Count("redelivered twice")
			n.waited()
			n.tick()
		}
	}
}

// attempts are GitHub's deliveries in short.
func (n *announced) attempts() string {
	var b strings.Builder
	for _, d := range n.sim.Deliveries() {
		fmt.Fprintf(&b, "\n  %s at %s, redelivery %t: %d %s", d.GUID, d.DeliveredAt.Format(time.RFC3339), d.Redelivery, d.StatusCode, d.Status)
	}
	return b.String()
}

// underWay is how long the program takes a failed delivery for one that may be under way.
const underWay = 2 * time.Minute

// failedAgain returns a redelivery that failed too, and so long ago that it may be
// asked for again.
func (n *announced) failedAgain() (id int64, failed bool) {
	for _, d := range n.newest() {
		if d.Redelivery && d.StatusCode != http.StatusAccepted && time.Since(d.DeliveredAt) > underWay+time.Second {
			return d.ID, true
		}
	}
	return 0, false
}

// waited lets the time pass after which the program asks for a delivery again.
func (n *announced) waited() {
	table := dynamodb.New(n.db, n.table, time.Now)
	raw, ok, err := table.LoadHook(n.Context(), appID)
	n.Must(err)
	if !ok {
		n.Fatalf("nobody asked for a redelivery: %s", n.attempts())
	}
	var state map[string]json.RawMessage
	n.Must(json.Unmarshal(raw, &state))
	var tried map[string]struct {
		N  int       `json:"n"`
		At time.Time `json:"at"`
	}
	n.Must(json.Unmarshal(state["tried"], &tried))
	for guid, t := range tried {
		t.At = t.At.Add(-24 * time.Hour)
		tried[guid] = t
	}
	state["tried"], err = json.Marshal(tried)
	n.Must(err)
	raw, err = json.Marshal(state)
	n.Must(err)
	n.Must(table.SaveHook(n.Context(), appID, raw))
}

// killPush is the campaign against the way of a push: the webhook function is killed
// in a call to AWS, the enforcer in a call to AWS or GitHub while it works off what
// was announced, or both. GitHub delivers again when it is asked to, the queue by
// itself.
func killPush(t *testing.T, ws *workshop, env *awstest.Env) func(*Case) {
	a := newAccount(t, ws, env)
	hooks, enforcers := newCalms(), newCalms()
	return func(c *Case) {
		l := draw(c.Seed % variants)
		events := 1 + int(c.Seed/variants)%len(hookEvents) // two announce a push twice, and make up for each other
		key := fmt.Sprint(c.Seed%variants, events)
		hook := hooks.of(key, func() calm {
			n := a.announce(c, l, events)
			n.pushLongAgo()
			if !n.taken() {
				n.Fatalf("undisturbed: %s\n%s", n.attempts(), n.webhook.Log.Tail(20))
			}
			return calm{calls: n.hook.seen()}
		})
		usual := enforcers.of(key, func() calm {
			n := a.announce(c, l, events)
			n.pushLongAgo()
			n.sweep()
			if n.there("web hooked") {
				n.Fatalf("undisturbed: the push was not acted on")
			}
			return calm{calls: n.aws.seen(), writes: n.sim.CallCounts().Mutating}
		})
		n := a.announce(c, l, events)
		who := c.Rand.IntN(3) // the webhook, the enforcer, both
		if who != 1 {
			n.hook.set(1+c.Rand.IntN(hook.calls), c.Rand.IntN(2) == 0)
		}
		n.pushLongAgo()
		n.hook.unset()
		if who != 0 {
			n.killOnce(usual)
			n.check("after the kill", true)
		}
		n.enforcer.Recycle()
		n.Must(n.expire(n.Context()))
		n.redelivered()
		n.Must(n.source.Drain(n.Context()))
		n.check("after the end", true)
		if n.there("web hooked") {
			n.Errorf("what was pushed is still there, and every delivery was taken")
		}
		n.due(3)
		n.sweep()
		n.Found("after the next sweep", checkFinal(n.evidence.start, n.sim.State(), l.doomed))
		before := n.glance()
		n.due(2)
		n.sweep()
		n.Found("another sweep", checkQuiet(before, n.glance()))
		n.check("after another sweep", true)
	}
}
