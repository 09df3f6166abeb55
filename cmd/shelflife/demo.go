package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "The whole thing on the embedded simulator: plan, apply, undo, verify",
		Long: `Run the main job on an embedded simulator of GitHub: a sample owner with
container, npm and maven packages, the shipped policies, a plan with reasons, its
application, what is left, the undo of the whole run, and the proof in the ledger.
It needs no account and no network, and leaves nothing behind.`,
		Example: "  shelflife demo",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "shelflife-demo-")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(dir) }()
			ctx, cancel := context.WithCancel(c.Context())
			defer cancel()
			return a.demo(ctx, dir)
		},
	}
}

// demo plays the very commands that a person would type.
func (a *app) demo(ctx context.Context, dir string) error {
	sim, err := serveSim(ctx, githubsim.SampleSeed(), "127.0.0.1:0")
	if err != nil {
		return err
	}
	d := &demonstration{app: a, dir: dir, env: map[string]string{
		"GITHUB_TOKEN": "demo", "GITHUB_API_URL": sim.url, "SHELFLIFE_REGISTRY_URL": sim.url, "GITHUB_ACTOR": "demo",
		"SHELFLIFE_STATE": filepath.Join(dir, "shelflife.db"), "SHELFLIFE_CONFIG": filepath.Join(dir, "shelflife.yaml"),
	}}
	if err := os.WriteFile(d.env["SHELFLIFE_CONFIG"], []byte(demoConfig), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "A simulated GitHub with the organization acme listens on %s.\nIts shelflife.yaml:\n\n%s", sim.url, indent(demoConfig))
	before := countState(sim)

	d.title("Plan: what would go, and why. Nothing is written.")
	if err := d.play(ctx, "plan", "acme", "--out", "plan.json"); err != nil {
		return err
	}
	run, err := planID(filepath.Join(dir, "plan.json"))
	if err != nil {
		return err
	}
	d.title("Apply: exactly that plan, with an entry in the ledger before and after each call.")
	if err := d.play(ctx, "apply", "plan.json"); err != nil {
		return err
	}
	d.title("What is left on the simulated GitHub.")
	if err := d.left(before, countState(sim)); err != nil {
		return err
	}
	d.title("Undo: the whole run, within GitHub's 30 days.")
	if err := d.play(ctx, "undo", run, "--yes"); err != nil {
		return err
	}
	if after := countState(sim); !maps.Equal(after.active, before.active) {
		return fmt.Errorf("the undo left %d of %d versions: this is a defect, please report it", after.total, before.total)
	}
	fmt.Fprintf(a.out, "\nAll %d versions are back.\n", before.total)

	d.title("Verify: the ledger proves what happened.")
	if err := d.play(ctx, "runs"); err != nil {
		return err
	}
	if err := d.play(ctx, "ledger", "verify"); err != nil {
		return err
	}
	fmt.Fprint(a.out, demoEnd)
	return nil
}

const demoConfig = `version: 1
mode: enforce
owners:
  - login: acme
params:
  keep_newest: {tagged: 5, untagged: 1}
`

const demoEnd = `
That was the main job: plan, apply exactly that, undo, and the proof. Next:
  GITHUB_TOKEN=… shelflife plan YOUR-ORG     your own organization; nothing is written
  shelflife sim                              this simulator, to try policies on
`

// demonstration runs commands in a world of its own: whatever the real
// environment says stays outside.
type demonstration struct {
	*app
	dir string
	env map[string]string
}

func (d *demonstration) title(text string) { fmt.Fprintf(d.out, "\n━━ %s\n", text) }

// play runs one command line, in the demo's own folder, and shows it.
func (d *demonstration) play(ctx context.Context, args ...string) error {
	fmt.Fprintf(d.out, "   $ shelflife %s\n\n", strings.Join(args, " "))
	s := d.streams
	s.getenv = func(name string) string { return d.env[name] }
	s.err, s.dir = d.out, d.dir
	if code := run(ctx, append(args, "--quiet"), s); code != exitDone {
		return fmt.Errorf("shelflife %s ended with exit code %d: this is a defect, please report it", args[0], code)
	}
	fmt.Fprintln(d.out)
	return nil
}

func (d *demonstration) left(before, after stateCount) error {
	g := report.Grid{Columns: []string{"PACKAGE", "BEFORE", "LEFT", "DELETED, RESTORABLE"}}
	for _, name := range before.names {
		g.Rows = append(g.Rows, []string{name, fmt.Sprint(before.active[name]), fmt.Sprint(after.active[name]), fmt.Sprint(after.deleted[name])})
	}
	fmt.Fprintln(d.out)
	return d.show(g)
}

// planID reads the id of a saved plan, which is also that of its run.
func planID(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var doc struct {
		ID string `json:"id"`
	}
	return doc.ID, json.Unmarshal(b, &doc)
}

// stateCount counts the simulator's versions by package.
type stateCount struct {
	names           []string
	active, deleted map[string]int
	total           int
}

func countState(sim *runningSim) stateCount {
	c := stateCount{active: map[string]int{}, deleted: map[string]int{}}
	for _, o := range sim.State().Owners {
		for _, p := range o.Packages {
			name := o.Login + "/" + string(p.Type) + "/" + p.Name
			c.names = append(c.names, name)
			for _, v := range p.Versions {
				if v.State == retention.Active {
					c.active[name]++
					c.total++
				} else {
					c.deleted[name]++
				}
			}
		}
	}
	return c
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ") + "\n"
}
