package docs_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// step is one command line of a ```console block.
//
// Blocks are run in order, per document, against one simulator and in one folder.
// "# exit N" after a command names an exit code other than 0. The lines below a
// command must all be in its output, … standing for anything. The word RUN stands
// for the run that the state file shows as the newest. A document that needs
// another seed than the demo's names it: <!-- seed: examples/tokens.json -->.
type step struct {
	file   string
	line   int
	text   string
	exit   int
	output []string
}

var (
	seedMark = regexp.MustCompile(`<!-- seed: (\S+) -->`)
	isOurs   = regexp.MustCompile(`^(?:(?:[A-Z_]+=\S+ )*shelflife|sed -i)(?: |$)`)
	exitMark = regexp.MustCompile(`\s+# exit (\d+)$`)
	runWord  = regexp.MustCompile(`\bRUN\b`)
)

// steps reads the console blocks of a document.
func steps(file string, raw []byte) (seed string, out []step) {
	if m := seedMark.FindSubmatch(raw); m != nil {
		seed = filepath.Join(filepath.Dir(file), string(m[1]))
	}
	inside := false
	var last *step
	n := 0
	for line := range strings.Lines(string(raw)) {
		n++
		line = strings.TrimSpace(line) // blocks may stand in lists
		switch {
		case strings.HasPrefix(line, "```"):
			inside, last = line == "```console", nil
		case !inside:
		case strings.HasPrefix(line, "$ "):
			last = nil
			text := strings.TrimPrefix(line, "$ ")
			if !isOurs.MatchString(text) || strings.Contains(text, "…") {
				continue
			}
			s := step{file: file, line: n}
			if m := exitMark.FindStringSubmatch(text); m != nil {
				s.exit, _ = strconv.Atoi(m[1])
				text = strings.TrimSuffix(text, m[0])
			}
			s.text = text
			out = append(out, s)
			last = &out[len(out)-1]
		case last != nil && line != "":
			last.output = append(last.output, line)
		}
	}
	return seed, out
}

func TestConsoleBlocksRunAsShown(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh: the console blocks are written for one")
	}
	bin := build(t)
	ran := 0
	for _, file := range markdown(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seed, list := steps(file, raw)
		ran += len(list)
		if len(list) == 0 {
			continue
		}
		t.Run(strings.TrimPrefix(filepath.ToSlash(file), "../"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, bin, seed)
			for _, s := range list {
				w.run(t, s)
			}
		})
	}
	if ran == 0 {
		t.Fatal("no console block was found: the pattern has changed")
	}
}

// world is a folder, a state file and a simulator of a document's own.
type world struct {
	dir string
	env []string
}

func newWorld(t *testing.T, bin, seed string) *world {
	t.Helper()
	dir := t.TempDir()
	// The examples are named as a reader at the project's root names them.
	for _, name := range []string{"docs", "policies"} {
		abs, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(abs, filepath.Join(dir, name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	args := []string{"sim", "--listen", "127.0.0.1:0"}
	if seed != "" {
		args = append(args, "--seed", seed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "shelflife"), args...)
	cmd.Env = []string{"HOME=" + dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed: that is its end
	})
	first, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
	if err != nil || !ok {
		t.Fatalf("shelflife sim: %v: %q\n%s", err, first, stderr.String())
	}
	return &world{dir: dir, env: []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "GITHUB_ACTOR=docs",
		"GITHUB_TOKEN=any", "GITHUB_API_URL=" + url, "SHELFLIFE_REGISTRY_URL=" + url,
		"SHELFLIFE_STATE=" + filepath.Join(dir, "state.db"),
	}}
}

func (w *world) run(t *testing.T, s step) {
	t.Helper()
	text := s.text
	if runWord.MatchString(text) {
		text = runWord.ReplaceAllString(text, w.newestRun(t))
	}
	out, code := w.sh(t, text)
	where := fmt.Sprintf("%s:%d: $ %s", s.file, s.line, s.text)
	if code != s.exit {
		t.Errorf("%s: exit code %d, the document says %d\n%s", where, code, s.exit, out)
		return
	}
	for _, want := range s.output {
		if !says(out, want) {
			t.Errorf("%s: the output has no line %q\n%s", where, want, out)
		}
	}
}

func (w *world) sh(t *testing.T, text string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", text)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// newestRun is the newest run that applied a plan.
func (w *world) newestRun(t *testing.T) string {
	t.Helper()
	out, _ := w.sh(t, "shelflife runs --format json 2>/dev/null")
	var doc struct {
		Runs []struct{ ID, Kind string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("shelflife runs: %v\n%s", err, out)
	}
	for _, r := range doc.Runs {
		if r.Kind == "apply" {
			return r.ID
		}
	}
	t.Fatalf("there is no run yet:\n%s", out)
	return ""
}

// says reports whether a line of the output is as a document shows it.
func says(output, want string) bool {
	var parts []string
	for part := range strings.SplitSeq(strings.Join(strings.Fields(want), " "), "…") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	pattern := regexp.MustCompile(`(?m)^` + strings.Join(parts, `.*`) + `$`)
	var flat []string
	for line := range strings.Lines(output) {
		flat = append(flat, strings.Join(strings.Fields(line), " "))
	}
	return pattern.MatchString(strings.Join(flat, "\n"))
}
