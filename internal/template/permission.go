package template

import (
	"regexp"
	"slices"
	"strings"
)

// Permission is one statement that allows something, as one role has it.
type Permission struct {
	Role    string // the resource's name
	Sid     string // why, in one word: KeepLedgerAndState
	Actions []string
	On      []any  // resources
	Policy  string // the resource that holds the statement
	Only    any    // its condition, nil when it has none
	When    string // the template's condition, "" when it always holds
	OfKey   bool   // it stands in a key's own policy, where "*" is the key
}

// Permissions returns what each role of the template may do, in the file's
// order: from the policies of roles and from those of keys that name a role.
func (t Template) Permissions() []Permission {
	var out []Permission
	for _, name := range t.Order {
		r := t.Resources[name]
		switch r.Type {
		case "AWS::IAM::RolePolicy":
			role := first(references(at(r.Properties, "RoleName")))
			out = append(out, statements(r, role, at(r.Properties, "PolicyDocument", "Statement"))...)
		case "AWS::KMS::Key":
			for _, s := range list(at(r.Properties, "KeyPolicy", "Statement")) {
				role := first(references(at(s, "Principal", "AWS")))
				if t.Resources[role].Type == "AWS::IAM::Role" {
					out = append(out, statements(r, role, s)...)
				}
			}
		}
	}
	return out
}

func statements(r Resource, role string, v any) []Permission {
	var out []Permission
	for _, s := range list(v) {
		when := condition(s)
		if when == "" {
			when = r.Condition
		}
		for _, s := range branches(s) {
			if text(at(s, "Effect")) != "Allow" {
				continue
			}
			p := Permission{
				Role: role, Sid: text(at(s, "Sid")), Actions: texts(at(s, "Action")), On: list(at(s, "Resource")), Policy: r.Name,
				Only: at(s, "Condition"), When: when, OfKey: r.Type == "AWS::KMS::Key",
			}
			if at(s, "NotAction") != nil || at(s, "NotResource") != nil {
				p.Actions = append(p.Actions, "*") // all but something is a wildcard
			}
			out = append(out, p)
		}
	}
	return out
}

var hump = regexp.MustCompile(`[A-Z][a-z0-9]*`)

// Why is the statement's Sid as words: "keep ledger and state".
func (p Permission) Why() string {
	return strings.ToLower(strings.Join(hump.FindAllString(p.Sid, -1), " "))
}

// Where names the resources in words of the template.
func (p Permission) Where() string {
	if p.OfKey {
		return p.Policy
	}
	var out []string
	for _, r := range p.On {
		out = append(out, show(r))
	}
	return strings.Join(out, ", ")
}

// keysOf returns the partition keys that a condition on dynamodb:LeadingKeys
// leaves; ok is false when there is none that also refuses calls without keys.
func (p Permission) keysOf() (patterns []string, ok bool) {
	patterns = texts(at(p.Only, "ForAllValues:StringLike", "dynamodb:LeadingKeys"))
	slices.Sort(patterns)
	// ForAllValues is true of no values at all.
	return patterns, len(patterns) > 0 && text(at(p.Only, "Null", "dynamodb:LeadingKeys")) == "false"
}
