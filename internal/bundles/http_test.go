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

func TestTheKeyIsOfTheWholeAddressButForItsSignature(t *testing.T) {
	key := func(query string) string {
		t.Helper()
		g, err := bundles.NewHTTP("https://example.com/b"+query, 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		return g.Key()
	}
	seen := map[string]string{}
	for _, query := range []string{"", "?channel=prod", "?channel=staging", "?channel=prod&v=2", "?channel=prod;v=2", "?token=secret", "?a=1&a=2"} {
		k := key(query)
		if other, ok := seen[k]; ok || strings.Contains(k, "secret") || strings.Contains(k, "prod") {
			t.Errorf("%q and %q have the key %s", query, other, k)
		}
		seen[k] = query
	}
	for _, same := range [][2]string{
		{"?v=2&channel=prod", "?channel=prod&v=2"},
		{"?X-Amz-Signature=aa&X-Amz-Date=1&channel=prod", "?channel=prod&x-amz-signature=bb&X-Amz-Date=2"},
		{"?X-Goog-Signature=aa", "?X-Goog-Signature=bb"},
		{"?X-Amz-Signature=aa", ""},
		{"#part", ""},
	} {
		if key(same[0]) != key(same[1]) {
			t.Errorf("%q and %q have two keys", same[0], same[1])
		}
	}
	if got := key(""); got != "https://example.com/b" { // as it was kept before there were keys
		t.Errorf("without a query: %s", got)
	}
}
