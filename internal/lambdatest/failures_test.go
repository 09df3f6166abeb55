package lambdatest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWhatLambdaDoesNotUnderstandFailsTheBatch(t *testing.T) {
	messages := []types.Message{{MessageId: aws.String("a")}, {MessageId: aws.String("b")}}
	all := []string{"a", "b"}
	for name, tc := range map[string]struct {
		answer string
		err    error
		want   []string
	}{
		"none":                      {`{"batchItemFailures":[]}`, nil, nil},
		"a null list":               {`{"batchItemFailures":null}`, nil, nil},
		"an empty answer":           {`{}`, nil, nil},
		"a null answer":             {`null`, nil, nil},
		"one":                       {`{"batchItemFailures":[{"itemIdentifier":"b"}]}`, nil, []string{"b"}},
		"both":                      {`{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}`, nil, all},
		"no JSON":                   {`{`, nil, all},
		"text":                      {`"ok"`, nil, all},
		"a message of nobody":       {`{"batchItemFailures":[{"itemIdentifier":"c"}]}`, nil, all},
		"an empty id":               {`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, all},
		"a null id":                 {`{"batchItemFailures":[{"itemIdentifier":null}]}`, nil, all},
		"another key":               {`{"batchItemFailures":[{"id":"a"}]}`, nil, all},
		"an invocation that failed": {`{"batchItemFailures":[]}`, errors.New("timed out"), all},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Sorted(maps.Keys(failures(messages, []byte(tc.answer), tc.err)))
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
