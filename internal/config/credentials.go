package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/secret"
)

// CredentialKind says how Shelflife signs in.
type CredentialKind string

// The kinds of credential: an installation of a GitHub App, or a classic
// personal access token.
const (
	KindApp   CredentialKind = "app"
	KindToken CredentialKind = "token"
)

// Credentials name how to sign in for one owner. They never hold a secret: the
// file is meant to be committed.
type Credentials struct {
	Kind           CredentialKind `json:"kind" jsonschema:"app: an installation of a GitHub App. token: a classic personal access token."`
	Secret         string         `json:"secret,omitempty" jsonschema:"kind token: name of the environment variable that holds the token (of the secret, on AWS). Never the token itself."`
	AppID          int64          `json:"app_id,omitempty" jsonschema:"kind app: the App's id. Default: SHELFLIFE_APP_ID."`
	InstallationID int64          `json:"installation_id,omitempty" jsonschema:"kind app: id of the App's installation at this owner."`
	PrivateKeyFile string         `json:"private_key_file,omitempty" jsonschema:"kind app: PEM file of the App's private key, relative to this file. Default: SHELFLIFE_PRIVATE_KEY_FILE."`
}

// Auth is how to sign in for one owner, with everything that it takes.
type Auth struct {
	Kind           CredentialKind
	Token          secret.Secret // kind token
	AppID          int64         // kind app, like the next two
	InstallationID int64
	PrivateKeyFile string
}

// ErrNoCredential says that neither the file nor the environment names a
// credential for an owner.
var ErrNoCredential = errors.New("no credential: set GITHUB_TOKEN, or credentials in shelflife.yaml")

// Auth puts together what the file and the environment say about signing in for
// an owner. env looks an environment variable up.
func (c Config) Auth(o Owner, env func(string) string) (Auth, error) {
	cred := o.Credentials
	switch {
	case cred == nil && !c.Env.Token.IsZero():
		return Auth{Kind: KindToken, Token: c.Env.Token}, nil
	case cred == nil:
		return Auth{}, fmt.Errorf("sign in for %s: %w", o.Login, ErrNoCredential)
	case cred.Kind == KindToken:
		token := strings.TrimSpace(env(cred.Secret))
		if token == "" {
			return Auth{}, fmt.Errorf("sign in for %s: environment variable %s is empty; put the token there", o.Login, cred.Secret)
		}
		return Auth{Kind: KindToken, Token: secret.New(token)}, nil
	}
	auth := Auth{Kind: KindApp, AppID: cred.AppID, InstallationID: cred.InstallationID, PrivateKeyFile: cred.PrivateKeyFile}
	if auth.AppID == 0 {
		auth.AppID = c.Env.AppID
	}
	if auth.PrivateKeyFile == "" {
		auth.PrivateKeyFile = c.Env.PrivateKeyFile
	}
	if auth.AppID == 0 {
		return Auth{}, fmt.Errorf("sign in for %s: the App's id is missing; set app_id or SHELFLIFE_APP_ID", o.Login)
	}
	return auth, nil // the key may come from elsewhere (KMS, Secrets Manager): the caller knows
}

var (
	secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_/.@:+=-]{0,511}$`)
	// variableName is stricter: no system takes other characters.
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	tokenLike    = regexp.MustCompile(`^(gh[a-z]_|github_pat_)|^[0-9a-f]{40}$`)
)

// credentials checks that a kind has its own keys and no other's.
func (d *decoder) credentials(path string, c *Credentials) {
	if c == nil || d.broken[path] {
		return
	}
	if c.Kind == "" {
		d.failAt(field(path, "kind"), "", "credentials need a kind; write kind: app or kind: token")
		return
	}
	own := map[string]CredentialKind{"secret": KindToken, "app_id": KindApp, "installation_id": KindApp, "private_key_file": KindApp}
	for _, key := range []string{"secret", "app_id", "installation_id", "private_key_file"} {
		if s, ok := d.at[field(path, key)]; ok && own[key] != c.Kind {
			d.fail(field(path, key), s.key, "", "%s belongs to credentials of kind %s, but these are of kind %s; take it out", key, own[key], c.Kind)
		}
	}
	if c.Kind == KindToken {
		d.secretName(field(path, "secret"), c.Secret)
		return
	}
	_, named := d.at[field(path, "installation_id")]
	if !named {
		d.failAt(field(path, "installation_id"), "", "credentials of kind app need installation_id, the number at the end of the installation's address on GitHub")
	}
	for key, id := range map[string]int64{"app_id": c.AppID, "installation_id": c.InstallationID} {
		if _, ok := d.at[field(path, key)]; ok && id <= 0 {
			d.failAt(field(path, key), "", "%s must be a positive number", key)
		}
	}
	if strings.Contains(c.PrivateKeyFile, "-----BEGIN") {
		d.failAt(field(path, "private_key_file"), "", "private_key_file holds the key itself; write the name of its file, and replace the key if this file was shared")
	}
}

// secretName never repeats the value: it may be the token itself.
func (d *decoder) secretName(path, name string) {
	switch {
	case name == "":
		d.failAt(path, "", "credentials of kind token need secret, the name of the environment variable that holds the token")
	case tokenLike.MatchString(name):
		d.failAt(path, "", "secret holds a token itself; write the name of the environment variable that holds it, and revoke the token if this file was shared")
	case !secretName.MatchString(name):
		d.failAt(path, "", "secret must be the name of an environment variable, such as ACME_TOKEN")
	}
}
