package packages

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// refusal turns an answer outside the 200s (or a 202) into an Error. cause is
// go-github's view of it, used only where the answer itself says less.
func (c *Client) refusal(op operation, resp *http.Response, cause error) *Error {
	// The transport has put the whole (bounded) body in memory already, except
	// for a 202, which go-github closes; nothing of that one is needed.
	raw, _ := io.ReadAll(resp.Body)
	words := parseErrorBody(raw)
	e := &Error{
		Status:           resp.StatusCode,
		Message:          words.message,
		DocumentationURL: words.documentationURL,
		RequestID:        resp.Header.Get(headerRequestID),
	}
	if c.limited(e, resp.Header, cause) {
		return finish(op, e)
	}
	classify(op, e, len(raw) == 0)
	if sso := resp.Header.Get(headerSSO); sso != "" && e.Outcome == Forbidden {
		e.Next = ssoHint(sso)
	}
	return finish(op, e)
}

// classify sets what an answer that is no rate limit means.
func classify(op operation, e *Error, emptyBody bool) {
	switch rule := ruleOf(e.Message); {
	case op.write() && e.Status >= 400 && e.Status <= 499 && rule != "":
		e.Outcome, e.Rule = Blocked, rule
	case e.Status == http.StatusUnauthorized:
		e.Outcome = Unauthorized
	case e.Status == http.StatusForbidden:
		e.Outcome = Forbidden
		e.Next = credentialHint(e.Message)
	case e.Status == http.StatusNotFound:
		e.Outcome, e.Missing = NotFound, missing(e.Message)
	case e.Status >= 500, e.Status == http.StatusAccepted,
		e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		e.Outcome = Transient
		e.mayHaveHappened = op.write()
	case op.write() && (e.Status == http.StatusBadRequest || e.Status == http.StatusConflict || e.Status == http.StatusUnprocessableEntity):
		e.Outcome, e.Rule = Blocked, RuleOther
	case op.list && e.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(e.Message), "invalid argument"):
		// What an organization's listing answers to tokens that it does not take.
		e.Outcome, e.Next = Forbidden, appTokenHint
	case op.list && e.Status == http.StatusBadRequest && emptyBody:
		e.Outcome, e.Next = Refused, ceilingHint
	case e.Status >= 300 && e.Status <= 399:
		e.Outcome, e.Next = Refused, redirectHint
	default:
		e.Outcome = Refused
	}
}

// ruleOf recognises the messages of GitHub's deletion rules, or returns "".
func ruleOf(message string) BlockRule {
	m := strings.ToLower(message)
	switch {
	case strings.Contains(m, "last tagged version"):
		return RuleLastTagged
	case strings.Contains(m, "last version"):
		return RuleLastVersion
	case strings.Contains(m, "downloads") && (strings.Contains(m, "cannot be deleted") || strings.Contains(m, "more than")):
		return RuleDownloads
	}
	return ""
}

func missing(message string) Subject {
	m := strings.ToLower(message)
	switch {
	case strings.Contains(m, "version not found"):
		return MissingVersion
	case strings.Contains(m, "package not found"):
		return MissingPackage
	}
	return MissingUnknown
}

// noAnswer makes the Error of a call that got no whole answer. maySent says
// whether the request may have reached GitHub.
func (c *Client) noAnswer(op operation, err error, maySent bool) *Error {
	err = withoutURL(err)
	e := &Error{Err: err, mayHaveHappened: op.write() && maySent}
	switch {
	case c.limitedByTransport(e, err):
		e.mayHaveHappened = false
	case errors.Is(err, context.Canceled):
		e.Outcome = Canceled
	case gaveUp(err):
		e.Outcome, e.Next = Refused, "nothing was sent; remove the reason first"
	default:
		e.Outcome = Transient
	}
	return finish(op, e)
}

// unreadable makes the Error of an answer that came whole but isn't what GitHub
// documents. Only reads have such answers.
func unreadable(op operation, a answer, err error) *Error {
	return finish(op, &Error{Status: http.StatusOK, Outcome: Transient, RequestID: a.requestID, Err: err})
}

// refuseLocally makes the Error of a call that was not made.
func refuseLocally(op operation, err error) *Error {
	return finish(op, &Error{Outcome: Refused, Err: err, Next: "nothing was sent; correct the request"})
}

// finish names the operation and the next step.
func finish(op operation, e *Error) *Error {
	e.Op = op.text
	if e.Next == "" {
		e.Next = nextStep(op, e)
	}
	return e
}
