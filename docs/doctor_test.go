package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/doctor"
)

// TestTheDoctorsTableIsInStep generates the table of docs/doctor.md from the code.
func TestTheDoctorsTableIsInStep(t *testing.T) {
	const begin, end = "<!-- generated: doctor -->\n", "<!-- end -->"
	var b strings.Builder
	b.WriteString("| code | result | what is wrong | what to do |\n|---|---|---|---|\n")
	for _, c := range doctor.Conditions() {
		result := string(c.Result)
		if c.Enforcing != "" {
			result += "; " + string(c.Enforcing) + " when the owner's mode is `enforce`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, result, c.What, c.Next)
	}
	raw, err := os.ReadFile("doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("docs/doctor.md has no part between %q and %q", begin, end)
	}
	want := head + begin + b.String() + end + tail
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatal("the table of docs/doctor.md is out of step: go test ./docs -update")
	}
	if err := os.WriteFile("doctor.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
