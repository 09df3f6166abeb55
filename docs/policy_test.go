package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var regoBlock = regexp.MustCompile("(?ms)^```rego\n(.*?)^```$")

// TestPoliciesInTheDocsAreInOrder checks every whole policy that the pages show,
// as a reader would who pastes it into a folder. Fragments, which have no
// package line, are left out.
func TestPoliciesInTheDocsAreInOrder(t *testing.T) {
	bin := build(t)
	checked := 0
	for _, page := range markdown(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range regoBlock.FindAllStringSubmatch(string(raw), -1) {
			if !strings.Contains(block[1], "\npackage retention.") {
				continue
			}
			checked++
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("p%d.rego", i)), []byte(block[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(filepath.Join(bin, "shelflife"), "policy", "check", "--path", dir).CombinedOutput(); err != nil {
				t.Errorf("%s, policy %d: %v\n%s", page, i+1, err, out)
			}
		}
	}
	if checked == 0 {
		t.Error("no page shows a policy, so this checks nothing")
	}
}
