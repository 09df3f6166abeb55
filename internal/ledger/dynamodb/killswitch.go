package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Switch is the state of the kill switch, which is one for all owners.
type Switch struct {
	On     bool      `dynamodbav:"on" json:"on"`
	Reason string    `dynamodbav:"reason" json:"reason,omitempty"`
	At     time.Time `dynamodbav:"at" json:"at,omitzero"` // when it was last turned
}

type switchItem struct {
	key
	Switch
}

// Switch returns the kill switch; one that was never turned is off.
func (t *Table) Switch(ctx context.Context) (Switch, error) {
	i, err := t.get(ctx, switchKey())
	if err != nil || i == nil {
		return Switch{}, wrap("read the kill switch", err)
	}
	s, err := read[switchItem](i)
	return s.Switch, wrap("read the kill switch", err)
}

// SetSwitch turns the kill switch on or off. It holds from the next question on.
func (t *Table) SetSwitch(ctx context.Context, on bool, reason string) (Switch, error) {
	s := Switch{On: on, Reason: reason, At: t.now().UTC()}
	i, err := attributevalue.MarshalMap(switchItem{switchKey(), s})
	if err == nil {
		_, err = t.client.PutItem(ctx, &ddb.PutItemInput{TableName: &t.name, Item: i})
	}
	return s, wrap("turn the kill switch", err)
}

// Paused asks for the kill switch anew each time. Where it can't be read, it is on.
func (t *Table) Paused(ctx context.Context) (bool, string) {
	s, err := t.Switch(ctx)
	switch {
	case err != nil:
		return true, "the kill switch can't be read: " + err.Error()
	case s.On && strings.TrimSpace(s.Reason) == "":
		return true, "the kill switch is on"
	case s.On:
		return true, "the kill switch is on: " + s.Reason
	}
	return false, ""
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
