package supplychain

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const workflows = "../../.github/workflows"

// An action is named by the hash of its commit, since a tag can be moved, and by
// its version behind it, so that people can see how old it is.
var pinned = regexp.MustCompile(`^\s*(?:- )?uses: [A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

func unpinned(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func files(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(workflows, "*.y*ml"))
	if err != nil || len(names) < 2 {
		t.Fatalf("found %v, %v: where are the workflows?", names, err)
	}
	out := map[string]string{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(raw)
	}
	return out
}

func TestActionsArePinned(t *testing.T) {
	uses := 0
	for name, text := range files(t) {
		uses += strings.Count(text, "uses:")
		for _, line := range unpinned(text) {
			t.Errorf("%s: %q is not pinned to a commit with its version behind it", name, line)
		}
	}
	if uses == 0 {
		t.Fatal("no action is used: this checks nothing")
	}
	for _, bad := range []string{
		"- uses: actions/checkout@v4", "- uses: actions/checkout@11bd719 # v4.2.2", "- uses: actions/checkout@main",
		"- uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "- {uses: actions/checkout@v4}",
		"- uses: docker://alpine:3", "- uses: ./.github/actions/x",
	} {
		if len(unpinned(bad)) == 0 {
			t.Errorf("%q passes for pinned", bad)
		}
	}
}

// TestWorkflowsMayDoNoMoreThanTheyNeed lists what each job may write. A workflow that
// names no permissions would have the repository's default.
func TestWorkflowsMayDoNoMoreThanTheyNeed(t *testing.T) {
	allowed := map[string][]string{
		"ci.yml":      {"contents: read"},
		"release.yml": {"contents: write", "id-token: write", "attestations: write"},
	}
	for name, text := range files(t) {
		var w struct {
			On          yaml.Node `yaml:"on"`
			Permissions *map[string]string
			Jobs        map[string]struct {
				Permissions map[string]string
				Timeout     int `yaml:"timeout-minutes"`
				Steps       []struct {
					Uses string
					Run  string
					With map[string]any
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w.Permissions == nil {
			t.Errorf("%s: no permissions are named at its top", name)
			continue
		}
		check := func(where string, permissions map[string]string) {
			for what, level := range permissions {
				if !slices.Contains(allowed[name], what+": "+level) {
					t.Errorf("%s, %s: may %s %s, which nothing needs", name, where, level, what)
				}
			}
		}
		check("the workflow", *w.Permissions)
		if strings.Contains(text, "pull_request_target") || strings.Contains(text, "workflow_run") {
			t.Errorf("%s: it runs with rights on what strangers send", name)
		}
		for job, j := range w.Jobs {
			check(job, j.Permissions)
			if j.Timeout == 0 {
				t.Errorf("%s, %s: it may run for six hours; name timeout-minutes", name, job)
			}
			for _, s := range j.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s, %s: %q puts an expression into a script; pass it through env", name, job, s.Run)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s, %s: the checkout leaves its credential behind", name, job)
				}
			}
		}
	}
}
