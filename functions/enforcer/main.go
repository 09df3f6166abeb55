// Command enforcer is the Lambda function that does the work: the schedule's tick,
// the queue's items, and what a person asks for by invoking it.
package main

import (
	"os"
	"time"
	_ "time/tzdata" // schedules name time zones, and the runtime has none

	"github.com/shelflife-dev/shelflife/internal/gcpace"
	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/lambdafn"
)

// revision is the build, set by the linker: see Makefile.
var revision = ""

// heapFloor is what the heap may grow to before garbage is collected, well below
// what a sweep may take, in bytes.
const heapFloor = 96 << 20

func main() {
	gcpace.Keep(heapFloor)
	log := jsonlog.New(os.Stderr)
	f, err := wire(os.Getenv, os.Stdout, log, time.Now)
	if err != nil {
		log.Error("the function can't start", "error", err)
		if rerr := lambdafn.ReportInit(os.Getenv("AWS_LAMBDA_RUNTIME_API"), err); rerr != nil {
			log.Error("Lambda could not be told", "error", rerr)
		}
		os.Exit(1)
	}
	lambdafn.Start(f.Invoke)
}
