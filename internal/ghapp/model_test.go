package ghapp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// answer is what the model server says to one request.
type answer struct {
	status  int
	header  map[string]string
	body    string
	err     error
	latency time.Duration
}

// arrival is one request as the model server saw it.
type arrival struct {
	at       time.Time
	method   string
	path     string
	inFlight int // itself included
}

// model is a server that runs on the clock of the test's bubble. A request is in
// flight until its body has been read or closed.
type model struct {
	answer func(n int, req *http.Request) answer // n counts from 0

	mu       sync.Mutex
	inFlight int
	arrivals []arrival
}

func (m *model) RoundTrip(req *http.Request) (*http.Response, error) {
	m.mu.Lock()
	n := len(m.arrivals)
	m.inFlight++
	m.arrivals = append(m.arrivals, arrival{time.Now(), req.Method, req.URL.Path, m.inFlight})
	a := m.answer(n, req)
	m.mu.Unlock()
	if a.latency > 0 {
		select {
		case <-time.After(a.latency):
		case <-req.Context().Done():
			m.done()
			return nil, req.Context().Err()
		}
	}
	if a.err != nil {
		m.done()
		return nil, a.err
	}
	header := http.Header{}
	for k, v := range a.header {
		header.Set(k, v)
	}
	if a.status == 0 {
		a.status = 200
	}
	return &http.Response{
		StatusCode: a.status, Status: fmt.Sprint(a.status), Header: header, Request: req,
		Body: &modelBody{Reader: strings.NewReader(a.body), done: sync.OnceFunc(m.done)},
	}, nil
}

func (m *model) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inFlight--
}

type modelBody struct {
	io.Reader
	done func()
}

func (b *modelBody) Close() error { b.done(); return nil }

func (b *modelBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.done() // the last byte is out: the server is done with it
	}
	return n, err
}

// spentIn is the highest number of points that arrived in any window, its two
// ends included, with requests that count.
func (m *model) spentIn(window time.Duration, counts func(method string) bool) int {
	worst, sum, from := 0, 0, 0
	points := func(a arrival) int {
		if counts(a.method) {
			return pointsOf(a.method)
		}
		return 0
	}
	for _, a := range m.arrivals {
		sum += points(a)
		for a.at.Sub(m.arrivals[from].at) > window {
			sum -= points(m.arrivals[from])
			from++
		}
		worst = max(worst, sum)
	}
	return worst
}

func writes(method string) bool { return !safeMethod(method) }
func all(string) bool           { return true }

func pointsOf(method string) int {
	if safeMethod(method) {
		return readPoints
	}
	return writePoints
}

// closestWrites is the shortest time between two writes; an hour when there are
// fewer than two.
func (m *model) closestWrites() time.Duration {
	closest := time.Hour
	var last time.Time
	for _, a := range m.arrivals {
		if safeMethod(a.method) {
			continue
		}
		if !last.IsZero() {
			closest = min(closest, a.at.Sub(last))
		}
		last = a.at
	}
	return closest
}

func (m *model) mostInFlight() int {
	most := 0
	for _, a := range m.arrivals {
		most = max(most, a.inFlight)
	}
	return most
}

var errConnection = errors.New("connection reset by peer")
