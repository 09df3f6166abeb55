package action_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const inventory = `{"owner":{"login":"acme","kind":"organization","id":"1"},"package":{"id":"2","name":"widgets","package_type":"npm","visibility":"private","version_count":3,"url":"","html_url":"","created_at":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z","state":"active"},"versions":[{"id":"13","name":"3.0.0","state":"active","created_at":"2020-03-01T00:00:00Z","updated_at":"2020-03-01T00:00:00Z","html_url":""},{"id":"12","name":"2.0.0","state":"active","created_at":"2020-02-01T00:00:00Z","updated_at":"2020-02-01T00:00:00Z","html_url":""},{"id":"11","name":"1.0.0","state":"active","created_at":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z","html_url":""}],"graph":[],"complete":true,"read_at":"2026-01-01T00:00:00Z","deleted_listed":true}
`

func expire(days int) string {
	return fmt.Sprintf(`# METADATA
# title: Expire old
# description: Deletes what is old.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: low
package retention.expire_old

decisions contains {"action": "delete", "version": v.id, "reason": "old"} if {
	some v in input.versions
	v.rank > 1
	v.age_days > %d
}
`, days)
}

const expireTest = `package retention.expire_old_test

import data.retention.expire_old

test_old if {
	count(expire_old.decisions) == 1 with input as {"versions": [{"id": "1", "rank": 2, "age_days": 100000}]}
}
`

// pull is a checkout of a pull request: main has policies that delete nothing of
// the inventory, the pull request's branch has those that are given.
func pull(t *testing.T, branch string, files map[string]string) string {
	t.Helper()
	origin, work := filepath.Join(t.TempDir(), "origin.git"), filepath.Join(t.TempDir(), "work")
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	write := func(files map[string]string) {
		t.Helper()
		for name, text := range files {
			at := filepath.Join(work, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	git(".", "init", "--quiet", "--bare", "--initial-branch", "main", origin)
	git(".", "init", "--quiet", "--initial-branch", "main", work)
	git(work, "remote", "add", "origin", origin)
	write(map[string]string{
		"policies/expire_old.rego": expire(1_000_000), "policies/expire_old_test.rego": strings.Replace(expireTest, "100000}", "10000000}", 1),
		"inventory.ndjson": inventory, "shelflife.yaml": "version: 1\nowners: [{login: acme}]\npolicies: {path: policies}\n",
	})
	git(work, "add", ".")
	git(work, "commit", "--quiet", "-m", "base")
	git(work, "push", "--quiet", "origin", "main")
	git(work, "checkout", "--quiet", "-b", branch)
	write(files)
	git(work, "add", ".")
	git(work, "commit", "--quiet", "--allow-empty", "-m", "change")
	// As actions/checkout leaves it: nothing of the base.
	git(work, "update-ref", "-d", "refs/remotes/origin/main")
	git(work, "branch", "--quiet", "-D", "main")
	return work
}

// program builds shelflife.
func program(t *testing.T) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "shelflife")
	cmd := exec.Command("go", "build", "-o", at, "./cmd/shelflife")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build shelflife: %v\n%s", err, out)
	}
	return at
}

func TestPullRequests(t *testing.T) {
	const ours = `[{"id":1,"user":{"login":"mallory"},"body":"<!-- shelflife policy diff --> mine"},{"id":2,"user":{"login":"github-actions[bot]"},"body":"another bot's"},{"id":3,"user":{"login":"github-actions[bot]"},"body":"<!-- shelflife policy diff -->\nold"}]`
	stricter := map[string]string{"policies/expire_old.rego": expire(30), "policies/expire_old_test.rego": expireTest}
	bin := program(t)
	for name, tc := range map[string]struct {
		files    map[string]string
		inputs   map[string]string
		context  map[string]string
		comments string
		broken   string // how gh fails
		branch   string
		code     int
		calls    []string // that gh must have been asked, in their order
		posted   string   // in the comment
		says     string   // in the log
		added    string
	}{
		"deletes are added: a comment is written": {
			files: stricter, calls: []string{"--paginate repos/acme/policies/issues/7/comments", "--method POST repos/acme/policies/issues/7/comments"},
			posted: "1 delete added", added: "true",
		},
		"the comment is there: it is updated, and nobody else's": {
			files: stricter, comments: ours, calls: []string{"--paginate", "--method PATCH repos/acme/policies/issues/comments/3"}, posted: "`1.0.0`", added: "true",
		},
		"nothing changes": {calls: []string{"--paginate", "--method POST"}, posted: "Nothing changes", added: "false"},
		"deletes are added where that is not allowed": {
			files: stricter, inputs: map[string]string{"fail-on-added": "true"}, code: 3, calls: []string{"--paginate", "--method POST"}, added: "true", says: "the change adds deletes",
		},
		"no comment is wanted": {files: stricter, inputs: map[string]string{"comment": "false"}, added: "true"},
		"a fork's token writes nothing": {
			files: stricter, broken: "readonly", calls: []string{"--paginate", "--method POST"}, says: "::warning::the comment could not be written", added: "true",
		},
		"comments can't be read":     {files: stricter, broken: "unreadable", calls: []string{"--paginate"}, says: "::warning::the pull request's comments", added: "true"},
		"a push and no pull request": {files: stricter, context: map[string]string{"github.base_ref": "", "github.event.pull_request.number": ""}, says: "nothing was compared: this is no pull request"},
		"nothing to try it on":       {files: stricter, inputs: map[string]string{"inventory": ""}, says: "nothing was compared: name an inventory"},
		"a policy that is misspelt":  {files: map[string]string{"policies/expire_old.rego": strings.Replace(expire(30), "v.rank", "v.rnak", 1)}, code: 2, says: "expire_old.rego:14"},
		"a policy whose test fails":  {files: map[string]string{"policies/expire_old_test.rego": strings.Replace(expireTest, "== 1", "== 2", 1)}, code: 1, says: "test_old"},
		"coverage below the limit":   {files: map[string]string{"policies/other_test.rego": "package other_test\n\ntest_it if true\n", "policies/expire_old_test.rego": "package retention.expire_old_test\n"}, inputs: map[string]string{"threshold": "90"}, code: 1},
		"a base that is not there":   {context: map[string]string{"github.base_ref": "nowhere"}, code: 128, says: "nowhere"},
		"a base that is a command":   {context: map[string]string{"github.base_ref": "$(touch hacked)`touch hacked`; touch hacked"}, code: 128},
		"a base that is an option":   {context: map[string]string{"github.base_ref": "--upload-pack=touch hacked"}, code: 128},
		"no such program":            {inputs: map[string]string{"shelflife": "/nowhere/shelflife"}, code: 1, says: "::error::/nowhere/shelflife is not a shelflife"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			work := pull(t, "feature", tc.files)
			r := newRunner(t, work)
			r.inputs["shelflife"], r.inputs["inventory"] = bin, "inventory.ndjson"
			for k, v := range tc.inputs {
				r.inputs[k] = v
			}
			for k, v := range tc.context {
				r.context[k] = v
			}
			if tc.comments == "" {
				tc.comments = "[]"
			}
			r.write("comments.json", tc.comments, 0o600)
			if tc.broken != "" {
				r.write(tc.broken, "", 0o600)
			}
			if code := r.run(); code != tc.code {
				t.Fatalf("exit code %d, want %d\n%s", code, tc.code, r.log.String())
			}
			calls := strings.Split(strings.TrimSuffix(r.read("calls"), "\n"), "\n")
			if r.read("calls") == "" {
				calls = nil
			}
			if len(calls) != len(tc.calls) {
				t.Fatalf("gh was asked %q, want %q\n%s", calls, tc.calls, r.log.String())
			}
			for i, want := range tc.calls {
				if !strings.Contains(calls[i], want) {
					t.Errorf("gh was asked %q, want %q", calls[i], want)
				}
			}
			if posted := r.read("posted"); tc.posted != "" && (!strings.HasPrefix(posted, "<!-- shelflife policy diff -->\n") || !strings.Contains(posted, tc.posted)) {
				t.Errorf("the comment is %q, want it to say %q", posted, tc.posted)
			}
			if !strings.Contains(r.log.String(), tc.says) {
				t.Errorf("the log does not say %q:\n%s", tc.says, r.log.String())
			}
			if got := r.outputs["diff.outputs.deletes-added"]; got != tc.added {
				t.Errorf("deletes-added is %q, want %q", got, tc.added)
			}
			if tc.added != "" && !strings.Contains(r.read("summary"), "Policy diff") {
				t.Error("the job's summary lacks the report")
			}
			if _, err := os.Stat(filepath.Join(work, "hacked")); err == nil {
				t.Error("the name of a branch was run")
			}
		})
	}
}
