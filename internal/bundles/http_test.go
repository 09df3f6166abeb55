package bundles_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/bundles"
)

// served is an https server with one handler, and a getter for it.
func served(t *testing.T, path string, h http.HandlerFunc) *bundles.HTTP {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	g, err := bundles.NewHTTP(srv.URL+path, 1000, srv.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestABundleIsFetchedOnceForEachETag(t *testing.T) {
	g := served(t, "/b.tar.gz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte("archive"))
	})
	first, err := g.Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bundles.Fetched{Body: []byte("archive"), ETag: `"1"`}, first); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	again, err := g.Get(t.Context(), first.ETag)
	if err != nil || !again.NotModified {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestWhatAServerCanDoWrong(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("the plain http server was asked")
	}))
	defer plain.Close()
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"redirect to http": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) }, "redirects to http://"},
		"redirect for ever": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"a", http.StatusFound)
		}, "redirects more than 5 times"},
		"not found":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404"},
		"no content":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "204"},
		"not modified": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "304"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1001))
		}, "larger than"},
		"too large without a length": {func(w http.ResponseWriter, _ *http.Request) {
			for range 20 {
				_, _ = w.Write(make([]byte, 100))
				w.(http.Flusher).Flush()
			}
		}, "larger than"},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte("half"))
		}, "breaks off"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := served(t, "/b?token=hunter2", tc.handler).Get(t.Context(), "")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want something with %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the secret in the address: %v", err)
			}
		})
	}
}

func TestAddressesThatAreNotAskedAtAll(t *testing.T) {
	for _, address := range []string{"http://example.com/b", "ftp://example.com/b", "example.com", "https:///b", "https://user:pw@example.com/b", "://"} {
		if _, err := bundles.NewHTTP(address, 1000, nil); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
	g, err := bundles.NewHTTP("https://example.com/b?sig=secret", 1000, nil)
	if err != nil || g.Name() != "https://example.com/b" {
		t.Errorf("%v, %v", g.Name(), err)
	}
}
