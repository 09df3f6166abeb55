package scenarios

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// holding is one version that another one needs, both as package@key: an index
// and a child, or a subject and a referrer.
type holding struct{ holder, held string }

// watch looks at the simulator after every call that changes it: at no moment
// may an index that is there lack a child that it had, however a run is
// interrupted.
type watch struct {
	t      *testing.T
	server *githubsim.Server

	mu    sync.Mutex
	whole []holding // indexes with a child that were there, or gone, together
}

// around is the middleware.
func (w *watch) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(rw, r)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.look(r)
		}
	})
}

func (w *watch) look(r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := activeKeys(w.server.State())
	for _, h := range w.whole {
		if there[h.holder] && !there[h.held] {
			w.t.Errorf("after %s %s: index %s is there without its child %s", r.Method, r.URL.Path, h.holder, h.held)
		}
	}
}

// begin remembers which children are there with their indexes, by what was
// pushed and not by what the program under test reads.
func (w *watch) begin(pushed map[string]githubsim.Version, later []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = nil
	st := w.server.State()
	there, known := activeKeys(st), allKeys(st)
	for name, v := range pushed {
		for _, c := range v.Index {
			child := sibling(name, c)
			if known[name] && known[child] && there[name] == there[child] && !slices.Contains(later, child) {
				w.whole = append(w.whole, holding{holder: name, held: child})
			}
		}
	}
}

// pushedVersions are all versions that a scenario pushes, by package@key.
func pushedVersions(s scenario) map[string]githubsim.Version {
	out := map[string]githubsim.Version{}
	add := func(pkg string, vs []githubsim.Version) {
		for _, v := range vs {
			name := pkg + "@" + keyOf(v)
			if _, known := out[name]; !known { // a retag names the key only
				out[name] = v
			}
		}
	}
	for _, o := range s.Seed.Owners {
		for _, p := range o.Packages {
			add(p.Name, p.Versions)
		}
	}
	for _, p := range slices.Concat(s.Publish, s.Meanwhile) {
		add(p.Package, p.Versions)
	}
	return out
}

func keyOf(v githubsim.Version) string {
	if v.Key != "" {
		return v.Key
	}
	return v.Name
}

// sibling names another version of the same package.
func sibling(name, key string) string {
	pkg, _, _ := strings.Cut(name, "@")
	return pkg + "@" + key
}

// subjects are the keys that a version refers to.
func subjects(v githubsim.Version) []string {
	var out []string
	for _, s := range []string{v.Subject, v.CosignSignatureOf, v.CosignAttestationOf, v.CosignSBOMOf, v.FallbackReferrersOf} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// activeKeys are the versions that are there, as package@key.
func activeKeys(st githubsim.State) map[string]bool {
	return keys(st, func(p githubsim.PackageState, v githubsim.VersionState) bool {
		return p.State == retention.Active && v.State == retention.Active
	})
}

func allKeys(st githubsim.State) map[string]bool {
	return keys(st, func(githubsim.PackageState, githubsim.VersionState) bool { return true })
}

func keys(st githubsim.State, is func(githubsim.PackageState, githubsim.VersionState) bool) map[string]bool {
	out := map[string]bool{}
	for _, o := range st.Owners {
		for _, p := range o.Packages {
			for _, v := range p.Versions {
				if is(p, v) {
					out[p.Name+"@"+v.Key] = true
				}
			}
		}
	}
	return out
}
