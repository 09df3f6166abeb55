// Package awsenv makes the AWS clients' configuration from the environment that
// Lambda gives a function: region, credentials and, for tests, endpoints.
//
// It never reads files, never asks the metadata service and makes no call, which
// is why it stands in for the SDK's own config package: that one reads shared
// configuration, SSO, container and instance credentials too, none of which a
// function has, and makes the webhook function a fifth larger.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, and AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> where
// they are set. What is missing is named.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func Config(env func(string) string) (aws.Config, error) {
	region := env("AWS_REGION")
	if region == "" {
		region = env("AWS_DEFAULT_REGION")
	}
	id, key := env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")
	var errs []error
	for _, v := range []struct{ name, value string }{{"AWS_REGION", region}, {"AWS_ACCESS_KEY_ID", id}, {"AWS_SECRET_ACCESS_KEY", key}} {
		if v.value == "" {
			errs = append(errs, fmt.Errorf("environment variable %s is missing; Lambda sets it", v.name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return aws.Config{}, err
	}
	cfg := aws.Config{
		Region:        region,
		Credentials:   credentials.NewStaticCredentialsProvider(id, key, env("AWS_SESSION_TOKEN")),
		ConfigSources: []any{endpoints{env}},
	}
	if url := env("AWS_ENDPOINT_URL"); url != "" && !ignored(env) {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg, nil
}

func ignored(env func(string) string) bool {
	on, err := strconv.ParseBool(env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
	return on && err == nil
}

// endpoints answers the SDK's question for the endpoint of one service.
type endpoints struct{ env func(string) string }

// GetServiceBaseEndpoint is how clients ask; sdkID is such as "Secrets Manager".
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	if ignored(e.env) {
		return "", false, nil
	}
	url := e.env("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return url, url != "", nil
}
