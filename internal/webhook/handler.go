package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Owners knows whose events are ours.
type Owners interface {
	// Configured reports whether the configuration names the owner (without
	// regard to case) and its credentials are of that installation. The id is
	// zero for a webhook that belongs to no App.
	Configured(login string, installationID int64) bool
}

// Queue takes work items. Sending the same deduplication id again within the
// queue's window has to be harmless.
type Queue interface {
	Send(ctx context.Context, item retention.WorkItem) error
}

// Deliveries remembers what has been queued.
type Deliveries interface {
	Seen(ctx context.Context, key string) (bool, error)
	Mark(ctx context.Context, key string, until time.Time) error
}

const (
	// DefaultSeenFor covers the time in which a delivery can be redelivered:
	// 3 days on github.com, 7 on GHES.
	DefaultSeenFor = 7 * 24 * time.Hour
	// DefaultPairWindow is how long the second event of a pair is waited for:
	// as long as an SQS FIFO queue deduplicates.
	DefaultPairWindow = 5 * time.Minute
	// DefaultTimeout stays below the 10 s after which GitHub gives up.
	DefaultTimeout = 8 * time.Second
	// storeTimeout bounds the look-ups, and then the marks, of one request, so
	// that a hanging store leaves time for the queue.
	storeTimeout = time.Second
)

// Config is what a Handler is made of. Zero durations and sizes are the defaults.
type Config struct {
	Verifier   *Verifier
	Owners     Owners
	Queue      Queue
	Deliveries Deliveries
	Log        *slog.Logger
	Now        func() time.Time

	// Self names the logins whose events are our own doing and ignored: the
	// App's bot ("<slug>[bot]"), or the machine user of a token.
	Self    []string
	MaxBody int           // bytes; at most, and by default, MaxBody
	SeenFor time.Duration // how long a delivery stays marked
	// PairWindow is how long a change stays marked, so that the second event of a
	// pair is dropped. Negative means that the queue does that by itself, as SQS FIFO
	// does by the deduplication id: two calls of the store less for each event.
	PairWindow time.Duration
	Timeout    time.Duration // for the whole request
}

// Handler answers webhook requests. It is safe for concurrent use.
type Handler struct{ cfg Config }

// NewHandler checks the configuration and names what is missing.
func NewHandler(cfg Config) (*Handler, error) {
	missing := map[string]bool{
		"Verifier": cfg.Verifier == nil, "Owners": cfg.Owners == nil, "Queue": cfg.Queue == nil,
		"Deliveries": cfg.Deliveries == nil, "Log": cfg.Log == nil, "Now": cfg.Now == nil,
	}
	for _, name := range []string{"Verifier", "Owners", "Queue", "Deliveries", "Log", "Now"} {
		if missing[name] {
			return nil, fmt.Errorf("webhook handler: %s is missing", name)
		}
	}
	if cfg.MaxBody <= 0 || cfg.MaxBody > MaxBody {
		cfg.MaxBody = MaxBody
	}
	cfg.SeenFor = positive(cfg.SeenFor, DefaultSeenFor)
	if cfg.PairWindow == 0 {
		cfg.PairWindow = DefaultPairWindow
	}
	cfg.Timeout = positive(cfg.Timeout, DefaultTimeout)
	cfg.Self = slices.Clone(cfg.Self)
	return &Handler{cfg: cfg}, nil
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Request is a webhook request of any transport.
type Request struct {
	Method  string
	Headers map[string]string // names in lower case
	Body    []byte            // as sent: the signature covers these bytes
}

// Response is what to answer. Status is 202, 400, 401, 405, 413 or 500.
type Response struct {
	Status  int
	Headers map[string]string
	Body    string // a few words
}

// answer is a response in the making, with what the audit line says of it.
type answer struct {
	status  int    // 0: go on
	outcome string // a few words, also the body
	event   Event
	err     error // not told to the sender
}

// Handle answers one request: 202 for what was queued and for what is not ours,
// 4xx for what GitHub would not send, 500 for what could not be queued or
// checked and has to be redelivered.
func (h *Handler) Handle(ctx context.Context, req Request) Response {
	start := h.cfg.Now()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	return h.finish(ctx, req, start, h.handle(ctx, req))
}

func (h *Handler) handle(ctx context.Context, req Request) answer {
	if a := h.screen(req, int64(len(req.Body))); a.status != 0 {
		return a
	}
	err := h.cfg.Verifier.Verify(ctx, req.Body, req.Headers[headerSignature])
	switch {
	case errors.Is(err, ErrSignature):
		return answer{status: http.StatusUnauthorized, outcome: "bad signature", err: err}
	case err != nil:
		return answer{status: http.StatusInternalServerError, outcome: "signature could not be checked", err: err}
	}
	name := req.Headers[headerEvent]
	if name == "" {
		return answer{status: http.StatusBadRequest, outcome: "no X-GitHub-Event header"}
	}
	if strings.HasPrefix(req.Headers["content-type"], "application/x-www-form-urlencoded") {
		return answer{status: http.StatusBadRequest, outcome: "set the webhook's content type to application/json"}
	}
	ev, err := Decode(name, req.Body)
	if err != nil {
		return answer{status: http.StatusBadRequest, outcome: "payload could not be read", err: err}
	}
	a := h.accept(ctx, ev, deliveryID(req))
	a.event = ev
	return a
}

// screen refuses what needs no body to be refused.
func (h *Handler) screen(req Request, size int64) answer {
	if req.Method != http.MethodPost {
		return answer{status: http.StatusMethodNotAllowed, outcome: "only POST"}
	}
	if size > int64(h.cfg.MaxBody) {
		return answer{status: http.StatusRequestEntityTooLarge, outcome: "body too large"}
	}
	if _, err := parseSignature(req.Headers[headerSignature]); err != nil {
		return answer{status: http.StatusUnauthorized, outcome: "bad signature", err: err}
	}
	return answer{}
}

// accept queues a genuine event, unless it is not ours or came before.
func (h *Handler) accept(ctx context.Context, ev Event, delivery string) answer {
	if why := h.foreign(ev); why != "" {
		return answer{status: http.StatusAccepted, outcome: why}
	}
	item := ev.WorkItem(delivery)
	var keys []key
	if h.cfg.PairWindow > 0 {
		keys = append(keys, key{"change/" + item.Change, h.cfg.PairWindow})
	}
	if delivery != "" {
		keys = append(keys, key{"delivery/" + delivery, h.cfg.SeenFor})
	}
	seen, storeErr := h.seen(ctx, keys)
	if seen {
		return answer{status: http.StatusAccepted, outcome: "ignored: already queued", err: storeErr}
	}
	if err := h.cfg.Queue.Send(ctx, item); err != nil {
		err = fmt.Errorf("queue %s: %w", item.Ref(), err)
		return answer{status: http.StatusInternalServerError, outcome: "could not be queued", err: errors.Join(err, storeErr)}
	}
	return answer{status: http.StatusAccepted, outcome: "queued", err: errors.Join(storeErr, h.mark(ctx, keys))}
}

// foreign says why an event leads to no work, or "".
func (h *Handler) foreign(ev Event) string {
	switch {
	case ev.Kind == KindPing:
		return "pong"
	case ev.Kind == KindInstallation:
		return "noted"
	case ev.Kind != KindPackage:
		return "ignored: not a package event"
	case !h.cfg.Owners.Configured(ev.Owner, ev.InstallationID):
		return "ignored: owner or installation not configured"
	case ev.Action != "published" && ev.Action != "updated":
		return "ignored: action"
	case slices.ContainsFunc(h.cfg.Self, func(s string) bool { return retention.SameLogin(s, ev.Sender) }):
		return "ignored: our own doing"
	}
	return ""
}

// key is one thing to remember, and for how long.
type key struct {
	name string
	keep time.Duration
}

// seen reports whether any key is marked. A store that fails is no reason to
// lose an event: its error is for the log, its answer is no.
func (h *Handler) seen(ctx context.Context, keys []key) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var errs []error
	for _, k := range keys {
		ok, err := h.cfg.Deliveries.Seen(ctx, k.name)
		if err != nil {
			errs = append(errs, fmt.Errorf("look up %s: %w", k.name, err))
		} else if ok {
			return true, errors.Join(errs...)
		}
	}
	return false, errors.Join(errs...)
}

// mark remembers what has been queued. What can't be remembered may be queued
// again, which is harmless.
func (h *Handler) mark(ctx context.Context, keys []key) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var errs []error
	for _, k := range keys {
		if err := h.cfg.Deliveries.Mark(ctx, k.name, h.cfg.Now().Add(k.keep)); err != nil {
			errs = append(errs, fmt.Errorf("mark %s: %w", k.name, err))
		}
	}
	return errors.Join(errs...)
}
