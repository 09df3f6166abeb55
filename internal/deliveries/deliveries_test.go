package deliveries

import (
	"testing"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestDeliveriesAreSeenUntilTheirTime(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *awstest.Env{"moto": awstest.Start, "dynamodb local": awstest.DynamoDBLocal} {
		t.Run(name, func(t *testing.T) {
			env := start(t)
			client, now := ddb.NewFromConfig(env.Config), noon
			s := New(client, env.Table(t, dynamodb.Definition("")), func() time.Time { return now })
			seen := func(key string, want bool) {
				t.Helper()
				if got, err := s.Seen(t.Context(), key); got != want || err != nil {
					t.Errorf("%s at %s: %v, %v; want %v", key, now, got, err, want)
				}
			}
			seen("a", false)
			until := noon.Add(time.Hour + time.Millisecond)
			if err := s.Mark(t.Context(), "a", until); err != nil {
				t.Fatal(err)
			}
			seen("a", true)
			seen("b", false)
			now = until.Add(-1)
			seen("a", true)
			now = until
			seen("a", false) // though DynamoDB still has it
			if err := s.Mark(t.Context(), "a", until.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			seen("a", true)
			out, err := client.GetItem(t.Context(), &ddb.GetItemInput{TableName: &s.table, Key: itemKey("a")})
			if err != nil {
				t.Fatal(err)
			}
			want := number(until.Add(time.Hour).Unix() + 1) // not before its time
			if diff := cmp.Diff(want.(*types.AttributeValueMemberN).Value, out.Item[dynamodb.TTLAttribute].(*types.AttributeValueMemberN).Value); diff != "" {
				t.Errorf("time to live (-want +got)\n%s", diff)
			}
		})
	}
}

func TestWhatCantBeReadIsAnError(t *testing.T) {
	env := awstest.Start(t)
	client := ddb.NewFromConfig(env.Config)
	s := New(client, env.Table(t, dynamodb.Definition("")), func() time.Time { return noon })
	for key, until := range map[string]types.AttributeValue{"text": &types.AttributeValueMemberS{Value: "x"}, "nothing": nil} {
		i := itemKey(key)
		if until != nil {
			i["until"] = until
		}
		if _, err := client.PutItem(t.Context(), &ddb.PutItemInput{TableName: &s.table, Item: i}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Seen(t.Context(), key); err == nil {
			t.Errorf("%s: read", key)
		}
	}
	s.table = "none"
	if _, err := s.Seen(t.Context(), "x"); err == nil {
		t.Error("seen in no table")
	}
	if err := s.Mark(t.Context(), "x", noon); err == nil {
		t.Error("marked in no table")
	}
}
