package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ServeHTTP makes Handler an http.Handler. What needs no body is refused before
// one is read; the rest is read up to the limit and within the time limit.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := h.cfg.Now()
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Timeout)
	defer cancel()
	req := Request{Method: r.Method, Headers: make(map[string]string, len(r.Header))}
	for name, values := range r.Header {
		req.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	a := h.screen(req, r.ContentLength)
	if a.status == 0 {
		req.Body, a = h.read(w, r)
	}
	if a.status == 0 {
		a = h.handle(ctx, req)
	}
	out := h.finish(ctx, req, start, a)
	for name, value := range out.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(out.Status)
	// The sender may be gone by now; what it missed is in the audit line.
	_, _ = io.WriteString(w, out.Body)
}

func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, answer) {
	err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.cfg.Timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, answer{status: http.StatusInternalServerError, outcome: "body could not be read", err: err}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(h.cfg.MaxBody)))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, answer{status: http.StatusRequestEntityTooLarge, outcome: "body too large"}
	}
	if err != nil {
		return nil, answer{status: http.StatusBadRequest, outcome: "body could not be read", err: err}
	}
	return body, answer{}
}

// lowerNames lowers the names of headers. Two spellings of one name are joined
// as HTTP does, so that neither hides the other.
func lowerNames(headers map[string]string) map[string]string {
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make(map[string]string, len(names))
	for _, name := range names {
		low := strings.ToLower(name)
		if had, ok := out[low]; ok {
			out[low] = had + "," + headers[name]
		} else {
			out[low] = headers[name]
		}
	}
	return out
}
