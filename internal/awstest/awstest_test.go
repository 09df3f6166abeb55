package awstest

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func definition() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func TestStartStartsOneServer(t *testing.T) {
	a, b := Start(t), Start(t)
	if a.Endpoint != b.Endpoint {
		t.Errorf("endpoints %s and %s, want one", a.Endpoint, b.Endpoint)
	}
	if vars := strings.Join(a.Environ(), "\n"); !strings.Contains(vars, "AWS_ENDPOINT_URL="+a.Endpoint) {
		t.Errorf("variables %s: no endpoint", vars)
	}
	key, bucket := "x", a.Bucket(t)
	if _, err := a.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")}); err != nil {
		t.Error(err)
	}
}

func TestAnOwnServerEndsWithItsTest(t *testing.T) {
	var own *Env
	t.Run("its test", func(t *testing.T) {
		own = Own(t)
		if own.Endpoint == Start(t).Endpoint {
			t.Error("it is the one that others use")
		}
		own.Bucket(t)
	})
	if own != nil {
		assertEnds(t, own.Endpoint)
	}
}

// Transactions that are cancelled must not take others' writes with them: the
// reason for serve_moto.py.
func TestTransactionsAreIsolated(t *testing.T) {
	for _, start := range []func(testing.TB) *Env{Start, DynamoDBLocal} {
		t.Run("", func(t *testing.T) {
			env := start(t)
			client := dynamodb.NewFromConfig(env.Config)
			table := env.Table(t, definition())
			put := func(id, condition string) types.TransactWriteItem {
				return types.TransactWriteItem{Put: &types.Put{
					TableName: &table, Item: map[string]types.AttributeValue{"id": str(id)}, ConditionExpression: &condition,
				}}
			}
			const workers, each = 4, 10
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for i := range each {
						id := string(rune('a'+w)) + string(rune('0'+i))
						if _, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
							TransactItems: []types.TransactWriteItem{put(id, "attribute_not_exists(id)")},
						}); err != nil {
							t.Error(err)
						}
						_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
							TransactItems: []types.TransactWriteItem{put("half-"+id, "attribute_not_exists(id)"), put("none-"+id, "attribute_exists(id)")},
						})
						var cancelled *types.TransactionCanceledException
						if !errors.As(err, &cancelled) {
							t.Errorf("%v, want it cancelled", err)
						}
					}
				})
			}
			wg.Wait()
			out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
			if err != nil || len(out.Items) != workers*each {
				t.Errorf("%d items, %v; want %d", len(out.Items), err, workers*each)
			}
		})
	}
}

func TestAnOutputLogKeepsTheBeginning(t *testing.T) {
	var b buffer
	for range 3 {
		if n, err := b.Write(make([]byte, maxLog)); n != maxLog || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := len(b.String()); got != maxLog {
		t.Errorf("%d bytes, want %d", got, maxLog)
	}
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	_, err := run("sh", func(port string) []string { return []string{"-c", "echo no room on port " + port + "; exit 3"} })
	if err == nil || !strings.Contains(err.Error(), "no room on port") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v, want what it said", err)
	}
}

// A server ends with the pipe to it, which the system closes with the process.
func TestAServerEndsWithItsPipe(t *testing.T) {
	python, err := findPython()
	if err != nil {
		t.Skip("skipped: moto is not installed; make test-aws installs it")
	}
	base, pipe, err := leashed(python, func(port string) []string {
		return []string{"-m", "http.server", "--bind", "127.0.0.1", "--directory", t.TempDir(), port}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	assertEnds(t, base)
}

func assertEnds(t *testing.T, base string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		resp, err := http.Get(base)
		if err != nil {
			return
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	t.Error("it still answers")
}

func TestWhatIsNotInstalledIsAbsent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	if p, err := findPython(); !errors.Is(err, errAbsent) {
		t.Errorf("moto: %q, %v; want that it is absent", p, err)
	}
	t.Setenv(LocalVar, t.TempDir())
	if _, err := startLocal(); !errors.Is(err, errAbsent) {
		t.Errorf("DynamoDB Local: %v; want that it is absent", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "DynamoDBLocal-1.jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(LocalVar, dir)
	if _, err := startLocal(); !errors.Is(err, errAbsent) {
		t.Errorf("DynamoDB Local without Java: %v; want that it is absent", err)
	}
}
