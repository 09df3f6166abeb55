package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
)

func startSample(t *testing.T) string {
	t.Helper()
	return simtest.Start(t, githubsim.SampleSeed()).URL
}

// Every request of the whole line, and every answer of the simulator, fits
// GitHub's own description of the Packages operations.
func TestTheWholeLineFitsOpenAPI(t *testing.T) {
	t.Parallel()
	seeds := map[string]struct {
		seed    githubsim.Seed
		owner   string
		pkg     string
		version string
		deletes int
		days    string // the age from which untagged images go: few do, since GitHub wants deletes paced
	}{
		"organization": {githubsim.SampleSeed(), "acme", "acme/npm/widgets", "2.2.0", 2, "90"},
		"user":         {githubsim.UserSeed(), "mona", "mona/npm/notes", "1.0.0", 2, "30"},
	}
	for name, c := range seeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simtest.StartWith(t, c.seed, func(next http.Handler) http.Handler { return simtest.ValidateOpenAPI(t, next) })
			config := filepath.Join(t.TempDir(), "shelflife.yaml")
			text := "version: 1\nmode: enforce\nowners: [{login: " + c.owner + ", kind: " + name + "}]\nlimits: {percent_of_owner: 50}\n" +
				"policies: {builtin: true, only: [expire_untagged, expire_prereleases]}\nparams: {expire_untagged: {older_than_days: " + c.days + "}}\n"
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cli := newCLI(t, sim.URL)
			cli.env["SHELFLIFE_CONFIG"] = config
			plan := filepath.Join(t.TempDir(), "plan.json")

			cli.exec(exitDone, "plan", "--out", plan)
			cli.exec(exitDone, "apply", plan)
			id, err := planID(plan)
			if err != nil {
				t.Fatal(err)
			}
			cli.exec(exitDone, "undo", id, "--yes")
			cli.exec(exitDone, "packages", "list", c.owner)
			cli.exec(exitDone, "packages", "get", c.pkg)
			cli.exec(exitDone, "packages", "delete", c.pkg, "--yes")
			cli.exec(exitDone, "packages", "restore", c.pkg, "--yes")
			cli.exec(exitDone, "versions", "list", c.pkg, "--state", "deleted")
			cli.exec(exitDone, "versions", "get", c.pkg+"@"+c.version)
			cli.exec(exitDone, "doctor")

			if got, want := sim.Server.CallCounts().Mutating, 2*c.deletes+2; got != want {
				t.Errorf("%d mutating calls, want %d", got, want)
			}
		})
	}
}
