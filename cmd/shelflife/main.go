// Command shelflife plans, applies and undoes retention of GitHub Packages, on
// an embedded store. See docs/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/shelflife-dev/shelflife/internal/gcpace"
)

// heapFloor is what the heap may grow to before garbage is collected, well below
// the memory that a sweep may take, in bytes.
const heapFloor = 64 << 20

func main() {
	gcpace.Keep(heapFloor)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], systemStreams())
	stop()
	os.Exit(code)
}
