package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policyset"
	"github.com/shelflife-dev/shelflife/internal/preview"
)

// hostile is what somebody may call a package or a tag to be shown something else.
const hostile = "a\x1b[2Jb\u009b1m\x7f\u202ec\r\nshelflife: all is well\u200bd"

func TestErrorsAndNotesCannotMoveTheCursor(t *testing.T) {
	for name, say := range map[string]func(*bytes.Buffer){
		"an error": func(w *bytes.Buffer) { exitCode(errors.New("read "+strings.ReplaceAll(hostile, "\n", "")), w) },
		"a note":   func(w *bytes.Buffer) { (&app{streams: streams{err: w}}).note("kept %s", hostile) },
	} {
		var out bytes.Buffer
		say(&out)
		if strings.ContainsAny(out.String(), "\x1b\r\u009b\x7f\u202e\u200b") {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

// TestNamesCannotForgeLogLines holds that a log line stays one, whatever is in it.
func TestNamesCannotForgeLogLines(t *testing.T) {
	var out bytes.Buffer
	jsonLog(&out).Info("done", "package", hostile, "error", errors.New(hostile))
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines: %q", n, out.String())
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "done" {
		t.Errorf("%v: %q", err, out.String())
	}
	if strings.ContainsAny(strings.TrimSuffix(out.String(), "\n"), "\x1b\r\n\u202e\u200b\u009b\x7f") {
		t.Errorf("%q", out.String())
	}
}

func TestALargeDataDocumentIsRefused(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data.json")
	if err := os.WriteFile(data, make([]byte, policyset.MaxDataBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "shelflife.yaml")
	if err := os.WriteFile(config, []byte("version: 1\nowners: [{login: acme}]\npolicies: {builtin: true, data: data.json}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCLI(t, simtest.Start(t, githubsim.SampleSeed()).URL)
	c.exec(exitUsage, "plan", "--config", config)
}

// A document that was cut short would say of less that it is deployed.
func TestADocumentOfDeploymentsIsNeverCutShort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deployed.yaml")
	for text, want := range map[string]string{
		"a: [x]\n" + strings.Repeat(" ", policyset.MaxDataBytes) + "\nb: [y]\n":                      "it is larger than 16 MiB",
		"a: &a \"" + strings.Repeat("x", 100_000) + "\"\nb: [" + strings.Repeat("*a, ", 200) + "]\n": "too large: more than 16 MiB, aliases counted",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := (&session{app: &app{}}).deployedDocument(file)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v, want an error with %q", got, err, want)
		}
	}
}

func TestAnEndlessPackageOfAnInventoryIsNotReadWhole(t *testing.T) {
	text := io.MultiReader(strings.NewReader(`{"owner": {"login": "`), strings.NewReader(strings.Repeat("a", preview.MaxLine)))
	for _, err := range readExport(text, "all.ndjson") {
		if err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
			t.Error(err)
		}
	}
}

func TestTheCatalogueIsHarmlessMarkdown(t *testing.T) {
	const evil = "a \x1b[2J\u009b\u202e ![x](https://evil.example/p.png) <b> @team\n| a cell |\n`code` and `"
	out := catalogue([]policy.Policy{{
		Name: "p", Title: evil, Description: evil, Params: map[string]any{"k`|": evil}, ParamsDoc: map[string]string{"k`|": evil},
	}})
	for _, bad := range []string{"\x1b", "\u009b", "\u202e", " ![x]", " https://", "<b>", " @team", "| a cell", "`|"} {
		if strings.Contains(out, bad) {
			t.Errorf("%q is in it:\n%s", bad, out)
		}
	}
	if !strings.Contains(catalogue([]policy.Policy{{Name: "p", Description: "Sets `mode`: *x*."}}), "Sets `mode`: \\*x\\*.") {
		t.Error("a span of code is not kept")
	}
}
