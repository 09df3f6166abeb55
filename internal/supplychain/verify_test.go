package supplychain

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestNothingIsReleasedWithoutTheVulnerabilityCheck: the step that checks has to say
// that a check that can't be made is a failure.
func TestNothingIsReleasedWithoutTheVulnerabilityCheck(t *testing.T) {
	var verified []string
	for name, text := range files(t) {
		var w struct {
			Jobs map[string]struct {
				Steps []struct {
					Run string
					Env map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				if s.Run != "make verify" {
					continue
				}
				verified = append(verified, name)
				if s.Env["VULN_REQUIRED"] != "1" {
					t.Errorf("%s, %s: make verify may skip the vulnerability check; set VULN_REQUIRED: \"1\"", name, job)
				}
			}
		}
	}
	for _, name := range []string{"ci.yml", "release.yml"} {
		if !slices.Contains(verified, name) {
			t.Errorf("%s does not run make verify", name)
		}
	}
}

// TestASkippedCheckFailsWhereItIsRequired plays scripts/verify.sh with a go and a
// make that answer as they do without and with a network.
func TestASkippedCheckFailsWhereItIsRequired(t *testing.T) {
	const offline = "govulncheck: fetching vulnerabilities: dial tcp: connection refused"
	for name, c := range map[string]struct {
		said     string
		exit     string // of make vuln
		required string
		passes   bool
		shows    string
	}{
		"nothing is known":                  {"No vulnerabilities found.", "0", "1", true, "No vulnerabilities"},
		"a hole is known":                   {"Vulnerability #1: GO-2026-1", "1", "", false, "GO-2026-1"},
		"no database":                       {offline, "1", "", true, "skipped: "},
		"no database, and it is required":   {offline, "1", "1", false, "VULN_REQUIRED=1"},
		"no database, and it is not wanted": {offline, "1", "0", true, "skipped: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for tool, script := range map[string]string{"go": "exit 0", "make": "echo '" + c.said + "'; exit " + c.exit} {
				if err := os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "bash", "../../scripts/verify.sh")
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "VULN_REQUIRED="+c.required)
			out, err := cmd.CombinedOutput()
			if (err == nil) != c.passes || !strings.Contains(string(out), c.shows) {
				t.Errorf("%v, want passing %t and %q:\n%s", err, c.passes, c.shows, out)
			}
		})
	}
}
