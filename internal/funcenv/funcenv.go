// Package funcenv reads what the two Lambda functions are told by their
// environment. What is missing or wrong is an error that names the variable, all
// of them at once; nothing is asked of the network.
package funcenv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// The environment variables of the functions. Those of AWS, and GITHUB_API_URL and
// SHELFLIFE_REGISTRY_URL, which config reads, are not among them.
const (
	Table         = "SHELFLIFE_TABLE"          // both: name of the DynamoDB table
	QueueURL      = "SHELFLIFE_QUEUE_URL"      // both: URL of the FIFO queue
	ConfigFile    = "SHELFLIFE_CONFIG"         // both, optional: shelflife.yaml; beside the bootstrap without it
	Bucket        = "SHELFLIFE_BUCKET"         // enforcer: name of the S3 bucket
	Mode          = "SHELFLIFE_MODE"           // enforcer, optional: observe (the default) or enforce, the most that any owner may do
	Slice         = "SHELFLIFE_SLICE"          // enforcer, optional: how long a sweep works at a time, and so the most that a webhook of its owner waits; 1m without it
	SealKeyID     = "SHELFLIFE_SEAL_KEY_ID"    // enforcer: KMS HMAC_256 key that seals plans
	AppID         = "SHELFLIFE_APP_ID"         // enforcer, for owners with credentials of kind app: the App's id
	AppKeyID      = "SHELFLIFE_APP_KEY_ID"     // enforcer, for the same: KMS key with the App's private key, or else
	AppKeySecret  = "SHELFLIFE_APP_KEY_SECRET" // a secret with its PEM file
	WebhookSecret = "SHELFLIFE_WEBHOOK_SECRET" // webhook: secret with the webhook's secret, or a JSON array of them
)

// Enforcer lists the variables that the enforcer function reads.
func Enforcer() []string {
	return []string{Table, Bucket, QueueURL, ConfigFile, Mode, Slice, SealKeyID, AppID, AppKeyID, AppKeySecret}
}

// Webhook lists the variables that the webhook function reads.
func Webhook() []string { return []string{Table, QueueURL, ConfigFile, WebhookSecret} }

// Settings are what both functions are told. Fields of the other function are "".
type Settings struct {
	Config        config.Config
	Table         string
	QueueURL      string
	Bucket        string
	Mode          retention.Mode // caps every owner's mode
	Slice         time.Duration  // 0: the engine's default
	SealKeyID     string
	AppKeyID      string
	AppKeySecret  string
	WebhookSecret string

	digest string // of the configuration file
}

// Revision names this deployment: the build, which the linker sets, and what its
// configuration file says. Both functions of one deployment have the same.
func (s Settings) Revision(build string) string {
	if build == "" {
		build = "dev"
	}
	return build + "-" + s.digest
}

// ReadWebhook reads the settings of the webhook function.
func ReadWebhook(env func(string) string) (Settings, error) {
	s, err := read(env)
	s.WebhookSecret = env(WebhookSecret)
	return s, errors.Join(err, missing(env, Table, QueueURL, WebhookSecret))
}

// ReadEnforcer reads the settings of the enforcer function.
func ReadEnforcer(env func(string) string) (Settings, error) {
	s, err := read(env)
	s.Bucket, s.SealKeyID, s.AppKeyID, s.AppKeySecret = env(Bucket), env(SealKeyID), env(AppKeyID), env(AppKeySecret)
	errs := []error{err, missing(env, Table, Bucket, QueueURL, SealKeyID)}
	if text := env(Mode); text != "" {
		if merr := s.Mode.UnmarshalText([]byte(text)); merr != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", Mode, merr))
		}
	}
	var serr error
	if s.Slice, serr = slice(env(Slice)); serr != nil {
		errs = append(errs, fmt.Errorf("environment variable %s: %w", Slice, serr))
	}
	if err == nil {
		errs = append(errs, s.appKey())
	}
	return s, errors.Join(errs...)
}

func slice(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("a sweep can't work for no time; leave it out for 1m")
	}
	return d, err
}

// appKey makes sure that owners reached as an App have its id and its key.
func (s Settings) appKey() error {
	for _, o := range s.Config.Owners {
		if o.Credentials == nil || o.Credentials.Kind != config.KindApp {
			continue
		}
		var errs []error
		if o.Credentials.AppID == 0 && s.Config.Env.AppID == 0 {
			errs = append(errs, fmt.Errorf("environment variable %s is missing: owner %s is reached as a GitHub App", AppID, o.Login))
		}
		if (s.AppKeyID == "") == (s.AppKeySecret == "") {
			errs = append(errs, fmt.Errorf("set one of the environment variables %s (a KMS key) and %s (a secret with the PEM file): owner %s is reached as a GitHub App",
				AppKeyID, AppKeySecret, o.Login))
		}
		return errors.Join(errs...)
	}
	return nil
}

func read(env func(string) string) (Settings, error) {
	s := Settings{Table: env(Table), QueueURL: env(QueueURL)}
	path := env(ConfigFile)
	if path == "" {
		path = filepath.Join(env("LAMBDA_TASK_ROOT"), config.DefaultFile)
	}
	text, err := bounded.ReadFile(path, config.MaxFile)
	if err != nil {
		return s, fmt.Errorf("read the configuration, see %s: %w", ConfigFile, err)
	}
	sum := sha256.Sum256(text)
	s.digest = hex.EncodeToString(sum[:4])
	if s.Config, err = config.Parse(path, text, env); err != nil {
		return s, err
	}
	if len(s.Config.Owners) == 0 {
		return s, fmt.Errorf("%s names no owner, so there is nothing to do; add owners", path)
	}
	return s, nil
}

func missing(env func(string) string, names ...string) error {
	var errs []error
	for _, n := range names {
		if env(n) == "" {
			errs = append(errs, fmt.Errorf("environment variable %s is missing", n))
		}
	}
	return errors.Join(errs...)
}
