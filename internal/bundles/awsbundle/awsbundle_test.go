package awsbundle_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/awstest"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/bundles/awsbundle"
)

func TestABundleIsFetchedFromS3OnceForEachETag(t *testing.T) {
	env := awstest.Start(t)
	client, bucket := env.S3(), env.Bucket(t)
	put := func(body string) {
		t.Helper()
		in := &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("policies/bundle.tar.gz"), Body: strings.NewReader(body)}
		if _, err := client.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	g, err := awsbundle.NewGetter(client, "s3://"+bucket+"/policies/bundle.tar.gz", 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Get(t.Context(), ""); err == nil {
		t.Error("a missing object was fetched")
	}
	put("one")
	first, err := g.Get(t.Context(), "")
	if err != nil || string(first.Body) != "one" || first.ETag == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	same, err := g.Get(t.Context(), first.ETag)
	if err != nil || !same.NotModified || same.Body != nil {
		t.Errorf("again: %+v, %v", same, err)
	}
	put("two")
	if second, err := g.Get(t.Context(), first.ETag); err != nil || string(second.Body) != "two" {
		t.Errorf("after a change: %+v, %v", second, err)
	}
	put(strings.Repeat("x", 101))
	if _, err := g.Get(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("too large: %v", err)
	}
}

func TestAddressesThatAreNotOnS3(t *testing.T) {
	for _, address := range []string{"s3://bucket", "s3://bucket/", "s3:///key", "https://bucket/key", "s3://bucket/key?versionId=1"} {
		if _, err := awsbundle.NewGetter(nil, address, 1); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

func TestTheLastGoodBundleIsKeptOnS3(t *testing.T) {
	env := awstest.Start(t)
	store := awsbundle.NewStore(env.S3(), env.Bucket(t))
	if _, has, err := store.Bundle(t.Context(), "s3://b/k"); has || err != nil {
		t.Fatalf("before anything was kept: %t, %v", has, err)
	}
	want := bundles.Kept{
		Source: "s3://b/k", Body: []byte{0x1f, 0x8b, 0}, ETag: `"1"`, Digest: "sha256:x", Revision: "v1",
		ConfirmedAt: time.Date(2026, 11, 16, 9, 0, 0, 1, time.UTC),
	}
	if err := store.KeepBundle(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, has, err := store.Bundle(t.Context(), "s3://b/k")
	if err != nil || !has {
		t.Fatal(has, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if _, has, _ := store.Bundle(t.Context(), "s3://b/other"); has {
		t.Error("another source has the bundle too")
	}
}

// holding answers every request with one object.
type holding string

func (h holding) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(string(h)))}, nil
}

func (holding) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return &s3.PutObjectOutput{}, nil
}

func TestADamagedObjectStandsInNobodysWay(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "<html>", "cut off": `{"source": "s3://b/k", "body": "H4s`, "other JSON": "[]"} {
		k, has, err := awsbundle.NewStore(holding(text), "b").Bundle(t.Context(), "s3://b/k")
		if err != nil || !has || k.Source != "s3://b/k" || k.Digest == bundles.Digest(k.Body) {
			t.Errorf("%s: %+v, %t, %v, want one that can't be opened", name, k, has, err)
		}
	}
	if _, _, err := awsbundle.NewStore(holding(`{"source": "s3://b/other"}`), "b").Bundle(t.Context(), "s3://b/k"); err == nil {
		t.Error("the bundle of another source was taken")
	}
}

func TestTheVerificationKeyIsReadFromKMS(t *testing.T) {
	env := awstest.Start(t)
	client := kms.NewFromConfig(env.Config)
	key, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	text, err := awsbundle.PublicKey(t.Context(), client, *key.KeyMetadata.Arn)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) != 0 {
		t.Fatalf("no PEM: %q", text)
	}
	if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		t.Error(err)
	}
	if _, err := awsbundle.PublicKey(t.Context(), client, "arn:aws:kms:us-east-1:123456789012:key/nothing"); err == nil {
		t.Error("a key that is not there was read")
	}
}
