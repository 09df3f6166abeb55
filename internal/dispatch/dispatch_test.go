package dispatch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/dispatch"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

var (
	errBroken = errors.New("broken")
	errHeld   = errors.New("held")
)

// rig is a worker, and locks, that note what is asked of them.
type rig struct {
	t       *testing.T
	mu      sync.Mutex
	did     []string          // in the order of each group
	fails   map[string]string // by package: broken, or panic
	held    map[string]bool   // owners that somebody else has
	block   chan struct{}     // holds up every item until closed
	started chan string
	log     bytes.Buffer
	d       *dispatch.Dispatcher
}

func newRig(t *testing.T, change ...func(*dispatch.Config)) *rig {
	t.Helper()
	r := &rig{t: t, fails: map[string]string{}, held: map[string]bool{}}
	c := dispatch.Config{
		Holder: dispatch.Holder{Locks: r, IsHeld: func(err error) bool { return errors.Is(err, errHeld) }, Now: func() time.Time { return noon },
			NewID: rand.Text},
		Worker: r, Tick: func(context.Context) error { return r.note("tick") }, Log: jsonlog.New(&r.log), Revision: "r1",
		Commands: map[string]func(context.Context, dispatch.Command) (any, error){
			"echo": func(_ context.Context, c dispatch.Command) (any, error) { return c, nil },
		},
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if r.d, err = dispatch.New(c); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) note(what string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.did = append(r.did, what)
	return nil
}

func (r *rig) Handle(_ context.Context, item retention.WorkItem) error {
	if r.block != nil {
		r.started <- item.Owner
		<-r.block
	}
	switch r.fails[item.Name] {
	case "broken":
		return errBroken
	case "panic":
		panic("at the worst moment")
	}
	return r.note("handle " + item.Owner + " " + item.Name)
}

func (r *rig) PutOff(_ context.Context, item retention.WorkItem) error {
	if item.Revision != "" {
		r.t.Errorf("%s was put off with the revision %s: it would be put off for ever", item.Name, item.Revision)
	}
	return r.note("put off " + item.Owner + " " + item.Name)
}

func (r *rig) Hold(_ context.Context, owner, _ string, until time.Time) error {
	if until.IsZero() {
		r.t.Errorf("%s is held without an end", owner)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[owner] {
		return fmt.Errorf("by another: %w", errHeld)
	}
	r.held[owner] = true
	return nil
}

func (r *rig) Release(_ context.Context, owner, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, owner)
	return nil
}

// message is one of the queue.
type message struct {
	MessageID  string            `json:"messageId"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
	Source     string            `json:"eventSource"`
}

func pkg(owner, name string, change ...func(*retention.WorkItem)) message {
	item := retention.NewPackageWork(retention.PackageRef{Owner: owner, Type: retention.NPM, Name: name}, retention.Trigger{Kind: retention.TriggerWebhook}, "")
	item.Revision = "r1"
	for _, f := range change {
		f(&item)
	}
	body, err := json.Marshal(item)
	if err != nil {
		panic(err)
	}
	return message{MessageID: owner + "/" + name, Body: string(body), Attributes: map[string]string{"MessageGroupId": strings.ToLower(owner)}, Source: "aws:sqs"}
}

func (r *rig) batch(ctx context.Context, messages ...message) []string {
	r.t.Helper()
	event, err := json.Marshal(map[string]any{"Records": messages})
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := r.d.Invoke(ctx, event)
	if err != nil {
		r.t.Fatal(err)
	}
	var failed []string
	for _, f := range out.(dispatch.Failures).Items {
		failed = append(failed, f.ID)
	}
	return failed
}

func TestABatchFailsWhatHasToComeAgain(t *testing.T) {
	malformed := message{MessageID: "malformed", Body: `{"v":1,`, Attributes: map[string]string{"MessageGroupId": "acme"}, Source: "aws:sqs"}
	stray := pkg("acme", "stray")
	stray.Attributes = map[string]string{"MessageGroupId": "other"}
	later := pkg("acme", "later", func(w *retention.WorkItem) { w.V = 2 })
	for name, tc := range map[string]struct {
		batch  []message
		fails  map[string]string
		failed []string
		did    []string
	}{
		"all is well": {
			batch: []message{pkg("acme", "a"), pkg("acme", "b")},
			did:   []string{"handle acme a", "handle acme b"},
		},
		"an unknown error fails its item and those of its group behind it": {
			batch:  []message{pkg("acme", "a"), pkg("acme", "b"), pkg("acme", "c"), pkg("zeta", "d")},
			fails:  map[string]string{"b": "broken"},
			failed: []string{"acme/b", "acme/c"},
			did:    []string{"handle acme a", "handle zeta d"},
		},
		"so does a panic": {
			batch:  []message{pkg("acme", "a"), pkg("acme", "b"), pkg("zeta", "d")},
			fails:  map[string]string{"a": "panic"},
			failed: []string{"acme/a", "acme/b"},
			did:    []string{"handle zeta d"},
		},
		"a malformed body fails alone": {
			batch:  []message{pkg("acme", "a"), malformed, pkg("acme", "b")},
			failed: []string{"malformed"},
			did:    []string{"handle acme a", "handle acme b"},
		},
		"an item of a later format fails alone":    {batch: []message{later, pkg("acme", "b")}, failed: []string{"acme/later"}, did: []string{"handle acme b"}},
		"one in another owner's group fails alone": {batch: []message{stray, pkg("zeta", "b")}, failed: []string{"acme/stray"}, did: []string{"handle zeta b"}},
		"an empty batch": {batch: []message{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fails = tc.fails
			failed := r.batch(t.Context(), tc.batch...)
			slices.Sort(r.did)
			if diff := cmp.Diff(tc.failed, failed); diff != "" {
				t.Errorf("failed (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tc.did, r.did); diff != "" {
				t.Errorf("did (-want +got)\n%s", diff)
			}
			if len(r.held) > 0 {
				t.Errorf("still held: %v", r.held)
			}
		})
	}
}

func TestOwnersAreServedSideBySide(t *testing.T) {
	r := newRig(t)
	r.block, r.started = make(chan struct{}), make(chan string, 4)
	done := make(chan []string)
	go func() { done <- r.batch(t.Context(), pkg("acme", "a"), pkg("acme", "b"), pkg("zeta", "c")) }()
	first := []string{<-r.started, <-r.started}
	slices.Sort(first)
	if diff := cmp.Diff([]string{"acme", "zeta"}, first); diff != "" {
		t.Errorf("under way at once (-want +got)\n%s", diff)
	}
	close(r.block)
	if failed := <-done; failed != nil {
		t.Errorf("failed: %v", failed)
	}
}

func TestItemsArePutOffRatherThanMixed(t *testing.T) {
	for name, tc := range map[string]struct {
		revision string
		held     bool
		deadline time.Duration // from now; 0: none
		want     string
	}{
		"of this revision":                     {revision: "r1", want: "handle acme a"},
		"of no revision":                       {revision: "", want: "handle acme a"},
		"of another revision":                  {revision: "r2", want: "put off acme a"},
		"while somebody works on the owner":    {revision: "r1", held: true, want: "put off acme a"},
		"with much time left":                  {revision: "r1", deadline: time.Minute, want: "handle acme a"},
		"at the very end of the invocation":    {revision: "r1", deadline: 10 * time.Second, want: "put off acme a"},
		"of another revision and at the end":   {revision: "r2", deadline: 10 * time.Second, want: "put off acme a"},
		"held, by whoever, and of another too": {revision: "r2", held: true, want: "put off acme a"},
	} {
		t.Run(name, func(t *testing.T) {
			counted := ""
			r := newRig(t, func(c *dispatch.Config) {
				c.PutOff = func(owner string) { counted = owner }
				if tc.deadline > 0 { // the deadline of a context is in real time
					at := time.Now().Add(time.Hour)
					c.Now = func() time.Time { return at.Add(-tc.deadline) }
				}
			})
			ctx := t.Context()
			if tc.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, time.Now().Add(time.Hour))
				defer cancel()
			}
			r.held["acme"] = tc.held
			if failed := r.batch(ctx, pkg("acme", "a", func(w *retention.WorkItem) { w.Revision = tc.revision })); failed != nil {
				t.Errorf("failed: %v", failed)
			}
			if diff := cmp.Diff([]string{tc.want}, r.did); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, r.log.String())
			}
			if putOff := strings.HasPrefix(tc.want, "put off"); putOff != (counted == "acme") {
				t.Errorf("counted as put off: %q", counted)
			}
		})
	}
}

func TestEventsAreToldApart(t *testing.T) {
	r := newRig(t)
	for _, tc := range []struct{ event, want, err string }{
		{event: `{"kind":"tick"}`, want: `{"kind":"tick","ok":true}`},
		{event: `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"1","time":"2031-05-06T12:00:00Z","region":"x","resources":[],"detail":{}}`, want: `{"kind":"tick","ok":true}`},
		{event: `{"detail-type":"Scheduled Event","source":"aws.scheduler","detail":"{}"}`, want: `{"kind":"tick","ok":true}`},
		{event: `{"kind":"echo","owner":"acme","run":"r","reason":"why"}`, want: `{"kind":"echo","owner":"acme","run":"r","reason":"why"}`},
		{event: `{"Records":[]}`, want: `{"batchItemFailures":[]}`},
		{event: `{"kind":"echo","onwer":"acme"}`, err: `unknown field "onwer"`},
		{event: `{"kind":"rm"}`, err: `there is no command "rm"`},
		{event: `{"kind":7}`, err: `read the event`},
		{event: `{"Records":[{"eventSource":"aws:sns","body":"x"}]}`, err: `"aws:sns"`},
		{event: `{"source":"me"}`, err: `no event that is known`},
		{event: `[]`, err: `read the event`},
		{event: `null`, err: `no event that is known`},
	} {
		out, err := r.d.Invoke(t.Context(), json.RawMessage(tc.event))
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, want %q", tc.event, err, tc.err)
			}
			continue
		}
		got, jerr := json.Marshal(out)
		if err != nil || jerr != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v, %v; want %s", tc.event, got, err, jerr, tc.want)
		}
	}
}

func TestATickThatFailsFailsItsInvocation(t *testing.T) {
	r := newRig(t, func(c *dispatch.Config) { c.Tick = func(context.Context) error { return errBroken } })
	if _, err := r.d.Invoke(t.Context(), json.RawMessage(`{"kind":"tick"}`)); !errors.Is(err, errBroken) {
		t.Errorf("%v, want that it is broken", err)
	}
}

func TestACommandWaitsForTheOwner(t *testing.T) {
	r := newRig(t)
	r.held["acme"] = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run := func(ctx context.Context) (any, error) {
		return r.d.Exclusive(ctx, "acme", func(context.Context) (any, error) { return "done", r.note("exclusive") })
	}
	if _, err := run(ctx); !errors.Is(err, dispatch.ErrBusy) {
		t.Errorf("%v, want that it is busy", err)
	}
	if err := r.Release(t.Context(), "acme", ""); err != nil {
		t.Fatal(err)
	}
	out, err := run(t.Context())
	if out != "done" || err != nil || len(r.held) > 0 {
		t.Errorf("%v %v, held %v", out, err, r.held)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := dispatch.New(dispatch.Config{}); err == nil || !strings.Contains(err.Error(), "Worker") {
		t.Errorf("%v", err)
	}
}
