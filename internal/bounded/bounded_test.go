package bounded_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/bounded"
)

func TestWhatIsLongerIsAnErrorAndNotCut(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "abcd": true, "abcde": false} {
		got, err := io.ReadAll(bounded.NewReader(strings.NewReader(text), 4))
		if ok != (err == nil) || ok && string(got) != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestEachValueOfAStreamIsBounded(t *testing.T) {
	r := bounded.NewReader(strings.NewReader(strings.Repeat(`"abcdef" `, 1000)), 1024)
	d := json.NewDecoder(r)
	for n := 0; ; n++ {
		r.Again()
		var s string
		err := d.Decode(&s)
		if errors.Is(err, io.EOF) && n == 1000 {
			return
		}
		if err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestAFileThatIsTooLargeIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("abcde"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := bounded.ReadFile(path, 5); string(got) != "abcde" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, file := range []string{path, "/dev/zero"} {
		if got, err := bounded.ReadFile(file, 4); got != nil || err == nil || !strings.Contains(err.Error(), "larger than 4 bytes") {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

func TestAnArchiveThatUnpacksToTooMuchIsNotRead(t *testing.T) {
	for text, want := range map[string]string{
		`"` + strings.Repeat("a", 98) + `"`: "",
		`"` + strings.Repeat("a", 99) + `"`: "it is longer than 100 bytes",
		`"a"` + strings.Repeat(" ", 98):     "it is longer than 100 bytes",
	} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		var got string
		err := bounded.DecodeGzip(&packed, 100, &got)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%d bytes: %v, want %q", len(text), err, want)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/error" {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = w.Write(make([]byte, bounded.MaxBody+1)) // the reader may hang up before
	}))
	defer s.Close()
	for path, most := range map[string]int{"/": bounded.MaxBody, "/error": 64 << 10} {
		resp, err := (&http.Client{Transport: bounded.Transport{}}).Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if n > int64(most) || (path == "/") != (err != nil) {
			t.Errorf("%s: read %d bytes, %v", path, n, err)
		}
		_ = resp.Body.Close()
	}
}
