package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

// state is where an owner's sweep stands.
func (w *world) state(login string) sweep.State {
	w.t.Helper()
	var s sweep.State
	raw, ok, err := w.store().Sweeps().LoadSweep(w.t.Context(), login)
	w.must(err)
	if ok {
		w.must(json.Unmarshal(raw, &s))
	}
	return s
}

// change edits where an owner's sweep stands: the way in which tests let hours pass.
func (w *world) change(login string, f func(s *sweep.State)) {
	w.t.Helper()
	sweeps := w.store().Sweeps()
	raw, ok, err := sweeps.LoadSweep(w.t.Context(), login)
	w.must(err)
	var s sweep.State
	if ok {
		w.must(json.Unmarshal(raw, &s))
	}
	f(&s)
	raw, err = json.Marshal(s)
	w.must(err)
	w.must(sweeps.SaveSweep(w.t.Context(), login, raw))
}

// due makes an owner's last sweep one of two days ago.
func (w *world) due(login string) {
	w.t.Helper()
	w.change(login, func(s *sweep.State) {
		*s = sweep.State{Phase: sweep.Waiting, StartedAt: time.Now().Add(-2 * day).UTC()}
	})
}

// send puts a body on the queue by hand.
func (w *world) send(group, id, body string) {
	w.t.Helper()
	_, err := sqs.NewFromConfig(w.env.Config).SendMessage(w.t.Context(), &sqs.SendMessageInput{
		QueueUrl: &w.queue, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &id,
	})
	w.must(err)
}

// queued are the bodies in the queue, which stay there.
func (w *world) queued() []string {
	w.t.Helper()
	client := sqs.NewFromConfig(w.env.Config)
	var out []string
	for {
		got, err := client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.queue, MaxNumberOfMessages: 10})
		w.must(err)
		for _, m := range got.Messages {
			out = append(out, *m.Body)
			defer func() {
				_, err := client.ChangeMessageVisibility(w.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &w.queue, ReceiptHandle: m.ReceiptHandle})
				w.must(err)
			}()
		}
		if len(got.Messages) == 0 {
			return out
		}
	}
}

// kinds names what each message of a batch asks for: sweep#0, package p1, or ?.
func kinds(b lambdatest.Batch) []string {
	var out []string
	for _, body := range b.Bodies {
		var item struct{ Kind, Cursor, Name string }
		if err := json.Unmarshal([]byte(body), &item); err != nil {
			item.Kind, item.Name = "?", ""
		}
		if item.Kind == "sweep" {
			out = append(out, "sweep#"+item.Cursor)
			continue
		}
		out = append(out, strings.TrimSpace(item.Kind+" "+item.Name))
	}
	return out
}

// swept is what a sweep of stale(packages, versions) deletes: all but the newest of
// each package.
func swept(packages, versions int) []string {
	var out []string
	for _, p := range stale(packages, versions) {
		for _, v := range p.Versions[:versions-1] {
			out = append(out, p.Name+" "+v.Key)
		}
	}
	slices.Sort(out)
	return out
}

// clean holds the ledger against GitHub: the chain and the budgets are right, no
// intent is open, and each deletion has its intent.
func (w *world) clean(login string) {
	w.t.Helper()
	l := w.ledger()
	if _, err := l.Verify(w.t.Context(), login); err != nil {
		w.t.Errorf("the ledger of %s: %v", login, err)
	}
	open, err := l.Open(w.t.Context(), login)
	w.must(err)
	if len(open) > 0 {
		w.t.Errorf("%d intents of %s have no outcome", len(open), login)
	}
	w.recorded(login)
}

// recorded holds that nothing is gone from an owner without its intent. That the
// budgets are the sums of the intents is part of verifying the chain.
func (w *world) recorded(login string) {
	w.t.Helper()
	l := w.ledger()
	runs, err := l.Runs(w.t.Context(), login, 0)
	w.must(err)
	intents := map[string]bool{}
	for _, run := range runs {
		actions, err := l.Actions(w.t.Context(), run.ID)
		w.must(err)
		for _, a := range actions {
			if a.Action == retention.Delete {
				intents[a.Package+" "+a.VersionID.String()] = true
			}
		}
	}
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if o.Login == login && v.State == retention.Deleted && !intents[p.Name+" "+retention.ID(v.ID).String()] {
					w.t.Errorf("%s %s is gone without an intent", p.Name, v.Key)
				}
			}
		}
	}
}

// eventually waits up to 30 s until it is so.
func (w *world) eventually(what string, so func() bool) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if so() {
			return
		}
		<-tick.C
	}
	w.t.Fatalf("it did not come to that within 30 s: %s", what)
}

// replaced is env with a variable set anew, or taken out when it is "".
func replaced(env []string, name, variable string) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if variable != "" {
		out = append(out, variable)
	}
	return out
}
