// Package lambdatest runs Lambda functions on this machine as Lambda runs them: the
// real bootstrap as a process of its own, which asks a Runtime API for events. It
// enforces the deadline by SIGKILL, freezes idle sandboxes, starts fresh ones after a
// crash, and keeps every line that they write. Around it are what brings events on
// AWS: the poller of an SQS FIFO queue and the HTTP API.
//
// It is for tests and benchmarks only. It never calls AWS, never inherits this
// process's environment to a function, and never makes a failed invocation look like
// a success.
package lambdatest
