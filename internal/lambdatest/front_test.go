package lambdatest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func post(t *testing.T, url, contentType string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Add("X-Two", "a")
	req.Header.Add("X-Two", "b")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

func TestTheFrontMakesEventsAsAPIGatewayDoes(t *testing.T) {
	front := httptest.NewServer(Front(echo(t, Config{Timeout: 10 * time.Second}), "POST /hook"))
	defer front.Close()
	for contentType, want := range map[string]struct {
		body string
		b64  bool
	}{
		"application/json; charset=utf-8":   {`{"ü":1}`, false},
		"application/x-www-form-urlencoded": {"eyLDvCI6MX0=", true},
		"":                                  {"eyLDvCI6MX0=", true},
	} {
		status, text := post(t, front.URL+"/hook?x=1", contentType, strings.NewReader(`{"ü":1}`))
		var e events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal([]byte(text), &e); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s: %v", status, text, err)
		}
		got := []any{e.Version, e.RouteKey, e.RawPath, e.RawQueryString, e.RequestContext.HTTP.Method, e.Headers["x-two"], e.Body, e.IsBase64Encoded}
		if diff := cmp.Diff([]any{"2.0", "POST /hook", "/hook", "x=1", "POST", "a,b", want.body, want.b64}, got); diff != "" {
			t.Errorf("%s: %s", contentType, diff)
		}
	}
}

func TestTheFrontAnswersByItself(t *testing.T) {
	f := echo(t, Config{Timeout: 10 * time.Second})
	front := httptest.NewServer(Front(f, "POST /hook"))
	defer front.Close()
	for name, tc := range map[string]struct {
		path   string
		body   io.Reader
		status int
		want   string
	}{
		"no such route": {"/other", nil, 404, `{"message":"Not Found"}`},
		"too large":     {"/hook", io.LimitReader(endless{}, maxRequest+1), 413, `{"message":"Request Entity Too Large"}`},
	} {
		if status, text := post(t, front.URL+tc.path, "text/plain", tc.body); status != tc.status || text != tc.want {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	f.Close()
	if status, text := post(t, front.URL+"/hook", "text/plain", nil); status != 500 || text != `{"message":"Internal Server Error"}` {
		t.Errorf("a failing function: %d %s", status, text)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestTheFrontReadsAnswers(t *testing.T) {
	for answer, want := range map[string]struct {
		status int
		body   string
		header string
	}{
		`{"statusCode":202,"headers":{"x-a":"b"},"body":"queued"}`:        {202, "queued", "b"},
		`{"statusCode":401,"body":"bm8=","isBase64Encoded":true}`:         {401, "no", ""},
		`{"statusCode":200,"body":"no base64 ?!","isBase64Encoded":true}`: {500, `{"message":"Internal Server Error"}`, ""},
		`{"anything":"else"}`: {200, `{"anything":"else"}`, ""},
		`"text"`:              {200, `"text"`, ""},
	} {
		w := httptest.NewRecorder()
		respond(w, []byte(answer))
		if w.Code != want.status || w.Body.String() != want.body || w.Header().Get("x-a") != want.header {
			t.Errorf("%s: %d %s %v", answer, w.Code, w.Body, w.Header())
		}
	}
}
