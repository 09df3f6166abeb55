package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// cli runs command lines in the test's own process.
type cli struct {
	t   *testing.T
	env map[string]string
}

// newCLI has a state file of its own and talks to url alone.
func newCLI(t *testing.T, url string) cli {
	t.Helper()
	return cli{t, map[string]string{
		"GITHUB_API_URL": url, "SHELFLIFE_REGISTRY_URL": url, "GITHUB_TOKEN": "sim-token", "GITHUB_ACTOR": "tester",
		"SHELFLIFE_STATE": filepath.Join(t.TempDir(), "shelflife.db"),
	}}
}

// exec returns what the command wrote to stdout; it must end with code.
func (c cli) exec(code int, args ...string) string {
	c.t.Helper()
	var out, errs bytes.Buffer
	s := streams{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(name string) string { return c.env[name] }}
	if got := run(context.Background(), args, s); got != code {
		c.t.Fatalf("shelflife %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String()
}

// A stranger learns a command from its help: every one says what it is for in
// a sentence without a stop, and shows how it is written.
func TestEveryCommandHasHelp(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" {
			return // cobra's own
		}
		switch {
		case c.Short == "" || strings.HasSuffix(c.Short, "."):
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		case !strings.Contains(c.Example, c.CommandPath()):
			t.Errorf("%s: no example of its own in %q", c.CommandPath(), c.Example)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit((&app{}).rootCommand())
}

// The widths are those of a narrow terminal, a wide one, and none. Nothing but
// names and the facts above the tables may be wider than the terminal.
func TestPlanFitsTheTerminal(t *testing.T) {
	url := startSample(t)
	c := newCLI(t, url)
	for _, width := range []int{80, 120, 0} {
		var out, errs bytes.Buffer
		s := streams{in: strings.NewReader(""), out: &out, err: &errs, width: width, getenv: func(name string) string { return c.env[name] }}
		if code := run(context.Background(), []string{"plan", "acme", "--mode", "enforce"}, s); code != exitDone {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		rows := 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if !strings.HasPrefix(line, "  delete ") && !strings.HasPrefix(line, "  restore ") && !strings.HasPrefix(line, "  ACTION ") {
				continue
			}
			rows++
			if n := len([]rune(line)); width > 0 && n > width {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
			if width == 0 && strings.Contains(line, "…") {
				t.Errorf("cut without a terminal: %s", line)
			}
		}
		if rows != 11 {
			t.Errorf("width %d: %d rows, want 8 items under 3 headers:\n%s", width, rows, out.String())
		}
	}
}
