package packages

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrorKind is what an unsuccessful call means to its caller.
type ErrorKind string

// The kinds of error.
const (
	NotFound     ErrorKind = "not_found"    // 404: gone, or not visible to this credential; Confirm tells
	Blocked      ErrorKind = "blocked"      // GitHub refuses this deletion or restore for good; Rule says why
	Unauthorized ErrorKind = "unauthorized" // 401: the credential itself is not accepted
	Forbidden    ErrorKind = "forbidden"    // the credential may not do this
	RateLimited  ErrorKind = "rate_limited" // not before Until
	Transient    ErrorKind = "transient"    // 5xx, network, time-out, unreadable answer: may work later
	Canceled     ErrorKind = "canceled"     // the caller gave up
	Refused      ErrorKind = "refused"      // any other clean refusal, GitHub's or this package's own
)

// Subject is what a 404 says is missing. GitHub's words tell them apart only
// sometimes, and say "not found" as well to a caller without admin rights.
type Subject string

// The subjects of a 404.
const (
	MissingUnknown Subject = ""
	MissingPackage Subject = "package"
	MissingVersion Subject = "version"
)

// BlockRule is the rule of GitHub's behind a Blocked error. The first three are
// spelled as the guards that foresee them.
type BlockRule string

// The rules. Their messages are undocumented; they are recognised by the
// fragments that field reports agree on.
const (
	RuleLastVersion BlockRule = "last_version"
	RuleLastTagged  BlockRule = "last_tagged_version"
	RuleDownloads   BlockRule = "downloads" // public, with more than 5,000 downloads
	RuleOther       BlockRule = "other"     // in GitHub's words only, see Message
)

// LimitKind tells GitHub's hourly quota from its secondary limits.
type LimitKind string

// The limits.
const (
	PrimaryLimit   LimitKind = "primary"
	SecondaryLimit LimitKind = "secondary"
)

// Error is how every method of Client fails.
type Error struct {
	Op      string // what was being done
	Status  int    // HTTP status, 0 when no answer came
	Outcome ErrorKind
	Missing Subject   // with NotFound
	Rule    BlockRule // with Blocked

	Limit      LimitKind     // with RateLimited, "" when the transport held the call back
	Until      time.Time     // with RateLimited: no call before this
	RetryAfter time.Duration // with RateLimited: the same, from when the answer came

	Message          string // GitHub's words, shortened, without control characters
	RequestID        string // X-GitHub-Request-Id
	DocumentationURL string
	Next             string // the next step
	Err              error  // what failed where no answer came; nil for an answer

	mayHaveHappened bool
}

// Error ends with the next step.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	switch {
	case e.Status != 0:
		fmt.Fprintf(&b, ": GitHub answered %d", e.Status)
		if e.Message != "" {
			b.WriteString(": " + strings.TrimRight(e.Message, ". "))
		}
		if e.Err != nil {
			b.WriteString(": " + clean(e.Err.Error()))
		}
	case e.Err != nil:
		b.WriteString(": " + clean(e.Err.Error()))
	case e.Message != "":
		b.WriteString(": " + strings.TrimRight(e.Message, ". "))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	if e.Next != "" {
		b.WriteString(": " + e.Next)
	}
	return b.String()
}

// Unwrap gives what failed where no answer came, for errors.Is with
// context.Canceled, context.DeadlineExceeded and the like.
func (e *Error) Unwrap() error { return e.Err }

// MayHaveHappened reports whether a delete or restore may have been carried out
// although it failed: the connection broke, the time ran out, or GitHub failed
// after taking the request. It is false for reads and for clean refusals.
func (e *Error) MayHaveHappened() bool { return e.mayHaveHappened }

// KindOf returns the kind of err, or "" if err is not from this package.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return ""
}

// IsNotFound reports a 404. It does not yet mean that the thing is gone.
func IsNotFound(err error) bool { return KindOf(err) == NotFound }

// IsForbidden reports that the credential is accepted but may not do this.
func IsForbidden(err error) bool { return KindOf(err) == Forbidden }

// IsUnauthorized reports that the credential is not accepted.
func IsUnauthorized(err error) bool { return KindOf(err) == Unauthorized }

// IsTransient reports a failure that may not be there next time.
func IsTransient(err error) bool { return KindOf(err) == Transient }

// MissingSubject returns what a 404 says is missing; ok is false for other errors.
func MissingSubject(err error) (s Subject, ok bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Outcome != NotFound {
		return MissingUnknown, false
	}
	return e.Missing, true
}

// BlockedRule returns the rule of a Blocked error; ok is false for other errors.
func BlockedRule(err error) (rule BlockRule, ok bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Outcome != Blocked {
		return "", false
	}
	return e.Rule, true
}

// RateLimitedUntil returns when a limit ends; ok is false for other errors.
func RateLimitedUntil(err error) (t time.Time, ok bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Outcome != RateLimited {
		return time.Time{}, false
	}
	return e.Until, true
}

// MayHaveHappened reports whether a write that failed with err may have been
// carried out. Errors that are not from this package count as such.
func MayHaveHappened(err error) bool {
	if err == nil {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	return !ok || e.mayHaveHappened
}
