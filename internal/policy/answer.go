package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// answerReader turns one package's answers into decisions.
type answerReader struct {
	ids map[retention.ID]bool
	max int
}

// newAnswerReader allows each policy a few decisions for each version: more
// can only be a mistake, and would cost memory.
func newAnswerReader(inv retention.Inventory) answerReader {
	ids := make(map[retention.ID]bool, len(inv.Versions))
	for _, v := range inv.Versions {
		if v.ID != 0 { // a decision must not mean a version by naming none
			ids[v.ID] = true
		}
	}
	return answerReader{ids: ids, max: 4*len(inv.Versions) + 16}
}

// read is all or nothing: one malformed decision drops the policy's others,
// since nobody can tell what it would have meant for them.
func (r answerReader) read(p Policy, a answer) ([]retention.Decision, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.value == nil {
		return nil, errors.New("its decisions are undefined; write them as a set: decisions contains {…} if {…}")
	}
	set, ok := a.value.(ast.Set)
	if !ok {
		return nil, fmt.Errorf("its decisions are %s and have to be a set", ast.ValueName(a.value))
	}
	if set.Len() > r.max {
		return nil, fmt.Errorf("it made %d decisions and may make %d on this package; give each version one", set.Len(), r.max)
	}
	out := make([]retention.Decision, 0, set.Len())
	err := set.Iter(func(t *ast.Term) error {
		if why, ok := refusesItself(t.Value); ok {
			return fmt.Errorf("it refuses: %s", why)
		}
		d := retention.Decision{Policy: p.Name, Severity: p.Severity, Mode: p.Mode}
		if err := r.readOne(&d, t.Value); err != nil {
			return fmt.Errorf("decision %s: %w", shortened(t.String()), err)
		}
		out = append(out, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// refusesItself reads a failure on purpose: no action of the contract's, but one whose
// reason people have to read.
func refusesItself(v ast.Value) (why string, ok bool) {
	o, isObject := v.(ast.Object)
	if !isObject {
		return "", false
	}
	if action, _ := literal(o, "action"); action != "fail" {
		return "", false
	}
	return literal(o, "reason")
}

func (r answerReader) readOne(d *retention.Decision, v ast.Value) error {
	o, ok := v.(ast.Object)
	if !ok {
		return fmt.Errorf("it is %s and has to be an object", ast.ValueName(v))
	}
	var hasAction, hasVersion, hasPackage bool
	err := o.Iter(func(key, value *ast.Term) (err error) {
		switch name := plain(key.Value); name {
		case "action":
			hasAction = true
			d.Action, err = readAction(value.Value)
		case "version":
			hasVersion = true
			d.Version, err = r.readVersion(value.Value)
		case "package":
			hasPackage = true
			if value.Value != ast.Boolean(true) {
				err = errors.New("package is not true; leave it out or write true")
			}
		case "reason":
			d.Reason, err = readText(name, value.Value)
		case "rule":
			d.Rule, err = readText(name, value.Value)
		case "data":
			d.Data, err = readExtra(value.Value)
		default:
			err = fmt.Errorf("there is a field %q; it may have action, version or package, reason, rule, data", name)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !hasAction:
		return errors.New("there is no action")
	case hasVersion == hasPackage:
		return errors.New("it has to name either a version or the package")
	case strings.TrimSpace(d.Reason) == "":
		return errors.New("there is no reason")
	}
	d.Target = retention.TargetVersion
	if hasPackage {
		d.Target = retention.TargetPackage
	}
	return nil
}

func readAction(v ast.Value) (retention.Action, error) {
	s, err := readText("action", v)
	if err != nil {
		return retention.Keep, err
	}
	action, err := retention.ParseAction(s)
	if err != nil {
		return retention.Keep, fmt.Errorf("unknown %w", err)
	}
	return action, nil
}

func (r answerReader) readVersion(v ast.Value) (retention.ID, error) {
	s, err := readText("version", v)
	if err != nil {
		return 0, err
	}
	// Only the very text of the input names a version: "007" is not "7".
	id, err := retention.ParseID(s)
	if err != nil || !r.ids[id] || id.String() != s {
		return 0, fmt.Errorf("version %q is none of the package's; use the id of a version in the input", s)
	}
	return id, nil
}

func readText(name string, v ast.Value) (string, error) {
	s, ok := v.(ast.String)
	if !ok {
		return "", fmt.Errorf("%s is %s and has to be string", name, ast.ValueName(v))
	}
	return string(s), nil
}

// readExtra writes the data object with sorted keys, the same every time.
func readExtra(v ast.Value) (json.RawMessage, error) {
	if _, ok := v.(ast.Object); !ok {
		return nil, fmt.Errorf("data is %s and has to be object", ast.ValueName(v))
	}
	plain, err := ast.JSON(v)
	if err != nil {
		return nil, fmt.Errorf("data is no JSON: %w", err)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("data is no JSON: %w", err)
	}
	return text, nil
}

// shortened keeps a message readable whatever the policy made.
func shortened(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
