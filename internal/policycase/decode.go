package policycase

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// keysOf lists the YAML keys of a struct.
func keysOf(v any) []string {
	t := reflect.TypeOf(v)
	var out []string
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
			out = append(out, tag)
		}
	}
	return out
}

// UnmarshalYAML refuses unknown fields.
func (f *File) UnmarshalYAML(n *yaml.Node) error {
	type plain File
	return strict(n, "a case file", keysOf(*f), (*plain)(f))
}

// UnmarshalYAML refuses unknown fields and remembers the line.
func (c *caseSpec) UnmarshalYAML(n *yaml.Node) error {
	type plain caseSpec
	if err := strict(n, "a case", keysOf(*c), (*plain)(c)); err != nil {
		return err
	}
	c.line = n.Line
	return nil
}

// UnmarshalYAML refuses unknown fields.
func (o *ownerSpec) UnmarshalYAML(n *yaml.Node) error {
	type plain ownerSpec
	return strict(n, "owner", keysOf(*o), (*plain)(o))
}

// UnmarshalYAML refuses unknown fields. "repository: null" is written out: not linked.
func (p *packageSpec) UnmarshalYAML(n *yaml.Node) error {
	type plain packageSpec
	if err := strict(n, "package", keysOf(*p), (*plain)(p)); err != nil {
		return err
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "repository" && p.Repository == nil {
			p.Repository = new(string)
		}
	}
	return nil
}

// UnmarshalYAML takes a kind alone, or the fields, of which it refuses unknown ones.
func (t *triggerSpec) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		t.Kind = n.Value
		return nil
	}
	type plain triggerSpec
	return strict(n, "trigger", keysOf(*t), (*plain)(t))
}

// UnmarshalYAML refuses unknown fields.
func (l *limitsSpec) UnmarshalYAML(n *yaml.Node) error {
	type plain limitsSpec
	return strict(n, "limits", keysOf(*l), (*plain)(l))
}

// UnmarshalYAML takes a name alone, or the fields, of which it refuses unknown ones.
func (v *versionSpec) UnmarshalYAML(n *yaml.Node) error {
	v.line = n.Line
	if n.Kind == yaml.ScalarNode {
		v.Key = n.Value
		return nil
	}
	type plain versionSpec
	if err := strict(n, "a version", keysOf(*v), (*plain)(v)); err != nil {
		return err
	}
	v.line = n.Line
	return nil
}

// UnmarshalYAML takes "ACTION VERSION [POLICY[/RULE]]", or the fields, of which
// it refuses unknown ones.
func (e *expectSpec) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		type plain expectSpec
		if err := strict(n, "an expectation", keysOf(*e), (*plain)(e)); err != nil {
			return err
		}
		e.line = n.Line
		return e.check()
	}
	e.line = n.Line
	words := strings.Fields(n.Value)
	if len(words) < 2 || len(words) > 3 {
		return fmt.Errorf("%d: %q is no expectation; write ACTION VERSION or ACTION VERSION POLICY/RULE, such as delete old", n.Line, n.Value)
	}
	e.Action, e.Version = words[0], words[1]
	if e.Version == wholePackage {
		e.Package, e.Version = true, ""
	}
	if len(words) == 3 {
		e.Policy, e.Rule, _ = strings.Cut(words[2], "/")
	}
	return e.check()
}

func (e *expectSpec) check() error {
	switch {
	case e.Action != "keep" && e.Action != "delete" && e.Action != "restore":
		return fmt.Errorf("%d: action %q is none of keep, delete, restore", e.line, e.Action)
	case e.Package == (e.Version != ""):
		return fmt.Errorf("%d: an expectation names either a version or the package", e.line)
	}
	return nil
}

// UnmarshalYAML remembers the line.
func (o *outcomeSay) UnmarshalYAML(n *yaml.Node) error {
	o.text, o.line = strings.Join(strings.Fields(n.Value), " "), n.Line
	if n.Kind != yaml.ScalarNode || o.text == "" {
		return fmt.Errorf("%d: an outcome is stays, or ACTION STATUS [GUARD], such as delete planned", n.Line)
	}
	return nil
}

// wholePackage stands for the package where a version could stand.
const wholePackage = "package"

// age is a length of time such as 40d, 36h or 1d12h; "unknown" is one that
// nobody knows.
type age struct {
	d       time.Duration
	set     bool
	unknown bool
}

const day = 24 * time.Hour

// UnmarshalYAML reads one; a plain number is days.
func (a *age) UnmarshalYAML(n *yaml.Node) error {
	text := n.Value
	if n.Kind != yaml.ScalarNode || text == "" {
		return fmt.Errorf("%d: an age is written such as 40d, 36h or 1d12h", n.Line)
	}
	if text == "unknown" {
		*a = age{unknown: true, set: true}
		return nil
	}
	d, err := parseAge(text)
	if err != nil {
		return fmt.Errorf("%d: %q is no age; write one such as 40d, 36h or 1d12h, or unknown", n.Line, text)
	}
	*a = age{d: d, set: true}
	return nil
}

func parseAge(text string) (time.Duration, error) {
	if days, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Duration(days * float64(day)), nil
	}
	var out time.Duration
	if n, rest, ok := strings.Cut(text, "d"); ok {
		days, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return 0, err
		}
		if out = time.Duration(days * float64(day)); rest == "" {
			return out, nil
		}
		text = rest
	}
	d, err := time.ParseDuration(text)
	return out + d, err
}

// before returns the instant that lies the age before now: zero when unknown.
func (a age) before(now time.Time, fallback time.Time) time.Time {
	switch {
	case !a.set:
		return fallback
	case a.unknown:
		return time.Time{}
	}
	return now.Add(-a.d)
}
