package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/doctor"
)

// TestTheDoctorsTableIsInStep generates the table of docs/doctor.md from the code.
func TestTheDoctorsTableIsInStep(t *testing.T) {
	var b strings.Builder
	b.WriteString("| code | result | what is wrong | what to do |\n|---|---|---|---|\n")
	for _, c := range doctor.Conditions() {
		result := string(c.Result)
		if c.Enforcing != "" {
			result += "; " + string(c.Enforcing) + " when the owner's mode is `enforce`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, result, c.What, c.Next)
	}
	inStep(t, "doctor.md", "doctor", b.String())
}
