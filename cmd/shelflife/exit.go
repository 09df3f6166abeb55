package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/report"
)

// Exit codes. They are part of the command line's contract.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2 // usage or configuration
	exitActions = 3 // the plan has actions, with --detailed-exitcode
	exitHeld    = 4 // held or stopped by a guard or a budget
	exitPartly  = 5 // refusals or failures on some items
)

// codeError gives an error its exit code. A nil err only sets the code.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

// usage marks an error as one of usage or configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &codeError{code: exitUsage, err: err}
}

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// silent ends with a code after the result has said everything.
func silent(code int) error {
	if code == exitDone {
		return nil
	}
	return &codeError{code: code}
}

// exitCode prints what there is to say about err and returns the exit code.
func exitCode(err error, w io.Writer) int {
	if err == nil {
		return exitDone
	}
	code := exitFailed
	coded, ok := errors.AsType[*codeError](err)
	if ok {
		code = coded.code
		if coded.err == nil {
			return code
		}
	}
	switch {
	case ok, isA[*ghapp.PausedError](err):
	case isA[config.Errors](err), isA[policy.Findings](err):
		code = exitUsage
	case errors.Is(err, guard.ErrTampered), errors.Is(err, guard.ErrExpired), errors.Is(err, guard.ErrUnsigned),
		errors.Is(err, enforce.ErrMoved), errors.Is(err, enforce.ErrPolicies), errors.Is(err, enforce.ErrForeign), errors.Is(err, enforce.ErrApplied), errors.Is(err, enforce.ErrElsewhere):
		code = exitHeld
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "shelflife: stopped; whatever was begun is in the ledger, and the same command goes on from there")
		return code
	}
	fmt.Fprintf(w, "shelflife: %s\n", report.Lines(ghapp.Redact(sayWait(err))))
	return code
}

// sayWait is the text of an error; that of a pause says only until when and what
// to do then, wherever it was met, and that of an API that does not answer where
// its address is set.
func sayWait(err error) string {
	if p, ok := errors.AsType[*ghapp.PausedError](err); ok {
		return fmt.Sprintf("GitHub asks to wait until %s (%s): run the same command again then", p.Until.UTC().Format(time.RFC3339), p.Reason)
	}
	if e, ok := errors.AsType[*packages.Error](err); ok && e.Outcome == packages.Transient && e.Status == 0 && e.Next != "" {
		if text, ends := strings.CutSuffix(err.Error(), ": "+e.Next); ends { // nothing answered: that is for the network to mend
			return text + "; check the network, and GITHUB_API_URL or api.github_url"
		}
	}
	return err.Error()
}

// stepError is an error with the next step at its end.
type stepError struct {
	err  error
	next string
}

func (e *stepError) Error() string    { return e.err.Error() + "; " + e.next }
func (e *stepError) Unwrap() error    { return e.err }
func (e *stepError) NextStep() string { return e.next }

func isA[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
