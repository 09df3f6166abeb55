package lambdatest

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// failures reads which messages an invocation has failed, by message id. What Lambda
// does not understand fails the whole batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func failures(messages []types.Message, answer []byte, err error) map[string]bool {
	all := map[string]bool{}
	for _, m := range messages {
		all[aws.ToString(m.MessageId)] = true
	}
	if err != nil {
		return all
	}
	var response struct {
		Failures []map[string]string `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return all
	}
	failed := map[string]bool{}
	for _, f := range response.Failures {
		id := f["itemIdentifier"] // "" when the key is another one
		if !all[id] {
			return all
		}
		failed[id] = true
	}
	return failed
}

func encode(v any) ([]byte, error) { return json.Marshal(v) }
