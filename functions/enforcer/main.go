// Command enforcer is the Lambda function that does the work: the schedule's tick,
// the queue's items, and what a person asks for by invoking it.
package main

import (
	"os"
	"runtime/debug"
	"time"
	_ "time/tzdata" // schedules name time zones, and the runtime has none

	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/lambdafn"
)

// revision is the build, set by the linker: see Makefile.
var revision = ""

// Evaluating policies makes much short-lived garbage; collecting it later, but well
// before a sweep's memory counts, saves time.
const (
	gcPercent   = 400
	memoryLimit = 256 << 20 // bytes; soft
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
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
