package secretstore_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/secretstore"
)

func TestASecretHoldsOneValueOrAnArrayOfThem(t *testing.T) {
	env := awstest.Start(t)
	client := secretsmanager.NewFromConfig(env.Config)
	store := secretstore.New(client)
	for name, tc := range map[string]struct {
		value string
		want  []string
		err   string
	}{
		"one":                         {value: "hunter22", want: []string{"hunter22"}},
		"with a line's end":           {value: "  hunter22\n", want: []string{"hunter22"}},
		"while it is rotated":         {value: `["new-one", "old-one"]`, want: []string{"new-one", "old-one"}},
		"begins with a bracket":       {value: "[x", want: []string{"[x"}},
		"an array of something else":  {value: "[1, 2]", want: []string{"[1, 2]"}},
		"an empty array":              {value: "[]", err: "its array is empty"},
		"an empty entry in the array": {value: `["hunter22", " "]`, err: "entry 2 of its array is empty"},
		"nothing":                     {value: " ", err: "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			id := awstest.Unique("secret")
			if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &id, SecretString: aws.String(tc.value)}); err != nil {
				t.Fatal(err)
			}
			got, err := store.List(t.Context(), id)
			var values []string
			for _, s := range got {
				values = append(values, s.Reveal())
			}
			if diff := cmp.Diff(tc.want, values); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%v, want %q", err, tc.err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
	if _, err := store.Get(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "read secret none") {
		t.Errorf("one that is not there: %v", err)
	}
}
