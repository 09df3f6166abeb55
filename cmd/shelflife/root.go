package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/shelflife-dev/shelflife/internal/report"
)

// version is set by the linker.
var version = "dev"

// streams are where a command reads, writes results, and writes everything else.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	terminal bool   // err is a terminal: progress may move
	color    bool   // out is a terminal that wants colour
	width    int    // columns of out; 0 when it is no terminal
	dir      string // where relative names of plans are; "" is the working folder
}

func systemStreams() streams {
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	s.terminal = term.IsTerminal(int(os.Stderr.Fd()))
	if term.IsTerminal(int(os.Stdout.Fd())) {
		s.color = report.UseColor(os.Getenv("TERM") != "dumb", os.Getenv)
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.width = w
		}
	}
	return s
}

// globals are the flags that every command takes.
type globals struct {
	config   string
	state    string
	format   string
	apiURL   string
	registry string
	quiet    bool
}

// app is what the commands share.
type app struct {
	streams
	globals
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	return exitCode(err, s.err)
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "shelflife",
		Short: "Retention policy as code for GitHub Packages",
		Long: `Shelflife reads an owner's packages on GitHub, decides with Rego policies what
to delete or restore, and does exactly what the plan says.

Nothing is written to GitHub without apply, undo, --yes or an enforcing
configuration. Results go to stdout, progress and notes to stderr.`,
		Example: `  shelflife demo                          the whole thing in a minute, no account needed
  GITHUB_TOKEN=… shelflife plan acme      what would go, and why
  shelflife plan acme --mode enforce --out plan.json && shelflife apply plan.json
  shelflife undo RUN --yes                bring back what a run deleted`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		// A wrong format is found out before anything is done, not after.
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if a.format == formatDOT && c.Name() == "explain" {
				return nil
			}
			_, err := report.ParseFormat(a.format)
			return usage(err)
		},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", "configuration file (default $SHELFLIFE_CONFIG, or ./shelflife.yaml)")
	f.StringVar(&a.state, "state", "", "state file (default $SHELFLIFE_STATE, or shelflife/shelflife.db in the state folder)")
	f.StringVar(&a.format, "format", "table", "output: table, json, markdown, html")
	f.StringVar(&a.apiURL, "api-url", "", "address of GitHub's API (default $GITHUB_API_URL, or https://api.github.com)")
	f.StringVar(&a.registry, "registry-url", "", "address of the container registry (default $SHELFLIFE_REGISTRY_URL, or https://ghcr.io)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	root.AddCommand(
		a.demoCommand(), a.planCommand(), a.applyCommand(), a.runCommand(), a.undoCommand(),
		a.runsCommand(), a.showCommand(), a.explainCommand(), a.inventoryCommand(), a.queryCommand(),
		a.packagesCommand(), a.versionsCommand(), a.policyCommand(), a.doctorCommand(),
		a.ledgerCommand(), a.simCommand(), a.serveCommand(),
	)
	root.InitDefaultCompletionCmd("completion")
	checkArgs(root)
	return root
}

// checkArgs makes wrong arguments usage errors, and a group without a verb
// print its help.
func checkArgs(c *cobra.Command) {
	if validate := c.Args; validate != nil && c.Runnable() {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := validate(c, args); err != nil {
				return usagef("%d arguments where others are needed: write %s; see %s --help", len(args), c.UseLine(), c.CommandPath())
			}
			return nil
		}
	} else if c.HasSubCommands() {
		c.SuggestionsMinimumDistance = 2
		c.Args = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				near := ""
				if s := c.SuggestionsFor(args[0]); len(s) > 0 {
					near = fmt.Sprintf("; did you mean %q?", s[0])
				}
				return usagef("unknown command %q for %s%s; see %[2]s --help", args[0], c.CommandPath(), near)
			}
			return nil
		}
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, sub := range c.Commands() {
		checkArgs(sub)
	}
}
