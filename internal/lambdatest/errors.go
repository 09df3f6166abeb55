package lambdatest

import (
	"errors"
	"fmt"
)

// ErrThrottled says that as many sandboxes as the function may have are busy.
var ErrThrottled = errors.New("throttled: the function's concurrency is used up")

// The error types that Lambda itself reports, beside those of the program.
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
const (
	TypeTimeout   = "Sandbox.Timedout"
	TypeExit      = "Runtime.ExitError"
	TypeInitError = "Runtime.InitError"
)

// FunctionError is a failed invocation, as its caller or event source sees it.
type FunctionError struct {
	Function string `json:"-"`
	Type     string `json:"errorType"` // one of the above, or the program's own
	Message  string `json:"errorMessage"`
}

// Error names the function, the type and what it said.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Function, e.Type, e.Message)
}

// IsType reports whether err is a failed invocation of that type.
func IsType(err error, typ string) bool {
	fe, ok := errors.AsType[*FunctionError](err)
	return ok && fe.Type == typ
}
