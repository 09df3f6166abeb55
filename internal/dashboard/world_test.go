package dashboard

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

const testToken = "a-token-that-is-long-enough"

// world is a dashboard with everything that it reads and acts through, all in
// memory, and a browser's worth of client.
type world struct {
	held string // why the policies are not in force
	t    *testing.T
	url  string
	d    *Dashboard
	log  *bytes.Buffer

	mu      sync.Mutex
	at      time.Time
	runs    []retention.Run
	actions map[string][]ledger.Action
	owners  []Owner
	paused  string
	done    []string // everything that changed something, in order
	broken  error
	lost    bool // half of an undo can't be restored
	release chan struct{}
	works   sync.WaitGroup
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) did(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, what)
}

func (w *world) deeds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

func (w *world) Runs(_ context.Context, owner string, limit int) ([]retention.Run, error) {
	var out []retention.Run
	for _, r := range w.runs {
		if (owner == "" || owner == r.Owner) && (limit == 0 || len(out) < limit) {
			out = append(out, r)
		}
	}
	return out, w.broken
}

func (w *world) Actions(_ context.Context, run string) ([]ledger.Action, error) {
	return w.actions[run], w.broken
}

func (w *world) Used(context.Context, string, string) (ledger.Used, error) {
	return ledger.Used{Day: 7}, w.broken
}

func (w *world) Owners(context.Context) ([]Owner, error) { return w.owners, w.broken }

func (w *world) RunReport(_ context.Context, id string) (report.Run, bool, error) {
	for _, r := range w.runs {
		if r.ID == id {
			v := report.Run{Run: r}
			for _, a := range w.actions[id] {
				v.Items = append(v.Items, retention.Item{Owner: a.Owner, PackageType: a.PackageType, Package: a.Package, VersionID: a.VersionID, Version: a.Version,
					Tags: a.Tags, Action: a.Action, Rules: a.Rules, Outcome: a.Outcome, Detail: a.Detail})
			}
			return v, true, nil
		}
	}
	return report.Run{}, false, w.broken
}

func (w *world) Paused(context.Context) (bool, string) { return w.paused != "", w.paused }

func (w *world) Pause(_ context.Context, reason string) error {
	w.did("pause " + reason)
	w.paused = reason
	return w.broken
}

func (w *world) Resume(context.Context) error {
	w.did("resume")
	w.paused = ""
	return w.broken
}

func (w *world) PlanUndo(_ context.Context, run string) (guard.Plan, error) {
	if w.broken != nil {
		return guard.Plan{}, w.broken
	}
	now := w.now()
	var deleted []guard.Done
	inv := retention.Inventory{Owner: retention.Owner{Login: "acme"}, Package: retention.Package{Name: "team/api", Type: retention.NPM, State: retention.Active}, Complete: true, DeletedListed: true}
	for i, a := range w.actions[run] {
		at := a.FinishedAt
		if w.lost && i == 0 {
			at = now.Add(-31 * 24 * time.Hour)
		}
		inv.Package.Name = a.Package
		deleted = append(deleted, guard.Done{At: at, Item: retention.Item{Owner: a.Owner, PackageType: a.PackageType, Package: a.Package, VersionID: a.VersionID, Version: a.Version, Action: retention.Delete, Target: retention.TargetVersion, Rules: a.Rules, Cost: 1}})
		if !w.lost || i > 0 {
			inv.Versions = append(inv.Versions, retention.Version{ID: a.VersionID, Name: a.Version, State: retention.Deleted, DeletedAt: at})
		}
	}
	d := guard.Undo(guard.UndoSubject{Inventory: inv, Deleted: deleted, Run: run, Now: now})
	h := guard.Header{ID: "UNDO-" + run, Kind: retention.RunUndo, Undoes: run, CreatedAt: now, EvaluatedAt: now}
	return guard.Assemble(h, []guard.OwnerDraft{{Owner: inv.Owner, Mode: retention.Enforce, Drafts: []guard.Draft{d}}}), nil
}

func (w *world) Undo(_ context.Context, p guard.Plan) error {
	if w.release != nil {
		<-w.release
	}
	w.did("undo " + p.Undoes())
	return w.broken
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), log: &bytes.Buffer{}, actions: map[string][]ledger.Action{}}
	w.owners = []Owner{{Login: "acme", Mode: retention.Enforce, Schedule: "0 3 * * *", Next: w.at.Add(15 * time.Hour), PerDay: 2000, Phase: "done", Updated: w.at.Add(-9 * time.Hour)}}
	w.addRun("R1", "apply", w.at.Add(-48*time.Hour), w.action("R1", 1, retention.Delete, w.at.Add(-48*time.Hour)), w.action("R1", 2, retention.Delete, w.at.Add(-48*time.Hour)))
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	d, err := New(Config{
		Token: secret.New(testToken), Hosts: []string{server.Listener.Addr().String()}, Policies: func() PolicySet {
			return PolicySet{Revision: "r7", Digest: "sha256:" + strings.Repeat("a", 64), Names: []string{"expire_untagged"}, Held: w.held}
		},
		Version: "test", Ledger: w, Owners: w, Reports: w, Pause: w, Undo: w,
		Go:  func(work func(context.Context)) { w.works.Go(func() { work(context.Background()) }) },
		Now: w.now, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.d = d
	server.Config.Handler = d
	server.Start()
	w.url = server.URL
	return w
}

func (w *world) action(run string, id retention.ID, a retention.Action, at time.Time) ledger.Action {
	return ledger.Action{Intent: ledger.Intent{Run: run, Owner: "acme", PackageType: retention.NPM, Package: "team/api", VersionID: id, Version: "1.0." + id.String(),
		Action: a, Target: retention.TargetVersion, Rules: []retention.Rule{{Policy: "expire_untagged", Reason: "untagged"}}, At: at}, Outcome: retention.OutcomeDone, FinishedAt: at}
}

// addRun puts a finished run before the others: the newest is first.
func (w *world) addRun(id string, kind retention.RunKind, at time.Time, actions ...ledger.Action) {
	w.runs = append([]retention.Run{{ID: id, Owner: "acme", Kind: kind, Mode: retention.Enforce, Trigger: retention.Trigger{Kind: retention.TriggerSchedule},
		StartedAt: at, FinishedAt: at.Add(time.Minute), Planned: len(actions), Outcomes: map[retention.Outcome]int{retention.OutcomeDone: len(actions)}}}, w.runs...)
	w.actions[id] = actions
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	*world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, body.String()}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(path string, form url.Values, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

// signIn signs in with the token.
func (w *world) signIn() *browser {
	w.t.Helper()
	b := w.browser()
	if a := b.post("/dashboard/login", url.Values{"token": {testToken}}); a.status != http.StatusSeeOther {
		w.t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	return b
}

var formField = regexp.MustCompile(`name="form" value="([^"]+)"`)

// form is the token that the forms of this session bear.
func (b *browser) form() url.Values {
	b.t.Helper()
	m := formField.FindStringSubmatch(b.get("/dashboard/").body)
	if m == nil {
		b.t.Fatal("the overview has no form")
	}
	return url.Values{"form": {m[1]}}
}

func (b *browser) formWith(name, value string) url.Values {
	f := b.form()
	f.Set(name, value)
	return f
}

var errBroken = errors.New("the state file is locked")
