package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Command is what a person, or the schedule, asks for.
type Command struct {
	Kind   string `json:"kind"`
	Owner  string `json:"owner,omitempty"`
	Run    string `json:"run,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// KindTick is the schedule's command.
const KindTick = "tick"

// message is what matters of an SQS message as Lambda hands it over.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
type message struct {
	MessageID  string            `json:"messageId"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
	Source     string            `json:"eventSource"`
}

func (m message) group() string { return m.Attributes["MessageGroupId"] }

// event is one of the two: a batch, or a command.
type event struct {
	batch   []message
	command Command
}

// decode tells the events apart. An ordinary EventBridge event, whatever its
// detail, is a tick: a rule has no other reason to invoke the function.
func decode(raw []byte) (event, error) {
	var shape struct {
		Records    []message       `json:"Records"`
		Kind       *string         `json:"kind"`
		DetailType *string         `json:"detail-type"`
		Source     *string         `json:"source"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		return event{}, fmt.Errorf("read the event: %w", err)
	}
	switch {
	case shape.Records != nil:
		for _, m := range shape.Records {
			if m.Source != "aws:sqs" {
				return event{}, fmt.Errorf("read the event: its records are of %.40q; only those of SQS are worked", m.Source)
			}
		}
		return event{batch: shape.Records}, nil
	case shape.Kind != nil:
		var c Command
		if err := strict(raw, &c); err != nil {
			return event{}, fmt.Errorf("read the command: %w", err)
		}
		return event{command: c}, nil
	case shape.DetailType != nil && shape.Source != nil:
		return event{command: Command{Kind: KindTick}}, nil
	}
	return event{}, errors.New(`this is no event that is known here; send {"kind":"status"}, or {"kind":"help"} for all commands`)
}

// strict refuses unknown fields, such as a misspelt one.
func strict(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
