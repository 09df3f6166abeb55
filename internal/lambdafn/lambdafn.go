// Package lambdafn starts a Lambda function: it tells the Runtime API when a
// function can't be initialized, and otherwise hands each event to its handler.
//
// It knows no event and makes no other call.
package lambdafn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/shelflife-dev/shelflife/internal/redact"
)

// Handler answers one event; what it returns is the answer's JSON.
type Handler func(ctx context.Context, event json.RawMessage) (any, error)

// Start hands events to the handler and does not return.
func Start(h Handler) { lambda.Start(h) }

// initTime bounds the report: the function ends whether it arrives or not.
const initTime = 2 * time.Second

// ReportInit tells Lambda that the function could not be initialized, and why, so
// that whoever invokes it reads the reason rather than an exit status. api is
// AWS_LAMBDA_RUNTIME_API; without it nothing is done.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
func ReportInit(api string, reason error) (err error) {
	if api == "" {
		return nil
	}
	body, err := json.Marshal(map[string]any{"errorMessage": redact.Text(reason.Error()), "errorType": "Shelflife.Configuration", "stackTrace": []string{}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), initTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Lambda-Runtime-Function-Error-Type", "Shelflife.Configuration")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return err
}
