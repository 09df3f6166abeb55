package packages_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var (
	acme = retention.Owner{Login: "acme", Kind: retention.Organization, ID: 1}
	mona = retention.Owner{Login: "mona", Kind: retention.User, ID: 2}
	self = retention.Owner{Kind: retention.User}
)

func fixedNow() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// reply is one canned answer.
type reply struct {
	status int
	header map[string]string
	body   string
}

func (r reply) write(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header().Set(k, v)
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
	}
	_, _ = w.Write([]byte(r.body))
}

// recorder serves canned answers by "METHOD escaped-path?query" and fails the
// test on any other request. Several replies for one request are used in turn,
// the last one for good.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func serve(t *testing.T, replies map[string][]reply) *recorder {
	t.Helper()
	rec := &recorder{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Method + " " + r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			key += "?" + r.URL.RawQuery
		}
		rec.mu.Lock()
		rec.seen = append(rec.seen, key)
		turns, ok := replies[key]
		if len(turns) > 1 {
			replies[key] = turns[1:]
		}
		rec.mu.Unlock()
		if !ok {
			t.Errorf("unexpected request %s", key)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		turns[0].write(w)
	}))
	t.Cleanup(rec.Close)
	return rec
}

func (rec *recorder) requests() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Sorted(slices.Values(rec.seen))
}

func newClient(t *testing.T, url string, opts ...packages.Option) *packages.Client {
	t.Helper()
	hc := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(hc.CloseIdleConnections)
	c, err := packages.New(hc, url, append([]packages.Option{packages.WithClock(fixedNow)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func once(status int, body string) []reply { return []reply{{status: status, body: body}} }

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(packages.VersionList{}, "ReadAt"), cmpopts.IgnoreFields(packages.PackageList{}, "ReadAt")); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func equalError(t *testing.T, want *packages.Error, err error) {
	t.Helper()
	got, ok := err.(*packages.Error) //nolint:errorlint // the top-level type is under test
	if !ok {
		t.Fatalf("error is %T %v, want *packages.Error", err, err)
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(packages.Error{}), cmpopts.IgnoreFields(packages.Error{}, "Next", "Err")); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
	if got.Next == "" {
		t.Errorf("error %q has no next step", got)
	}
}

func npmVersions(from, n int) string {
	vs := []map[string]any{}
	for i := range n {
		vs = append(vs, map[string]any{"id": from + i, "name": fmt.Sprintf("1.0.%d", from+i), "metadata": map[string]any{"package_type": "npm"}})
	}
	b, err := json.Marshal(vs)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func npmPackages(from, n int) string {
	ps := []map[string]any{}
	for i := range n {
		ps = append(ps, map[string]any{"id": from + i, "name": fmt.Sprintf("p%d", from+i), "package_type": "npm"})
	}
	b, err := json.Marshal(ps)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func ids[T any](items []T, id func(T) retention.ID) []retention.ID {
	var out []retention.ID
	for _, it := range items {
		out = append(out, id(it))
	}
	return out
}

func versionIDs(vs []retention.Version) []retention.ID {
	return ids(vs, func(v retention.Version) retention.ID { return v.ID })
}

func packageIDs(ps []retention.Package) []retention.ID {
	return ids(ps, func(p retention.Package) retention.ID { return p.ID })
}

func sequence(from, n int) []retention.ID {
	var out []retention.ID
	for i := range n {
		out = append(out, retention.ID(from+i))
	}
	return out
}
