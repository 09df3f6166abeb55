package packages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"
)

const headerRequestID = "X-GitHub-Request-Id"

// opKind says what an operation does, and so which scope it needs.
type opKind int

const (
	opRead opKind = iota
	opDelete
	opRestore
)

// operation is one call as it appears in errors.
type operation struct {
	kind opKind
	text string // "list versions of acme/container/api"
	list bool   // one page of a listing
}

func (o operation) write() bool { return o.kind != opRead }

func read(format string, args ...any) operation {
	return operation{kind: opRead, text: fmt.Sprintf(format, args...)}
}

func readList(format string, args ...any) operation {
	return operation{kind: opRead, list: true, text: fmt.Sprintf(format, args...)}
}

// Receipt is GitHub's acknowledgement of a deletion or restore.
type Receipt struct {
	Status    int    // always 204
	RequestID string // X-GitHub-Request-Id: what GitHub Support asks for
}

// answer is a successful answer, read whole.
type answer struct {
	body      []byte
	requestID string
	next      int    // page number of rel=next, 0 when there is none
	last      int    // page number of rel=last, 0 when there is none
	oddLink   bool   // there is a next page whose number can't be read
	partial   string // X-GitHub-SSO: what was left out for want of a SAML session
}

// get reads one resource or page.
func (c *Client) get(ctx context.Context, op operation, path string, query url.Values) (answer, error) {
	resp, body, err := c.send(ctx, op, http.MethodGet, path, query)
	if err != nil {
		return answer{}, err
	}
	link := strings.Join(resp.Header.Values("Link"), ",")
	a := answer{
		body: body, requestID: resp.Header.Get(headerRequestID),
		next: resp.NextPage, last: resp.LastPage,
		oddLink: strings.Contains(link, `rel="next"`) && resp.NextPage < 1,
	}
	if sso := resp.Header.Get(headerSSO); strings.HasPrefix(sso, "partial-results") {
		a.partial = sso
	}
	return a, nil
}

// change deletes or restores. Only 204 counts as done: anything else in the 200s
// is not documented, and whoever answered it may not be GitHub.
func (c *Client) change(ctx context.Context, op operation, method, path string, query url.Values) (Receipt, error) {
	resp, _, err := c.send(ctx, op, method, path, query)
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Status: resp.StatusCode, RequestID: resp.Header.Get(headerRequestID)}
	if r.Status != http.StatusNoContent {
		return Receipt{}, finish(op, &Error{
			Status: r.Status, Outcome: Transient, RequestID: r.RequestID, mayHaveHappened: true,
			Message: "an answer other than the documented 204",
		})
	}
	return r, nil
}

// send makes one request and reads its whole answer.
func (c *Client) send(ctx context.Context, op operation, method, path string, query url.Values) (*github.Response, []byte, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := c.github().NewRequest(method, path, nil)
	if err != nil {
		return nil, nil, refuseLocally(op, fmt.Errorf("build the request: %w", err))
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, c.noAnswer(op, err, false)
	}
	watch := &sendWatch{}
	resp, err := c.github().BareDo(watch.in(ctx), req)
	if err != nil {
		err = watch.cause(err)
		if resp == nil || resp.Response == nil || resp.StatusCode == 0 {
			return nil, nil, c.noAnswer(op, err, !watch.surelyNotSent(err))
		}
		return nil, nil, c.refusal(op, resp.Response, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		// The status of a write came through before its body broke off: change
		// must not lose a clean 204, which has no body.
		if op.write() && resp.StatusCode == http.StatusNoContent {
			return resp, nil, nil
		}
		e := c.noAnswer(op, fmt.Errorf("read the answer: %w", err), true)
		e.Status, e.RequestID = resp.StatusCode, resp.Header.Get(headerRequestID)
		return nil, nil, e
	}
	return resp, body, nil
}

// withoutURL takes the address off an error of net/http: that of a restore holds
// the package token.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
