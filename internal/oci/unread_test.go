package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func cancelThenServe(g *registry, digest string, cancel context.CancelFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.Write(g.manifests[digest]) //nolint:errcheck // the client has gone
	}
}

// TestUnread gives, for every way in which a manifest can fail to be read, a
// package of that manifest and a good one.
func TestUnread(t *testing.T) {
	status := func(code int) func(*registry) string {
		return func(g *registry) string {
			d := g.push(ociImage, image("bad", nil))
			g.answer(d, code)
			return d
		}
	}
	content := func(body any) func(*registry) string {
		return func(g *registry) string { return g.push(ociImage, body) }
	}
	many := func(n int) obj {
		list := make([]obj, n)
		for i := range list {
			list[i] = child(digestOf(fmt.Append(nil, i)), "linux/amd64")
		}
		return indexOf(list...)
	}
	cases := []struct {
		name string
		bad  func(*registry) string
		want string
	}{
		{"403", status(http.StatusForbidden), "403 Forbidden; the credential needs read:packages"},
		{"429", status(http.StatusTooManyRequests), "429 Too Many Requests; the registry's rate limit is reached"},
		{"500", status(http.StatusInternalServerError), "500 Internal Server Error; run it again later"},
		{"503", status(http.StatusServiceUnavailable), "503 Service Unavailable"},
		{"401 for ever", status(http.StatusUnauthorized), "401 Unauthorized"},
		{"204", status(http.StatusNoContent), "204 No Content"},
		{"404 for a type that was not asked for", func(g *registry) string {
			d := digestOf([]byte("odd"))
			g.answers[d] = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI index found, but Accept header does not support OCI indexes"}]}`)
			}
			return d
		}, "a type that was not asked for"},
		{"404 and then 200", func(g *registry) string {
			d := g.push(ociImage, image("flickers", nil))
			g.answers[d] = func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					w.WriteHeader(http.StatusNotFound)
				}
			}
			return d
		}, "answered 404 and then had it"},
		{"404 and then 500", func(g *registry) string {
			d := digestOf([]byte("unsure"))
			g.answers[d] = func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					w.WriteHeader(http.StatusNotFound)
				} else {
					w.WriteHeader(http.StatusBadGateway)
				}
			}
			return d
		}, "502 Bad Gateway"},
		{"a broken connection", func(g *registry) string {
			d := digestOf([]byte("reset"))
			g.answers[d] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			return d
		}, "EOF"},
		{"a truncated body", func(g *registry) string {
			d := digestOf([]byte("short"))
			g.answers[d] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, "{")
			}
			return d
		}, "unexpected EOF"},
		{"another content than the digest's", func(g *registry) string {
			d := digestOf([]byte("expected"))
			g.answers[d] = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }
			return d
		}, "it was changed on the way"},
		{"more than 4 MiB, announced", content(append([]byte(`{"a":"`), make([]byte, 4<<20)...)), "the limit is 4194304"},
		{"more than 4 MiB, in chunks", func(g *registry) string {
			d := digestOf([]byte("huge"))
			g.answers[d] = func(w http.ResponseWriter, _ *http.Request) {
				block := make([]byte, 64<<10)
				for range 80 {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			}
			return d
		}, "more than 4194304 bytes"},
		{"no JSON", content([]byte("<html>")), "not a JSON manifest"},
		{"JSON that is no object", content([]byte("[]")), "not a JSON manifest"},
		{"JSON nested 100,000 deep", content([]byte(`{"x":` + strings.Repeat("[", 100_000))), "not a JSON manifest"},
		{"100,000 children", content([]byte(`{"manifests":[` + strings.Repeat("{},", 99_999) + `{}]}`)), "more than 1000 children"},
		{"100,000 layers", content([]byte(`{"layers":[` + strings.Repeat("{},", 99_999) + `{}]}`)), "more than 10000 layers"},
		{"one child more than the limit", content(many(1001)), "more than 1000 children"},
		{"children that are no list", content([]byte(`{"manifests":{"a":1}}`)), "list of children: it is not a list"},
		{"a child without a digest", content(indexOf(obj{"mediaType": ociImage})), "child: "},
		{"a child with a digest of an unknown kind", content(indexOf(child("md5:00", ""))), "child: "},
		{"a subject without a digest", content(image("s", obj{"subject": obj{}})), "subject: "},
		{"both children and layers", content(image("x", obj{"manifests": []obj{}})), "ambiguous manifest"},
		{"children in what is called an image", content(obj{"mediaType": ociImage, "manifests": []obj{}}), "ambiguous manifest"},
		{"layers in what is called an index", content(image("y", obj{"mediaType": ociIndex})), "ambiguous manifest"},
		{"an endless artifact type", content(image("z", obj{"artifactType": strings.Repeat("a", 300)})), "longer than 255"},
		{"an endless platform", content(indexOf(child(digestOf(nil), "linux/"+strings.Repeat("a", 300)))), "longer than 255"},
		{"a name that is no digest", func(*registry) string { return "latest" }, "a name that is no digest"},
		{"a child that GitHub does not list", func(g *registry) string {
			return g.push(ociIndex, indexOf(child(g.push(ociImage, image("hidden", nil)), "linux/amd64")))
		}, "GitHub does not list it as a version"},
		{"a child about which the registry says nothing", func(g *registry) string {
			d := digestOf([]byte("denied"))
			g.answer(d, http.StatusInternalServerError)
			return g.push(ociIndex, indexOf(child(d, "linux/amd64")))
		}, "500 Internal Server Error"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newRegistry(t)
			g.server.Config.ErrorLog = nil
			good := g.push(ociImage, image("good", nil))
			bad := c.bad(g)
			res := mustGraph(t, g.reader(), version(1, good, 10, "good"), version(2, bad, 0))
			if res.Complete() {
				t.Fatal("the reading counts as complete")
			}
			if got := fmt.Sprint(res.Unread); !strings.Contains(got, c.want) {
				t.Errorf("unread %.500s, want %q", got, c.want)
			}
		})
	}
}

func TestNotFoundProvesNothingWithoutAccess(t *testing.T) {
	g := newRegistry(t)
	amd, gone := g.push(ociImage, image("amd", nil)), digestOf([]byte("gone"))
	idx := g.push(ociIndex, indexOf(child(amd, "linux/amd64"), child(gone, "linux/arm64")))
	versions := []retention.Version{version(1, amd, 0), version(2, idx, 1, "v1")}
	cache := &MemoryCache{}
	if res := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), versions...); !res.Complete() {
		t.Fatal(res.Unread)
	}
	warm := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), versions...)
	if !warm.Complete() || warm.Calls.Head != 2 {
		t.Errorf("with access, %d HEADs and unread %v; want the child, then the index as a proof", warm.Calls.Head, warm.Unread)
	}
	clear(g.manifests) // the registry answers 404 for everything now
	for name, vs := range map[string][]retention.Version{
		"children known from the cache": versions,
		"versions not known":            {version(9, digestOf([]byte("new")), 5, "new")},
	} {
		res := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), vs...)
		if res.Complete() || !strings.Contains(fmt.Sprint(res.Unread), "proves nothing") && !strings.Contains(fmt.Sprint(res.Unread), "prove nothing") {
			t.Errorf("%s: unread %v", name, res.Unread)
		}
		for _, n := range res.Nodes {
			if len(n.Missing) > 0 {
				t.Errorf("%s: %v counts as missing", name, n.Missing)
			}
		}
	}
}

func TestRegistryThatIsDownIsNotAskedForEveryManifest(t *testing.T) {
	g := newRegistry(t)
	var versions []retention.Version
	for i := range 50 {
		d := digestOf(fmt.Append(nil, i))
		g.answer(d, http.StatusBadGateway)
		versions = append(versions, version(i+1, d, i, fmt.Sprint("t", i)))
	}
	res := mustGraph(t, g.reader(func(o *Options) { o.Parallel = 1 }), versions...)
	if res.Calls.Manifest != maxFailures || !strings.Contains(fmt.Sprint(res.Unread), "45 of 50 manifests were not read") {
		t.Errorf("%d reads, unread %v", res.Calls.Manifest, res.Unread)
	}
}

func TestPauseEndsTheReading(t *testing.T) {
	pause := errors.New("paused until noon")
	g := newRegistry(t)
	versions := []retention.Version{version(1, digestOf([]byte("a")), 0, "a"), version(2, digestOf([]byte("b")), 0, "b")}
	r := g.reader(func(o *Options) {
		o.Parallel = 1
		o.IsPause = func(err error) bool { return errors.Is(err, pause) }
		o.Client = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, pause })}
	})
	res, err := r.Graph(t.Context(), "acme", "team/api", versions)
	if !errors.Is(err, pause) || res.Complete() {
		t.Errorf("error %v, unread %v", err, res.Unread)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCacheThatFailsMakesThePackageIncomplete(t *testing.T) {
	g := newRegistry(t)
	d := g.push(ociImage, image("a", nil))
	for name, cache := range map[string]brokenCache{"on reading": {get: errors.New("disk full")}, "on writing": {put: errors.New("disk full")}} {
		res := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), version(1, d, 0, "v1"))
		if !strings.Contains(fmt.Sprint(res.Unread), "disk full") {
			t.Errorf("%s: unread %v", name, res.Unread)
		}
	}
}

type brokenCache struct{ get, put error }

func (c brokenCache) Manifests(context.Context, []string) (map[string][]byte, error) {
	return nil, c.get
}
func (c brokenCache) PutManifests(context.Context, map[string][]byte) error { return c.put }

func TestUselessCacheEntriesAreReadAgain(t *testing.T) {
	for _, entry := range []string{"", "{}", "null", `{"v":99,"k":"image"}`, `{"v":1,"k":"index","c":[{"d":"x"}]}`} {
		g := newRegistry(t)
		d := g.push(ociImage, image("a", nil))
		cache := &MemoryCache{records: map[string][]byte{d: []byte(entry)}}
		if res := mustGraph(t, g.reader(func(o *Options) { o.Cache = cache }), version(1, d, 0, "v1")); res.Calls.Manifest != 1 || !res.Complete() {
			t.Errorf("entry %q: %d reads, unread %v", entry, res.Calls.Manifest, res.Unread)
		}
	}
}

func TestLimitsOfAPackage(t *testing.T) {
	g := newRegistry(t)
	var versions []retention.Version
	below := g.push(ociImage, image("leaf", nil))
	versions = append(versions, version(1, below, 0))
	for i := range 4 {
		entry := child(below, "")
		if i > 0 {
			entry["mediaType"] = ociIndex
		}
		below = g.push(ociIndex, indexOf(entry))
		versions = append(versions, version(i+2, below, i+1))
	}
	for name, c := range map[string]struct {
		limits Limits
		want   string
	}{
		"depth": {Limits{Depth: 2}, "nested more than 2 deep"},
		"nodes": {Limits{Nodes: 3}, "more than 3 active versions"},
		"edges": {Limits{Edges: 2}, "more than 2 children"},
	} {
		res := mustGraph(t, g.reader(func(o *Options) { o.Limits = c.limits }), versions...)
		if !strings.Contains(fmt.Sprint(res.Unread), c.want) {
			t.Errorf("%s: unread %v", name, res.Unread)
		}
	}
	if res := mustGraph(t, g.reader(func(o *Options) { o.Limits = Limits{Depth: 3} }), versions...); !res.Complete() {
		t.Errorf("at the limit: %v", res.Unread)
	}
}

// TestCycles can only come from a cache that lies: no manifest can hold the
// digest of one that holds its own.
func TestCycles(t *testing.T) {
	g := newRegistry(t)
	a, b := digestOf([]byte("a")), digestOf([]byte("b"))
	entry := func(of string) []byte {
		return []byte(`{"v":1,"k":"index","m":"` + ociIndex + `","c":[{"d":"` + of + `","m":"` + ociIndex + `"}]}`)
	}
	for name, cache := range map[string]map[string][]byte{"of two": {a: entry(b), b: entry(a)}, "of one": {a: entry(a), b: entry(a)}} {
		r := g.reader(func(o *Options) { o.Cache = &MemoryCache{records: cache} })
		res := mustGraph(t, r, version(1, a, 0), version(2, b, 0))
		if !strings.Contains(fmt.Sprint(res.Unread), "nested more than 8 deep") {
			t.Errorf("%s: unread %v", name, res.Unread)
		}
	}
}

func TestNamesThatAreNoRepository(t *testing.T) {
	g := newRegistry(t)
	for _, name := range []string{"../../user", "a b", "", "a//b", "a?x=1"} {
		res, err := g.reader().Graph(t.Context(), "acme", name, []retention.Version{version(1, digestOf(nil), 0)})
		if err != nil || res.Calls.Total() != 0 || !strings.Contains(fmt.Sprint(res.Unread), "no repository name") {
			t.Errorf("%q: %d calls, unread %v, %v", name, res.Calls.Total(), res.Unread, err)
		}
	}
}

func TestNewRefusesWhatItCannotWorkWith(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no client":    func(o *Options) { o.Client = nil },
		"no clock":     func(o *Options) { o.Now = nil },
		"no host":      func(o *Options) { o.Registry = "https://" },
		"other scheme": func(o *Options) { o.Registry = "ftp://ghcr.io" },
	} {
		o := Options{Client: http.DefaultClient, Now: time.Now}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAManifestThatIsTooLargeIsUnread(t *testing.T) {
	g := newRegistry(t)
	d := g.push(ociImage, image("a", nil))
	r := g.reader(func(o *Options) { o.Limits = Limits{ManifestBytes: 16} })
	if res := mustGraph(t, r, version(1, d, 0, "v1")); res.Complete() {
		t.Error("a manifest beyond the limit was read")
	}
}
