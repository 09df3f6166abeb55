package enforce_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func isPaused(err error) bool {
	_, ok := errors.AsType[*ghapp.PausedError](err)
	return ok
}

var writePath = regexp.MustCompile(`^(?:/api/v3)?/(?:orgs|users)/([^/]+)/packages/([^/]+)/([^/]+?)(?:/versions/(\d+))?(/restore)?$`)

// watch stands before the simulator: a write that the ledger has no open intent
// for, or that leaves an index without one of its children, fails the test.
func (w *world) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		m := writePath.FindStringSubmatch(r.URL.EscapedPath())
		write := r.Method == http.MethodDelete || r.Method == http.MethodPost && m != nil && m[5] != ""
		if write && r.Header.Get("X-By-Hand") == "" {
			w.checkIntent(r.Method, m)
			defer w.checkWhole(r.Method + " " + r.URL.Path)
		}
		next.ServeHTTP(rw, r)
	})
}

func (w *world) checkIntent(method string, m []string) {
	if m == nil {
		w.t.Errorf("a write to an address that is no package's")
		return
	}
	open, err := w.store.OpenActions(w.ctx(), ledger.OwnerKey(m[1]))
	if err != nil {
		w.t.Errorf("read the open intents: %v", err)
	}
	name, _ := url.PathUnescape(m[3])
	action := retention.Delete
	if method == http.MethodPost {
		action = retention.Restore
	}
	if !slices.ContainsFunc(open, func(a ledger.Action) bool {
		return a.Action == action && string(a.PackageType) == m[2] && a.Package == name && a.VersionID.String() == m[4]
	}) {
		w.t.Errorf("%s %v: the ledger has no open intent for it", method, m[0])
	}
}

// checkWhole makes sure that every index that is there has all of its children.
func (w *world) checkWhole(when string) {
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.State != retention.Active {
					continue
				}
				for _, child := range w.parts[o.Login+"/"+p.Name+" "+v.Key] {
					if c, ok := p.Version(child); !ok || c.State != retention.Active {
						w.t.Errorf("after %s: index %s of %s is there and its child %s is not", when, v.Key, p.Name, child)
					}
				}
			}
		}
	}
}

// version finds a version of acme's in the simulator, whatever its state.
func (w *world) version(pkg, key string) githubsim.VersionState {
	w.t.Helper()
	for _, typ := range retention.PackageTypes() {
		if p, ok := w.sim.State().Package("acme", typ, pkg); ok {
			if v, ok := p.Version(key); ok {
				return v
			}
		}
	}
	w.t.Fatalf("the simulator has no %s in %s", key, pkg)
	return githubsim.VersionState{}
}

// gone lists the versions that were there at the start and are not now, as
// "package key", sorted; a package that is gone is "package *".
func (w *world) gone() []string {
	now := map[int64]retention.State{}
	out := []string{}
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			if p.State == retention.Deleted {
				out = append(out, p.Name+" *")
			}
			for _, v := range p.Versions {
				now[v.ID] = v.State
			}
		}
	}
	for _, o := range w.start.Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.State == retention.Active && now[v.ID] == retention.Deleted {
					out = append(out, p.Name+" "+v.Key)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// deletions lists the versions that simulator calls deleted, in order.
func (w *world) deletions() []string { return w.writes(http.MethodDelete) }

// writes lists what successful writes of a method were about, in order.
func (w *world) writes(method string) []string {
	names := map[string]string{}
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				names[strconv.FormatInt(v.ID, 10)] = p.Name + " " + v.Key
			}
		}
	}
	out := []string{}
	for _, c := range w.sim.Calls() {
		if c.Method != method || !c.Mutating || c.Status != http.StatusNoContent {
			continue
		}
		m := writePath.FindStringSubmatch(c.Path)
		name, _ := url.PathUnescape(m[3])
		out = append(out, cmp.Or(names[m[4]], name+" *"))
	}
	return out
}

func (w *world) mutating() int { return w.sim.CallCounts().Mutating }

// audit checks from outside what must hold after anything: the ledger is whole,
// only what the plans hold is gone, each of it has its intent, and what the
// ledger says fits what is there.
func (w *world) audit(plans ...guard.Plan) {
	w.t.Helper()
	l := w.ledger()
	owners, err := l.Owners(w.ctx())
	w.must(err)
	for _, o := range owners {
		if _, err := l.Verify(w.ctx(), o); err != nil {
			w.t.Errorf("verify the ledger of %s: %v", o, err)
		}
	}
	planned := map[string]bool{}
	acts := map[string][]ledger.Action{}
	for _, p := range plans {
		for _, it := range p.Items() {
			if it.Action == retention.Delete && (it.Status == retention.StatusPlanned || it.Guard != nil && it.Guard.Code.ReleasedByApply()) {
				planned[it.Package+" "+it.VersionID.String()] = true
			}
		}
		actions, err := l.Actions(w.ctx(), p.ID())
		w.must(err)
		for _, a := range actions {
			k := a.Package + " " + a.VersionID.String()
			acts[k] = append(acts[k], a)
		}
	}
	for _, o := range w.sim.State().Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if w.wasThere(v.ID) && !w.byHand[v.ID] && p.State == retention.Active {
					w.auditVersion(fmt.Sprintf("%s %s", p.Name, v.Key), v, planned, acts[fmt.Sprintf("%s %d", p.Name, v.ID)])
				}
			}
		}
	}
	w.checkWhole("everything")
}

func (w *world) auditVersion(name string, v githubsim.VersionState, planned map[string]bool, acts []ledger.Action) {
	w.t.Helper()
	pkg, _, _ := strings.Cut(name, " ")
	is := map[retention.Outcome]int{}
	restored := false
	for _, a := range acts {
		if a.Action == retention.Delete {
			is[a.Outcome]++
		}
		restored = restored || a.Action == retention.Restore && a.Outcome == retention.OutcomeDone
	}
	maybe := is[retention.OutcomeUnknown] + is[""]
	sure := is[retention.OutcomeDone] + is[retention.OutcomeGone]
	switch {
	case v.State == retention.Deleted && !planned[fmt.Sprintf("%s %d", pkg, v.ID)]:
		w.t.Errorf("%s is gone and no plan asked for it", name)
	case v.State == retention.Deleted && sure+maybe == 0:
		w.t.Errorf("%s is gone and the ledger says otherwise: %v", name, is)
	case v.State == retention.Active && sure > 0 && !restored:
		w.t.Errorf("%s is there and the ledger says that it is gone: %v", name, is)
	}
}

func (w *world) wasThere(id int64) bool {
	for _, o := range w.start.Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if v.ID == id {
					return v.State == retention.Active
				}
			}
		}
	}
	return false
}

// outcomes gives how each item of a result ended, by "package tag-or-name";
// children are left out.
func outcomes(items []retention.Item) map[string]string {
	out := map[string]string{}
	for _, it := range items {
		name := it.Version
		if len(it.Tags) > 0 {
			name = it.Tags[0]
		}
		if strings.HasPrefix(name, "sha256:") {
			continue
		}
		out[it.Package+" "+cmp.Or(name, "*")] = cmp.Or(string(it.Outcome), string(it.Status))
	}
	return out
}

// statuses gives the status and guard of a plan's items in the same way.
func statuses(items []retention.Item) map[string]string {
	for i := range items {
		items[i].Outcome = ""
		if items[i].Guard != nil {
			items[i].Status += retention.Status(": " + items[i].Guard.Code)
		}
	}
	return outcomes(items)
}
