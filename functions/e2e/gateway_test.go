package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// gateway stands between the functions and moto. It counts their calls, makes them fail
// on demand, and deduplicates messages as SQS does: for five minutes, also after the
// first one was deleted, which moto forgets.
type gateway struct {
	*httptest.Server
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	calls  map[string]int // by action, such as AmazonSQS.SendMessage
	faults map[string]*fault
	seen   map[string][]byte // answers to messages, by queue, group and deduplication id
	taps   *taps
}

type fault struct{ times, hit int }

func newGateway(t testing.TB, moto string, taps *taps) *gateway {
	t.Helper()
	target, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{
		calls: map[string]int{}, faults: map[string]*fault{}, seen: map[string][]byte{}, taps: taps,
		proxy: httputil.NewSingleHostReverseProxy(target),
	}
	g.proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 32}
	// A function that was killed in the middle of a call is no failure of the proxy.
	g.proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

// fail makes the next calls of an action fail as when the service is down; 0 is all
// that come, until heal.
func (g *gateway) fail(action string, times int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[action] = &fault{times: times}
}

// heal ends a fault and returns how many calls it has hit.
func (g *gateway) heal(action string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.faults[action]
	delete(g.faults, action)
	if f == nil {
		return 0
	}
	return f.hit
}

// count is how many calls of an action there were.
func (g *gateway) count(action string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[action]
}

// forget lets five minutes pass for the queue's deduplication.
func (g *gateway) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.seen)
}

// actionOf names the call as the services' own documentation does; S3 has no header
// for that.
func actionOf(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target
	}
	return "S3." + r.Method
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	action := actionOf(r)
	g.mu.Lock()
	g.calls[action]++
	broken := false
	if f := g.faults[action]; f != nil && (f.times == 0 || f.hit < f.times) {
		f.hit++
		broken = true
	}
	g.mu.Unlock()
	if broken {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"__type":"ServiceUnavailable","message":"as the test ordered"}`)
		return
	}
	g.taps.serve(w, r, action, func(w http.ResponseWriter, r *http.Request) {
		if action == "AmazonSQS.SendMessage" {
			g.send(w, r)
			return
		}
		g.proxy.ServeHTTP(w, r)
	})
}

// send gives the answer to the first message of an id to all that follow.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
func (g *gateway) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var in struct{ QueueUrl, MessageGroupId, MessageDeduplicationId string }
	if err := json.Unmarshal(body, &in); err != nil {
		panic(http.ErrAbortHandler)
	}
	key := strings.Join([]string{in.QueueUrl, in.MessageGroupId, in.MessageDeduplicationId}, "\n")
	g.mu.Lock()
	answer, again := g.seen[key]
	g.mu.Unlock()
	if again {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write(answer)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	g.proxy.ServeHTTP(rec, r)
	if rec.Code == http.StatusOK {
		g.mu.Lock()
		g.seen[key] = bytes.Clone(rec.Body.Bytes())
		g.mu.Unlock()
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}
