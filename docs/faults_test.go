package docs_test

import (
	"path/filepath"
	"strings"
	"testing"

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
	inStep(t, "safety.md", "campaigns", "```text\n"+table.String()+"```\n")
}
