package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/secret"
)

// Prefix is where the dashboard's addresses begin.
const Prefix = "/dashboard/"

// Ledger is what the dashboard reads of the ledger.
type Ledger interface {
	Runs(ctx context.Context, owner string, limit int) ([]retention.Run, error)
	Actions(ctx context.Context, run string) ([]ledger.Action, error)
	Used(ctx context.Context, owner, run string) (ledger.Used, error)
}

// Owners tells where each configured owner stands.
type Owners interface {
	Owners(ctx context.Context) ([]Owner, error)
}

// Reports shows a run of the ledger. ok is false when there is no such run.
type Reports interface {
	RunReport(ctx context.Context, id string) (r report.Run, ok bool, err error)
}

// Pause is the kill switch of all work.
type Pause interface {
	Paused(ctx context.Context) (on bool, reason string)
	Pause(ctx context.Context, reason string) error
	Resume(ctx context.Context) error
}

// Undo plans and carries out the undoing of a run. PlanUndo only reads. Undo does
// exactly the plan, or refuses item by item; the ledger has what came of it.
type Undo interface {
	PlanUndo(ctx context.Context, run string) (guard.Plan, error)
	Undo(ctx context.Context, plan guard.Plan) error
}

// Owner is one configured owner.
type Owner struct {
	Login    string
	Mode     retention.Mode
	Schedule string    // as configured; "" is none
	Next     time.Time // when a sweep is due next; zero when none is
	PerDay   int       // limits.deletes_per_day
	Phase    string    // of the current or last sweep; "" when there was none
	Since    time.Time // when it began
	Updated  time.Time // when it was last heard of
	Until    time.Time // GitHub asks to wait until then; zero when it does not
	Note     string    // why it stands where it does
}

// Config is what a dashboard is made of. Everything must be set.
type Config struct {
	Token    secret.Secret // signs a person in; at least 16 characters
	Hosts    []string      // the Host headers that are answered, such as 127.0.0.1:8080
	Secure   bool          // it is reached by https: cookies are for https only
	Policies func() PolicySet
	Version  string

	Ledger  Ledger
	Owners  Owners
	Reports Reports
	Pause   Pause
	Undo    Undo

	// Go runs work that outlives its request. The context ends when the process
	// can't wait for it any longer.
	Go  func(work func(ctx context.Context))
	Now func() time.Time
	Log *slog.Logger
}

// PolicySet names the policies that decide.
type PolicySet struct {
	Revision string
	Digest   string
	Names    []string
	Held     string // why nothing is decided by them; "" when they are in force
}

// Dashboard serves the pages. New makes one.
type Dashboard struct {
	cfg    Config
	gate   *gate
	window *window
	undos  *undos
	mux    *http.ServeMux
}

// minToken is the least length of a token: what is guessed has to be too long for it.
const minToken = 16

// New makes a dashboard. It fails when something is missing.
func New(cfg Config) (*Dashboard, error) {
	switch {
	case len(cfg.Token.Reveal()) < minToken:
		return nil, errors.New("the dashboard's token is shorter than 16 characters")
	case len(cfg.Hosts) == 0:
		return nil, errors.New("the dashboard has no address that it is reached by")
	case cfg.Policies == nil, cfg.Ledger == nil, cfg.Owners == nil, cfg.Reports == nil, cfg.Pause == nil, cfg.Undo == nil, cfg.Go == nil, cfg.Now == nil, cfg.Log == nil:
		return nil, errors.New("the dashboard is not wired wholly")
	}
	d := &Dashboard{
		cfg: cfg, gate: newGate(cfg.Token, cfg.Now), window: newWindow(cfg.Ledger, cfg.Now), undos: newUndos(cfg.Now), mux: http.NewServeMux(),
	}
	d.routes()
	return d, nil
}

// Code is part of the address that is printed when the server starts: it signs in
// once, within a quarter of an hour, in place of the token.
func (d *Dashboard) Code() string { return d.gate.code.Reveal() }

func (d *Dashboard) routes() {
	open := func(pattern string, h http.HandlerFunc) { d.mux.HandleFunc(pattern, h) }
	open("GET "+Prefix+"style.css", d.style)
	open("GET "+Prefix+"login", d.loginPage)
	open("POST "+Prefix+"login", d.login)

	get := func(path string, h pageHandler) { d.mux.Handle("GET "+Prefix+path, d.signedIn(h)) }
	post := func(path string, h pageHandler) { d.mux.Handle("POST "+Prefix+path, d.signedIn(d.ownForm(h))) }
	get("{$}", d.overview)
	get("runs", d.runs)
	get("runs/{run}", d.run)
	get("runs/{run}/report", d.runReport)
	get("undo/{plan}", d.undoPage)
	post("runs/{run}/undo", d.planUndo)
	post("undo/{plan}", d.carryOut)
	post("pause", d.pause)
	post("resume", d.resume)
	post("logout", d.logout)
}

// ServeHTTP answers a request below Prefix.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secured(d.cfg.Hosts, d.mux, d.cfg.Log).ServeHTTP(w, r)
}
