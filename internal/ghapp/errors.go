package ghapp

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Reason says what a request had to wait for.
type Reason string

// The reasons for waiting.
const (
	ReasonPrimary   Reason = "hourly quota used up"
	ReasonReserve   Reason = "hourly quota down to the reserve"
	ReasonSecondary Reason = "secondary rate limit"
	ReasonPoints    Reason = "points per minute"
	ReasonSpacing   Reason = "spacing between writes"
	ReasonQueue     Reason = "other requests were before it"
)

// PausedError says that a request was not sent, or was refused for a rate limit
// and not done, because the wait would be longer than the governor or the
// context allows. The work can be taken up again at Until.
type PausedError struct {
	Until  time.Time
	Reason Reason
}

// Error says until when and why.
func (e *PausedError) Error() string {
	return fmt.Sprintf("paused until %s (%s); resume after that", e.Until.UTC().Format(time.RFC3339), e.Reason)
}

// RetryAt returns Until, for callers that know errors by what they can do.
func (e *PausedError) RetryAt() time.Time { return e.Until }

// NotSent reports true: whatever was asked for was not done.
func (e *PausedError) NotSent() bool { return true }

// ForeignOwnerError says that a credential of one owner was asked for another's packages.
type ForeignOwnerError struct {
	Bound string // the login that the credential is for; "" is the token's own user
	Asked string
}

// Error names both owners and the next step.
func (e *ForeignOwnerError) Error() string {
	return fmt.Sprintf("credential of %s asked for packages of %s; configure a credential for %[2]s",
		ownerName(e.Bound), ownerName(e.Asked))
}

// NotSent reports true: the request never left.
func (e *ForeignOwnerError) NotSent() bool { return true }

func ownerName(login string) string {
	if login == "" {
		return "the token's own user"
	}
	return fmt.Sprintf("%q", login)
}

// PhaseError says that a write was attempted with the planning credential.
type PhaseError struct{ Method string }

// Error names the method.
func (e *PhaseError) Error() string {
	return fmt.Sprintf("%s refused: planning only reads; writes need the acting phase", e.Method)
}

// NotSent reports true: the request never left.
func (e *PhaseError) NotSent() bool { return true }

// AuthError says that GitHub did not accept a credential, or could not be asked
// for one. The request that needed it was not sent.
type AuthError struct {
	Op             string // what was being done
	Owner          string
	AppID          int64
	InstallationID int64         // 0 while not known
	Status         int           // HTTP status, 0 when there was no answer
	Message        string        // GitHub's own words, redacted
	Skew           time.Duration // GitHub's clock minus ours, 0 when there was no answer
	Next           string        // what to do about it
	Err            error         // what lies below, redacted; may be nil
}

// Error says what failed, GitHub's answer and the next step.
func (e *AuthError) Error() string {
	text := e.Op
	if e.Owner != "" {
		text += " for " + e.Owner
	}
	if e.InstallationID != 0 {
		text += fmt.Sprintf(" (installation %d)", e.InstallationID)
	}
	if e.Status != 0 {
		text += fmt.Sprintf(": status %d", e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Next != "" {
		text += "; " + e.Next
	}
	return text
}

// Unwrap returns what lies below.
func (e *AuthError) Unwrap() error { return e.Err }

// NotSent reports true: the request that needed the credential never left.
func (e *AuthError) NotSent() bool { return true }

// NotSent reports whether err proves that the request it belongs to was not
// done: it never left, or GitHub refused it for a rate limit. A false answer
// proves nothing: a write may or may not have been done.
func NotSent(err error) bool {
	var typed interface{ NotSent() bool }
	if errors.As(err, &typed) {
		return typed.NotSent()
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// unsentError is a context that ended while the request was still waiting.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return "waiting to send the request: " + e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }
func (e *unsentError) NotSent() bool { return true }

// redactedError stands for an error whose text held a secret. The cause sits in
// a closure so that no verb of fmt reaches it.
type redactedError struct {
	text  string
	cause func() error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *redactedError) NotSent() bool        { return NotSent(e.cause()) }

// Timeout lets callers that test for net.Error's method see timeouts.
func (e *redactedError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.cause(), &t) && t.Timeout()
}

// checkOwner compares an owner with the one that a credential is bound to.
func checkOwner(bound, asked retention.Owner) error {
	if !retention.SameLogin(bound.Login, asked.Login) {
		return &ForeignOwnerError{Bound: bound.Login, Asked: asked.Login}
	}
	return nil
}
