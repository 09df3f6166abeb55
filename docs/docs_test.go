// Package docs_test keeps the documentation honest: what it names exists, the
// commands it shows run and print what it says, its links lead somewhere, and the
// generated parts are in step with the code. It never reaches GitHub.
package docs_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of the documentation")

// root is the project's folder as seen from this package.
const root = ".."

// place is where the command is built, once for all tests; TestMain removes it.
var place = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "shelflife-docs") })

var binary = sync.OnceValues(func() (string, error) {
	dir, err := place()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "shelflife"), "./cmd/shelflife")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := place(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// build returns the folder that holds the command.
func build(t *testing.T) string {
	t.Helper()
	dir, err := binary()
	if err != nil {
		t.Fatalf("build shelflife: %v", err)
	}
	return dir
}

// command is what --help says of one command.
type command struct {
	path  string // "shelflife plan"
	flags []string
	subs  []string
}

var (
	helpSub  = regexp.MustCompile(`^  ([a-z][a-z-]*) `)
	helpFlag = regexp.MustCompile(`^ +(?:-[a-zA-Z], )?(--[a-z][a-z-]*)`)
)

// help walks the tree of commands as a person could, through --help.
func help(t *testing.T, bin string, path ...string) []command {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "shelflife"), append(slices.Clone(path), "--help")...)
	cmd.Env = []string{"HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("shelflife %s --help: %v\n%s", strings.Join(path, " "), err, out)
	}
	c := command{path: strings.Join(append([]string{"shelflife"}, path...), " ")}
	section := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " "):
			section = line
		case section == "Available Commands:":
			if m := helpSub.FindStringSubmatch(line); m != nil && m[1] != "help" && m[1] != "completion" {
				c.subs = append(c.subs, m[1])
			}
		case section == "Flags:":
			if m := helpFlag.FindStringSubmatch(line); m != nil && m[1] != "--help" && m[1] != "--version" {
				c.flags = append(c.flags, m[1])
			}
		}
	}
	all := []command{c}
	for _, sub := range c.subs {
		all = append(all, help(t, bin, append(slices.Clone(path), sub)...)...)
	}
	return all
}

var docFlag = regexp.MustCompile("--[a-z][a-z-]*")

// sections cuts a document at its headings of the form "### `shelflife plan`".
func sections(doc string) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(doc) {
		if strings.HasPrefix(line, "#") {
			name = ""
			if _, rest, ok := strings.Cut(line, "`"); ok {
				name, _, _ = strings.Cut(rest, "`")
			}
		}
		if name != "" {
			out[name] += line
		}
	}
	return out
}

func TestReferenceNamesEveryCommandAndFlag(t *testing.T) {
	raw, err := os.ReadFile("cli.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := sections(string(raw))
	commands := help(t, build(t))
	if len(commands) < 20 {
		t.Fatalf("the help tree has only %d commands: its format has changed", len(commands))
	}
	global := commands[0].flags
	known := map[string]bool{}
	for _, c := range commands {
		known[c.path] = true
		text, ok := documented[c.path]
		if !ok {
			t.Errorf("docs/cli.md has no heading for `%s`", c.path)
			continue
		}
		named := docFlag.FindAllString(text, -1)
		for _, f := range c.flags {
			if !slices.Contains(named, f) {
				t.Errorf("docs/cli.md does not mention %s under `%s`", f, c.path)
			}
		}
	}
	for _, c := range commands {
		for _, f := range docFlag.FindAllString(firstTable(documented[c.path]), -1) {
			if !slices.Contains(c.flags, f) && !slices.Contains(global, f) {
				t.Errorf("docs/cli.md lists %s under `%s`, which has no such flag", f, c.path)
			}
		}
	}
	for name := range documented {
		if strings.HasPrefix(name, "shelflife") && !known[name] {
			t.Errorf("docs/cli.md describes `%s`, which is no command", name)
		}
	}
}

// firstTable is the part of a section that lists flags: its table rows.
func firstTable(text string) string {
	var rows []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `-") {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), "|")
			rows = append(rows, first)
		}
	}
	return strings.Join(rows, "\n")
}

// markdown finds the documents of the project.
func markdown(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".md":
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	mdLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	slugCut = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the ids that GitHub gives the headings of a document.
func anchors(doc []byte) map[string]bool {
	out := map[string]bool{}
	fenced := false
	s := bufio.NewScanner(bytes.NewReader(doc))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		line := s.Text()
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if fenced || !strings.HasPrefix(line, "#") {
			continue
		}
		text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		out[strings.ReplaceAll(slugCut.ReplaceAllString(text, ""), " ", "-")] = true
	}
	return out
}

func TestRelativeLinksResolve(t *testing.T) {
	seen := 0
	for _, file := range markdown(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mdLink.FindAllSubmatch(raw, -1) {
			link := string(m[1])
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			seen++
			path, anchor, _ := strings.Cut(link, "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(path))
			}
			doc, err := os.ReadFile(target)
			if info, statErr := os.Stat(target); statErr != nil {
				t.Errorf("%s links to %s, which is not there", file, link)
				continue
			} else if info.IsDir() {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if anchor != "" && filepath.Ext(target) == ".md" && !anchors(doc)[anchor] {
				t.Errorf("%s links to %s, whose heading is not there", file, link)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no relative link was found: the pattern has changed")
	}
}
