package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServeKeys(t *testing.T) {
	c, err := Parse("shelflife.yaml", []byte("version: 1\nserve: {listen: \"[::1]:9090\", webhook_secrets: [HOOK, HOOK_OLD], self: [\"app[bot]\"], dashboard: {listen: \"127.0.0.1:9091\", url: \"https://keep.example\", token: BOARD, off: true}}"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := Serve{Listen: "[::1]:9090", WebhookSecrets: []string{"HOOK", "HOOK_OLD"}, Self: []string{"app[bot]"},
		Dashboard: Dashboard{Off: true, Listen: "127.0.0.1:9091", URL: "https://keep.example", Token: "BOARD"}}
	if diff := cmp.Diff(want, c.Serve); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestServeKeysThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"{listen: \"8080\"}":                              "not an address to listen on",
		"{listen: \"host:http\"}":                         "not an address to listen on",
		"{webhook_secrets: []}":                           "leave it out",
		"{webhook_secrets: [\"s3 cr!t\"]}":                "names of environment variables",
		"{webhook_secrets: [ghp_abc]}":                    "names of environment variables",
		"{self: [\"\"]}":                                  "the login is empty",
		"{dashboard: {listen: \"8081\"}}":                 "not an address to listen on",
		"{dashboard: {url: \"keep.example\"}}":            "scheme and host only",
		"{dashboard: {url: \"https://k.example/under\"}}": "scheme and host only",
		"{dashboard: {url: \"https://u:p@k.example\"}}":   "scheme and host only",
		"{dashboard: {token: ghp_abc}}":                   "name of an environment variable",
	} {
		_, err := Parse("shelflife.yaml", []byte("version: 1\nserve: "+text), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), "s3 cr!t") || strings.Contains(err.Error(), "ghp_abc") {
			t.Errorf("%s: the error repeats what may be a secret: %v", text, err)
		}
	}
}
