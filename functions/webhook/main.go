// Command webhook is the Lambda function behind the HTTP API: it turns GitHub's
// deliveries into work items. It holds no credential of GitHub, can neither
// decide nor delete, and never links the policy engine.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
	_ "time/tzdata" // schedules name time zones, and the runtime has none

	"github.com/shelflife-dev/shelflife/internal/jsonlog"
	"github.com/shelflife-dev/shelflife/internal/lambdafn"
)

// revision is the build, set by the linker: see Makefile.
var revision = ""

func main() {
	log := jsonlog.New(os.Stderr)
	f, err := wire(os.Getenv, os.Stdout, log, time.Now)
	if err != nil {
		log.Error("the function can't start", "error", err)
		if rerr := lambdafn.ReportInit(os.Getenv("AWS_LAMBDA_RUNTIME_API"), err); rerr != nil {
			log.Error("Lambda could not be told", "error", rerr)
		}
		os.Exit(1)
	}
	lambdafn.Start(func(ctx context.Context, raw json.RawMessage) (any, error) {
		var ev request
		if err := json.Unmarshal(raw, &ev); err != nil {
			return nil, fmt.Errorf("read the event: %w", err)
		}
		return f.answer(ctx, ev), nil
	})
}
