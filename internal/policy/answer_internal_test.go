package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// FuzzAnswers reads whatever a policy might answer. A decision comes of it only when
// it names a version that the package has (or the package), a known action and a
// reason; of one that lies, the policy's others are dropped too.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`[{"action": "delete", "version": "7", "reason": "old"}]`,
		`[{"action": "keep", "package": true, "reason": "x", "rule": "r", "data": {"n": 1}}]`,
		`[{"action": "delete", "version": "8", "reason": "of another package"}]`,
		`[{"action": "delete", "version": "07", "reason": "x"}]`, `[{"action": "delete", "version": 7, "reason": "x"}]`,
		`[{"action": "delete", "version": "7", "package": true, "reason": "x"}]`, `[{"action": "purge", "version": "7", "reason": "x"}]`,
		`[{"action": "delete", "version": "0", "reason": "x"}]`, `[{"action": "delete", "version": "7", "reason": " "}]`,
		`[{"action": "delete", "version": "7", "reason": "x"}, {"action": "delete", "version": "9", "reason": "x"}]`,
		`[{"action": "delete", "version": "7", "reason": "x", "extra": 1}]`, `{"action": "delete"}`, `[[]]`, `[null]`, `[]`,
	} {
		f.Add(s)
	}
	inv := retention.Inventory{Versions: []retention.Version{{ID: 7}, {ID: 0}, {ID: 1 << 62}}}
	reader := newAnswerReader(inv)
	f.Fuzz(func(t *testing.T, text string) {
		var doc any
		if err := util.UnmarshalJSON([]byte(text), &doc); err != nil {
			return
		}
		value, err := ast.InterfaceToValue(doc)
		if err != nil {
			return
		}
		if list, ok := value.(*ast.Array); ok {
			set := ast.NewSet()
			list.Foreach(set.Add)
			value = set
		}
		decisions, err := reader.read(Policy{Name: "p"}, answer{value: value})
		if err != nil {
			if decisions != nil {
				t.Errorf("%+v beside the error %v", decisions, err)
			}
			return
		}
		for _, d := range decisions {
			switch {
			case d.Target == retention.TargetVersion && d.Version != 7 && d.Version != 1<<62:
				t.Errorf("%s: it decides about version %d", text, d.Version)
			case d.Target == retention.TargetPackage && d.Version != 0:
				t.Errorf("%s: it decides about the package and version %d", text, d.Version)
			case strings.TrimSpace(d.Reason) == "":
				t.Errorf("%s: there is no reason", text)
			case d.Data != nil && !json.Valid(d.Data):
				t.Errorf("%s: its data is no JSON", text)
			}
		}
	})
}
