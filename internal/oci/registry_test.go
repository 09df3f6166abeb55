package oci

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociImage    = "application/vnd.oci.image.manifest.v1+json"
	dockerList  = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// registry is a container registry with ghcr.io's token exchange that holds
// the one package acme/team/api. A request that a careful client would not
// make fails the test.
type registry struct {
	t        *testing.T
	server   *httptest.Server
	password string // "" lets anybody pull

	mu        sync.Mutex
	manifests map[string][]byte // by digest
	types     map[string]string // by digest; the Content-Type
	tags      map[string]string
	answers   map[string]http.HandlerFunc // by digest or tag: instead of the manifest
	expiresIn int
	gets      map[string]int
	heads     map[string]int
	tokens    int
	pings     int
	valid     map[string]bool // tokens that are accepted
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	g := &registry{
		t: t, password: "ghp_secret",
		manifests: map[string][]byte{}, types: map[string]string{}, tags: map[string]string{},
		answers: map[string]http.HandlerFunc{}, gets: map[string]int{}, heads: map[string]int{}, valid: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", g.ping)
	mux.HandleFunc("GET /token", g.token)
	mux.HandleFunc("GET /v2/acme/team/api/manifests/{ref}", g.manifest)
	mux.HandleFunc("HEAD /v2/acme/team/api/manifests/{ref}", g.manifest)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected request %s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotImplemented)
	})
	g.server = httptest.NewServer(mux)
	t.Cleanup(g.server.Close)
	return g
}

func (g *registry) ping(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pings++
	g.demand(w)
}

func (g *registry) demand(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="ghcr.io",scope="repository:user/image:pull"`, g.server.URL))
	w.WriteHeader(http.StatusUnauthorized)
}

func (g *registry) token(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens++
	if q := r.URL.Query(); q.Get("scope") != "repository:acme/team/api:pull" || q.Get("service") != "ghcr.io" {
		g.t.Errorf("token asked with the query %s", r.URL.RawQuery)
	}
	if _, password, _ := r.BasicAuth(); password != g.password {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	tok := fmt.Sprintf("registry-token-%d", g.tokens)
	g.valid[tok] = true
	answer := map[string]any{"token": tok}
	if g.expiresIn > 0 {
		answer["expires_in"] = g.expiresIn
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		g.t.Error(err)
	}
}

func (g *registry) manifest(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, mt := range []string{ociIndex, ociImage, dockerList, dockerImage} {
		if !strings.Contains(r.Header.Get("Accept"), mt) {
			g.t.Errorf("%s %s does not accept %s", r.Method, r.URL, mt)
		}
	}
	ref := r.PathValue("ref")
	if r.Method == http.MethodHead {
		g.heads[ref]++
	} else {
		g.gets[ref]++
	}
	if !g.valid[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] {
		g.demand(w)
		return
	}
	if answer, ok := g.answers[ref]; ok {
		answer(w, r)
		return
	}
	if d, ok := g.tags[ref]; ok {
		ref = d
	}
	body, ok := g.manifests[ref]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)
		return
	}
	w.Header().Set("Content-Type", g.types[ref])
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) //nolint:errcheck // the client may have gone
}

// push stores a manifest and returns its digest.
func (g *registry) push(mediaType string, body any) string {
	g.t.Helper()
	b, ok := body.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(body); err != nil {
			g.t.Fatal(err)
		}
	}
	d := digestOf(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.manifests[d], g.types[d] = b, mediaType
	return d
}

func (g *registry) answer(ref string, status int) {
	g.answers[ref] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// reader returns a Reader on the registry; change may adapt its options.
func (g *registry) reader(change ...func(*Options)) *Reader {
	g.t.Helper()
	o := Options{
		Client:     g.server.Client(),
		Registry:   g.server.URL,
		Credential: func(context.Context, string) (string, error) { return g.password, nil },
		Now:        func() time.Time { return epoch },
	}
	for _, c := range change {
		c(&o)
	}
	r, err := New(o)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// obj is a JSON object.
type obj = map[string]any

// image is an OCI image manifest that differs from others by name; extra keys
// override.
func image(name string, extra obj) obj {
	m := obj{
		"schemaVersion": 2,
		"mediaType":     ociImage,
		"config":        obj{"mediaType": ociConfig, "digest": digestOf([]byte("config of " + name)), "size": 100},
		"layers":        []obj{{"mediaType": ociLayer, "digest": digestOf([]byte(name)), "size": 1000}},
	}
	for k, v := range extra {
		m[k] = v
	}
	return m
}

func child(digest, platform string) obj {
	d := obj{"mediaType": ociImage, "digest": digest, "size": 500}
	if os, arch, ok := strings.Cut(platform, "/"); ok {
		d["platform"] = obj{"os": os, "architecture": arch}
	}
	return d
}

func indexOf(children ...obj) obj {
	if children == nil {
		children = []obj{}
	}
	return obj{"schemaVersion": 2, "mediaType": ociIndex, "manifests": children}
}

// version is an active version pushed at minutes after the epoch.
func version(id int, digest string, minutes int, tags ...string) retention.Version {
	v := retention.Version{
		ID: retention.ID(id), Name: digest, State: retention.Active,
		CreatedAt: epoch.Add(time.Duration(minutes) * time.Minute),
	}
	v.UpdatedAt = v.CreatedAt
	v.Tags, v.Referrers = retention.SplitTags(tags)
	return v
}

// mustGraph reads the package and fails on an error.
func mustGraph(t *testing.T, r *Reader, versions ...retention.Version) Result {
	t.Helper()
	res, err := r.Graph(t.Context(), "Acme", "team/api", versions)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
