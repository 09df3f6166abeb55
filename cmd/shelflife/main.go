// Command shelflife plans, applies and undoes retention of GitHub Packages, on
// an embedded store. See docs/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Evaluating policies makes much short-lived garbage. Collecting it later, but
// well before the memory that a sweep may take, saves an eighth of the time.
const (
	gcPercent   = 400
	memoryLimit = 64 << 20 // bytes; soft
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], systemStreams())
	stop()
	os.Exit(code)
}
