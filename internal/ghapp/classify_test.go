package ghapp

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const secondaryBody = `{"documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits","message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`

func TestClassify(t *testing.T) {
	none := http.Header{}
	left := http.Header{"X-Ratelimit-Remaining": {"4000"}}
	empty := http.Header{"X-Ratelimit-Remaining": {"0"}}
	after := http.Header{"Retry-After": {"30"}}
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   verdict
	}{
		"200":                                   {200, left, "", verdictDone},
		"200 that spends the last of the quota": {200, empty, "", verdictDone},
		"404 with an empty quota":               {404, empty, "", verdictDone},
		"403 for a missing permission":          {403, left, `{"message":"Resource not accessible by integration","status":"403"}`, verdictDone},
		"403 without anything":                  {403, none, "", verdictDone},
		"403 about rate-limits only in its link": {403, left, `{"message":"Must have admin rights","documentation_url":"https://docs.github.com/rest/rate-limits"}`,
			verdictDone},
		"403 with an empty quota":                {403, empty, `{"message":"API rate limit exceeded for installation ID 1."}`, verdictPrimary},
		"403 primary by its text alone":          {403, none, `{"message":"API rate limit exceeded for installation ID 1."}`, verdictPrimary},
		"403 secondary with Retry-After":         {403, after, secondaryBody, verdictSecondary},
		"403 secondary by its text alone":        {403, left, secondaryBody, verdictSecondary},
		"403 with Retry-After alone":             {403, after, "", verdictSecondary},
		"403 abuse detection":                    {403, left, `{"message":"You have triggered an abuse detection mechanism."}`, verdictSecondary},
		"403 secondary while the quota is empty": {403, empty, secondaryBody, verdictSecondary},
		"429 with an empty quota":                {429, empty, "", verdictPrimary},
		"429 with Retry-After":                   {429, after, "", verdictSecondary},
		"429 without anything":                   {429, none, "", verdictSecondary},
		"429 secondary by its text":              {429, left, secondaryBody, verdictSecondary},
		"500":                                    {500, left, "", verdictTransient},
		"502":                                    {502, none, "", verdictTransient},
		"503":                                    {503, after, "", verdictTransient},
		"504":                                    {504, none, "", verdictTransient},
		"501 is for good":                        {501, none, "", verdictDone},
		"400":                                    {400, left, "", verdictDone},
	} {
		t.Run(name, func(t *testing.T) {
			if got := classify(c.status, c.header, []byte(c.body)); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}

func TestReadRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	type result struct {
		Wait time.Duration
		OK   bool
	}
	for value, want := range map[string]result{
		"":                              {},
		"30":                            {30 * time.Second, true},
		" 0 ":                           {0, true},
		"1.5":                           {1500 * time.Millisecond, true},
		"-3":                            {},
		"soon":                          {},
		"NaN":                           {},
		"99999999999999999999":          {longestWait, true},
		"Inf":                           {longestWait, true},
		"Fri, 01 May 2026 12:01:00 GMT": {time.Minute, true},
		"Fri, 01 May 2026 11:00:00 GMT": {0, true},
	} {
		var got result
		got.Wait, got.OK = readRetryAfter(http.Header{"Retry-After": {value}}, now)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Retry-After %q (-want +got):\n%s", value, diff)
		}
	}
}

func TestReadQuota(t *testing.T) {
	full := http.Header{"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"1000"}, "X-Ratelimit-Resource": {"core"}}
	got, ok := readQuota(full)
	if diff := cmp.Diff(Quota{Resource: "core", Limit: 5000, Remaining: 7, Reset: time.Unix(1000, 0)}, got); !ok || diff != "" {
		t.Errorf("ok=%v (-want +got):\n%s", ok, diff)
	}
	for name, broken := range map[string]http.Header{
		"none":         {},
		"no reset":     {"X-Ratelimit-Remaining": {"7"}},
		"bad reset":    {"X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"later"}},
		"no remaining": {"X-Ratelimit-Reset": {"1000"}},
	} {
		if _, ok := readQuota(broken); ok {
			t.Errorf("%s: taken for a quota", name)
		}
	}
}

func TestPeekRestoresTheBody(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "short": "abc", "longer than what is looked at": strings.Repeat("x", 3*peekLimit),
	} {
		t.Run(name, func(t *testing.T) {
			source := &closeRecorder{Reader: strings.NewReader(body)}
			resp := &http.Response{Body: source}
			head := peek(resp)
			if want := body[:min(len(body), peekLimit)]; string(head) != want {
				t.Errorf("looked at %d bytes, want %d", len(head), len(want))
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || string(got) != body {
				t.Errorf("body of %d bytes, %v; want %d bytes", len(got), err, len(body))
			}
			if err := resp.Body.Close(); err != nil || !source.closed {
				t.Errorf("close: %v, reached the body: %v", err, source.closed)
			}
		})
	}
	t.Run("failing", func(t *testing.T) {
		broken := errors.New("broken")
		resp := &http.Response{Body: &closeRecorder{Reader: io.MultiReader(strings.NewReader("ab"), failingReader{broken})}}
		peek(resp)
		if got, err := io.ReadAll(resp.Body); string(got) != "ab" || !errors.Is(err, broken) {
			t.Errorf("read %q, %v; the failure must reach the reader", got, err)
		}
	})
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error { c.closed = true; return nil }
