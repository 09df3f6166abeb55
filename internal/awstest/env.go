package awstest

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Region is the region that tests are in.
const Region = "us-east-1"

// Env is a place where AWS services are served.
type Env struct {
	Name     string     // of the server, for the names of subtests
	Endpoint string     // its address, as AWS_ENDPOINT_URL takes it
	Config   aws.Config // for clients of it; S3 clients need UsePathStyle
}

func newEnv(name, endpoint string) *Env {
	return &Env{Name: name, Endpoint: endpoint, Config: aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		// Clients of one configuration share this one's connections.
		HTTPClient: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
	}}
}

// Environ returns the variables that point another process's AWS clients here.
func (e *Env) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + e.Endpoint, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_SESSION_TOKEN=", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

// Unique returns a name that no other test uses, fit for buckets, tables and queues.
func Unique(prefix string) string { return strings.ToLower(prefix + "-" + rand.Text()[:12]) }

// Table creates a table under a name of its own, to be removed after the test,
// and returns the name.
func (e *Env) Table(t testing.TB, definition *dynamodb.CreateTableInput) string {
	t.Helper()
	client := dynamodb.NewFromConfig(e.Config)
	in := *definition
	in.TableName = aws.String(Unique("shelflife"))
	// Both servers answer when the table is ready, unlike AWS.
	if _, err := client.CreateTable(t.Context(), &in); err != nil {
		t.Fatalf("%s: create a table: %v", e.Name, err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName}); err != nil {
			t.Errorf("%s: delete the table: %v", e.Name, err)
		}
	})
	return *in.TableName
}

// S3 returns a client of the place's S3.
func (e *Env) S3() *s3.Client {
	return s3.NewFromConfig(e.Config, func(o *s3.Options) { o.UsePathStyle = true })
}

// Bucket creates a bucket under a name of its own and returns the name. What is in
// it stays until the test binary ends.
func (e *Env) Bucket(t testing.TB) string {
	t.Helper()
	name := Unique("shelflife")
	if _, err := e.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("%s: create a bucket: %v", e.Name, err)
	}
	return name
}
