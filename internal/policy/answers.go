package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

const decisionsRule = "decisions"

// readAnswers finds out from a policy's text what it may answer. Whatever is
// computed counts as possible.
func readAnswers(p *Policy, sources []source) Findings {
	var found Findings
	rules := 0
	for _, s := range sources {
		for _, rule := range s.module.Rules {
			if ref := rule.Head.Ref(); len(ref) == 0 || plain(ref[0].Value) != decisionsRule {
				continue
			}
			rules++
			if len(rule.Head.Args) > 0 {
				found.add(rule.Location, "decisions is a set, not a function; write: decisions contains {…} if {…}")
				continue
			}
			readAnswer(p, rule.Head.Key)
		}
	}
	if rules == 0 {
		found.add(sources[0].module.Package.Location,
			"policy %q has no decisions; write: decisions contains {\"action\": …, \"version\": …, \"reason\": …} if {…}", p.Name)
	}
	return found
}

// readAnswer reads the head of one rule; key is what it adds to the set, nil
// for a rule that makes the set at once.
func readAnswer(p *Policy, key *ast.Term) {
	action, known := "", false
	mayBePackage := true
	if key != nil {
		if answer, ok := key.Value.(ast.Object); ok {
			action, known = literal(answer, "action")
			mayBePackage = answer.Get(ast.StringTerm("package")) != nil || !literalKeys(answer)
		}
	}
	deletes := !known || action == "delete"
	p.CanDelete = p.CanDelete || deletes
	p.CanRestore = p.CanRestore || !known || action == "restore"
	p.CanDeletePackage = p.CanDeletePackage || deletes && mayBePackage
}

func literal(o ast.Object, key string) (string, bool) {
	t := o.Get(ast.StringTerm(key))
	if t == nil {
		return "", false
	}
	s, ok := t.Value.(ast.String)
	return string(s), ok
}

func literalKeys(o ast.Object) bool {
	for _, k := range o.Keys() {
		if _, ok := k.Value.(ast.String); !ok {
			return false
		}
	}
	return true
}
