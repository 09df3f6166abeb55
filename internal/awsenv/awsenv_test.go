package awsenv_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awsenv"
)

var lambda = map[string]string{"AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "session"}

func with(more map[string]string) func(string) string {
	return func(name string) string {
		if v, ok := more[name]; ok {
			return v
		}
		return lambda[name]
	}
}

func TestClientsAreWhereTheEnvironmentSays(t *testing.T) {
	for name, tc := range map[string]struct {
		vars                    map[string]string
		table, queue, secretsAt string // endpoints; "" is AWS's own
	}{
		"on AWS":         {},
		"all elsewhere":  {map[string]string{"AWS_ENDPOINT_URL": "http://a"}, "http://a", "http://a", "http://a"},
		"one service":    {map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://s"}, "", "", "http://s"},
		"all and one":    {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SQS": "http://q"}, "http://a", "http://q", "http://a"},
		"to be ignored":  {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SQS": "http://q", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", "", ""},
		"not so ignored": {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "no"}, "http://a", "http://a", "http://a"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := awsenv.Config(with(tc.vars))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{
				aws.ToString(ddb.NewFromConfig(cfg).Options().BaseEndpoint), aws.ToString(sqs.NewFromConfig(cfg).Options().BaseEndpoint),
				aws.ToString(secretsmanager.NewFromConfig(cfg).Options().BaseEndpoint),
			}
			if diff := cmp.Diff([]string{tc.table, tc.queue, tc.secretsAt}, got); diff != "" {
				t.Errorf("endpoints (-want +got)\n%s", diff)
			}
			creds, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || creds.AccessKeyID != "id" || creds.SecretAccessKey != "key" || creds.SessionToken != "session" || cfg.Region != "eu-north-1" {
				t.Errorf("%s %+v %v", cfg.Region, creds, err)
			}
		})
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, err := awsenv.Config(func(string) string { return "" })
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
