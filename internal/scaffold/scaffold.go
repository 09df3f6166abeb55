// Package scaffold makes the first files of a new policy: the policy, its unit
// test and its cases, which hold together as they are. It never writes a file and
// never looks at the policies that are there.
package scaffold

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// Kinds are the kinds of policy that there is a first version of.
func Kinds() []string { return []string{"expire", "keep", "webhook"} }

// File is one file of a new policy.
type File struct {
	Name string // below the folder of the policies, with slashes
	Text []byte
}

var (
	policyName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	reserved   = []string{
		"as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "some", "true", "with",
	}
)

// maxName keeps file names and reports readable.
const maxName = 60

// CheckName says what is wrong with the name of a new policy.
func CheckName(name string) error {
	switch {
	case !policyName.MatchString(name) || len(name) > maxName:
		return fmt.Errorf("%q is no name for a policy: lower case letters, digits and underscores, a letter first, such as expire_nightlies", name)
	case strings.HasSuffix(name, "_test"):
		return fmt.Errorf("%q is no name for a policy: files that end with _test.rego are tests", name)
	case slices.Contains(reserved, name):
		return fmt.Errorf("%q is no name for a policy: it is a word of Rego", name)
	}
	return nil
}

// Policy returns the files of a new policy of a kind.
func Policy(name, kind string) ([]File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("kind %q is none of %s", kind, strings.Join(Kinds(), ", "))
	}
	var out []File
	for _, suffix := range []string{".rego", "_test.rego", ".case.yaml"} {
		t, err := template.ParseFS(templates, "templates/"+kind+suffix+".tmpl")
		if err != nil {
			return nil, fmt.Errorf("make policy %s: %w", name, err)
		}
		var b strings.Builder
		if err := t.Execute(&b, struct{ Name, Title string }{name, title(name)}); err != nil {
			return nil, fmt.Errorf("make policy %s: %w", name, err)
		}
		out = append(out, File{Name: name + "/" + name + suffix, Text: []byte(b.String())})
	}
	return out, nil
}

// title makes "Expire nightlies" of expire_nightlies.
func title(name string) string {
	words := strings.TrimSpace(strings.ReplaceAll(name, "_", " "))
	return strings.ToUpper(words[:1]) + words[1:]
}
