package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/faults"
)

// The campaigns' figures in docs/safety.md are those of bench/faults.json, and none of
// them failed or was cut short.
func TestTheCampaignsFiguresAreThoseOfTheReport(t *testing.T) {
	results, err := faults.Read(filepath.Join(root, "bench", "faults.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range results {
		if res.Failures > 0 || res.Skipped != "" || len(res.Short) > 0 {
			t.Errorf("%s", res.Line())
		}
	}
	var table strings.Builder
	if err := faults.Table(&table, results); err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- generated: campaigns -->\n```text\n", "```\n<!-- end of generated: campaigns -->"
	raw, err := os.ReadFile("safety.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("docs/safety.md has no part between %q and %q", begin, end)
	}
	if *update {
		if err := os.WriteFile("safety.md", []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(table.String(), got); diff != "" {
		t.Errorf("docs/safety.md is out of step with bench/faults.json (-want +got); go test ./docs -update writes it:\n%s", diff)
	}
}
