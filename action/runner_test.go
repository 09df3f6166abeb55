package action_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runner plays the steps of the action as GitHub's would: expressions only in the
// environment and the working directory, files for outputs and variables.
type runner struct {
	t       *testing.T
	action  action
	tmp     string
	work    string            // the checkout
	inputs  map[string]string // as given by the workflow
	context map[string]string // github.…
	env     map[string]string // carried from step to step
	outputs map[string]string // steps.….outputs.…
	path    string
	log     bytes.Buffer
}

func newRunner(t *testing.T, work string) *runner {
	t.Helper()
	for _, program := range []string{"bash", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: there is no %s here", program)
		}
	}
	tmp := t.TempDir()
	r := &runner{
		t: t, action: read(t), tmp: tmp, work: work, inputs: map[string]string{}, env: map[string]string{}, outputs: map[string]string{},
		context: map[string]string{
			"github.action_path": "..", "github.base_ref": "main", "github.token": "the-token", "github.event.pull_request.number": "7",
		},
		path: filepath.Join(tmp, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	r.write("bin/gh", fakeGH, 0o755)
	r.write("comments", "", 0o600)
	r.write("summary", "", 0o600)
	return r
}

// fakeGH notes each call, lists the comments of a file, and keeps what is posted.
const fakeGH = `#!/usr/bin/env bash
set -euo pipefail
printf '%s\n' "$*" >> "$FAKE/calls"
[ "$GH_TOKEN" = the-token ] || { echo "gh: no token" >&2; exit 4; }
case "$*" in
  *--paginate*)
    if [ -e "$FAKE/unreadable" ]; then exit 1; fi
    AUTHOR=$AUTHOR jq -r "${@: -1}" < "$FAKE/comments.json" ;;
  *--method*)
    if [ -e "$FAKE/readonly" ]; then echo "HTTP 403" >&2; exit 1; fi
    for a in "$@"; do case $a in body=@*) cp "${a#body=@}" "$FAKE/posted" ;; esac; done ;;
esac
`

func (r *runner) write(name, text string, mode os.FileMode) {
	r.t.Helper()
	at := filepath.Join(r.tmp, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
}

// read returns a file of the runner's, "" when it is not there.
func (r *runner) read(name string) string {
	b, err := os.ReadFile(filepath.Join(r.tmp, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// resolve puts values in the place of expressions.
func (r *runner) resolve(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(e, "${{"), "}}"))
		if in, ok := strings.CutPrefix(name, "inputs."); ok {
			if v, given := r.inputs[in]; given {
				return v
			}
			return r.resolve(r.action.Inputs[in].Default)
		}
		if out, ok := strings.CutPrefix(name, "steps."); ok {
			return r.outputs[out]
		}
		v, ok := r.context[name]
		if !ok {
			r.t.Fatalf("nobody says what %s is", name)
		}
		return v
	})
}

// run plays all steps and returns the exit code of the first that fails.
func (r *runner) run() int {
	r.t.Helper()
	for _, s := range r.action.Runs.Steps {
		if code := r.step(s); code != 0 {
			return code
		}
	}
	return 0
}

func (r *runner) step(s step) int {
	r.t.Helper()
	r.write("output", "", 0o600)
	r.write("env", "", 0o600)
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
	cmd.Dir = r.work
	if s.Dir != "" {
		cmd.Dir = filepath.Join(r.work, r.resolve(s.Dir))
	}
	cmd.Env = []string{
		"PATH=" + r.path, "HOME=" + r.tmp, "FAKE=" + r.tmp, "RUNNER_TEMP=" + r.tmp, "GITHUB_REPOSITORY=acme/policies",
		"GITHUB_STEP_SUMMARY=" + filepath.Join(r.tmp, "summary"), "GITHUB_OUTPUT=" + filepath.Join(r.tmp, "output"), "GITHUB_ENV=" + filepath.Join(r.tmp, "env"),
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
	}
	for k, v := range r.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	for k, v := range s.Env {
		cmd.Env = append(cmd.Env, k+"="+r.resolve(v))
	}
	fmt.Fprintf(&r.log, "== %s\n", s.Name)
	cmd.Stdout, cmd.Stderr = &r.log, &r.log
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(r.read("output")) {
		if k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			r.outputs[s.ID+".outputs."+k] = v
		}
	}
	for line := range strings.Lines(r.read("env")) {
		if k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			r.env[k] = v
		}
	}
	return cmd.ProcessState.ExitCode()
}
