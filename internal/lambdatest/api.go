package lambdatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is the largest answer that Lambda takes: 6 MB.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxAnswer = 6 << 20

// routes is the Runtime API.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (s *sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.initError)
	return mux
}

// next holds the request, and the process frozen, until there is an event.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	left := s.current
	s.current = nil
	if !s.asked {
		s.asked = true
		s.fn.ready(time.Since(s.started))
		close(s.ready)
	}
	s.mu.Unlock()
	if left != nil {
		left.finish(nil, &FunctionError{s.fn.Name, TypeExit, "RequestId: " + left.id + " Error: the next event was asked for without an answer"})
	}
	// A process that is gone can't be frozen, and need not be.
	_ = freezeGroup(s.cmd.Process.Pid)
	select {
	case i := <-s.events:
		s.mu.Lock()
		s.current = i
		s.mu.Unlock()
		_ = thawGroup(s.cmd.Process.Pid)
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:"+s.fn.Name)
		h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s;Parent=53995c3f42cd8ad8;Sampled=0", time.Now().Unix(), traceID(i.id)))
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(i.event) // a process that went away is seen as its exit
	case <-r.Context().Done():
	case <-s.exited:
	}
}

// traceID makes the 24 digits of a trace from a request's id.
func traceID(id string) string {
	out := make([]byte, 0, 24)
	for i := 0; i < len(id) && len(out) < 24; i++ {
		if id[i] != '-' {
			out = append(out, id[i])
		}
	}
	return string(out)
}

func (s *sandbox) response(w http.ResponseWriter, r *http.Request) {
	i, body, ok := s.answered(w, r)
	switch {
	case !ok:
	case len(body) > maxAnswer:
		i.finish(nil, &FunctionError{s.fn.Name, "Function.ResponseSizeTooLarge", "the answer exceeds the limit of 6 MB"})
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
	case !json.Valid(body):
		i.finish(nil, &FunctionError{s.fn.Name, "Runtime.InvalidResponse", "the answer is no JSON"})
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusAccepted)
		i.finish(body, nil)
	}
}

func (s *sandbox) failure(w http.ResponseWriter, r *http.Request) {
	if i, body, ok := s.answered(w, r); ok {
		e := s.decode(body, "Runtime.UnknownReason")
		w.WriteHeader(http.StatusAccepted)
		i.finish(nil, &e)
	}
}

func (s *sandbox) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process is gone; its exit tells
	}
	e := s.decode(body, TypeInitError)
	w.WriteHeader(http.StatusAccepted)
	select {
	case s.broken <- e:
	default: // only the first report counts
	}
}

// answered finds the event that the request answers: only the current one may be.
func (s *sandbox) answered(w http.ResponseWriter, r *http.Request) (*invocation, []byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.current
	if i == nil || i.id != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID")
		return nil, nil, false
	}
	s.current = nil
	return i, body, true
}

func (s *sandbox) decode(body []byte, otherwise string) FunctionError {
	e := FunctionError{Type: otherwise, Message: string(body)}
	if err := json.Unmarshal(body, &e); err != nil {
		e = FunctionError{Type: otherwise, Message: string(body)}
	}
	e.Function = s.fn.Name
	return e
}

func refuse(w http.ResponseWriter, status int, typ string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, typ, typ)
}
