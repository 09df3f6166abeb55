package ghapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrorsEndWithTheNextStep(t *testing.T) {
	until := time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("CEST", 7200))
	for want, err := range map[string]error{
		`paused until 2026-05-01T10:00:00Z (secondary rate limit); resume after that`:                                      &PausedError{until, ReasonSecondary},
		`credential of "acme" asked for packages of "other"; configure a credential for "other"`:                           &ForeignOwnerError{"acme", "other"},
		`credential of "acme" asked for packages of the token's own user; configure a credential for the token's own user`: &ForeignOwnerError{"acme", ""},
		`DELETE refused: planning only reads; writes need the acting phase`:                                                &PhaseError{"DELETE"},
		`mint for acme (installation 7): status 404: Not Found: below; do this`:                                            &AuthError{Op: "mint", Owner: "acme", InstallationID: 7, Status: 404, Message: "Not Found", Err: errors.New("below"), Next: "do this"},
		`waiting to send the request: context canceled`:                                                                    &unsentError{context.Canceled},
	} {
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestNotSent(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	broken := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"pause":                {&PausedError{}, true},
		"pause in a url.Error": {&url.Error{Op: "Delete", Err: fmt.Errorf("x: %w", &PausedError{})}, true},
		"credential":           {&AuthError{}, true},
		"foreign owner":        {&ForeignOwnerError{}, true},
		"phase":                {&PhaseError{}, true},
		"never connected":      {&url.Error{Op: "Delete", Err: refused}, true},
		"redacted dial":        {Redactor{}.Error(fmt.Errorf("http://u:p@h: %w", refused)), true},
		"connection broke":     {broken, false},
		"redacted break":       {Redactor{}.Error(fmt.Errorf("http://u:p@h: %w", broken)), false},
		"answer cut off":       {io.ErrUnexpectedEOF, false},
		"timeout":              {errAttemptTimeout, false},
		"bare context end":     {context.DeadlineExceeded, false},
		"none":                 {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NotSent(c.err); got != c.want {
				t.Errorf("NotSent(%v) = %v", c.err, got)
			}
		})
	}
}
