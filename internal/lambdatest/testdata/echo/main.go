// Program echo is a function that does what its event says, for the harness's own
// tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Do      string
	Records []events.SQSMessage
}

func main() {
	switch os.Getenv("ECHO_INIT") {
	case "exit":
		fmt.Println("no configuration")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	}
	served := 0
	go func() { // shows whether idle sandboxes are frozen
		for range time.Tick(20 * time.Millisecond) {
			fmt.Println("awake")
		}
	}()
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (any, error) {
		served++
		var o order
		if err := json.Unmarshal(raw, &o); err != nil {
			return nil, err
		}
		switch o.Do {
		case "fail":
			return nil, errors.New("as ordered")
		case "panic":
			panic("as ordered")
		case "exit":
			fmt.Print("no newline at the end")
			os.Exit(4)
		case "hang":
			<-make(chan struct{})
		case "wait": // until the file is there
			for {
				if _, err := os.Stat(os.Getenv("ECHO_GATE")); err == nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
		case "about":
			lc, _ := lambdacontext.FromContext(ctx)
			deadline, _ := ctx.Deadline()
			return map[string]any{
				"left_ms": time.Until(deadline).Milliseconds(), "request": lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
				"name": lambdacontext.FunctionName, "pid": os.Getpid(), "served": served, "home": os.Getenv("HOME"), "own": os.Getenv("ECHO_OWN"),
			}, nil
		}
		if o.Records != nil {
			return work(o.Records), nil
		}
		return raw, nil
	})
}

// work fails the messages that say so.
func work(messages []events.SQSMessage) events.SQSEventResponse {
	var out events.SQSEventResponse
	for _, m := range messages {
		fmt.Println("works", m.Body, "attempt", m.Attributes["ApproximateReceiveCount"])
		switch m.Body {
		case "poison":
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		case "exit once":
			if m.Attributes["ApproximateReceiveCount"] == "1" {
				os.Exit(5)
			}
		}
	}
	return out
}
