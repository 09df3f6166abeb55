package policy

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Bounds of a trace: what is beyond them is counted, not kept.
const (
	MaxTraceSteps = 400
	traceLimit    = 30 * time.Second // for one policy
)

// Trace is how the policies came to what they say of one version: for every rule
// that was tried, where it stopped for that version, or that it held.
type Trace struct {
	Version retention.ID `json:"version_id"`
	Steps   []TraceStep  `json:"steps"`
	Left    int          `json:"left_out"` // steps beyond MaxTraceSteps
}

// TraceStep is one step of a policy.
type TraceStep struct {
	Policy string `json:"policy"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	// Op is rule (a rule of decisions is tried), stops (an expression does not hold,
	// and the rule ends there), holds (a helper does) or asks (the rule holds, and
	// adds its decision).
	Op     string   `json:"op"`
	Text   string   `json:"text"`             // the source
	Values []string `json:"values,omitempty"` // what was compared, as name = value
}

// Trace evaluates every policy alone over one package and keeps the steps that
// are about one version, and those that are about none: a condition on the
// package ends a rule for all of them.
func (e *Engine) Trace(ctx context.Context, req Request, version retention.ID) (Trace, error) {
	out := Trace{Version: version, Steps: []TraceStep{}}
	p, err := e.program(ctx, req.Inventory.Ref())
	if err != nil {
		return out, err
	}
	alone, err := p.alone()
	if err != nil {
		return out, err
	}
	in := NewInput(req)
	at := slices.IndexFunc(in.Versions, func(v InputVersion) bool { return v.ID == version.String() })
	input, names := in.Value(), namesIn(in, version.String())
	for i, query := range alone {
		t := &tracer{
			policy: e.policies[i].Name, files: e.policies[i].Files, places: e.placesIn(e.policies[i].Files),
			id: version.String(), at: at, names: names, out: &out, seen: map[string]bool{},
		}
		limited, cancel := context.WithTimeout(ctx, traceLimit)
		_, err := query.Eval(limited, rego.EvalParsedInput(input), rego.EvalQueryTracer(t))
		cancel()
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			t.add(TraceStep{Op: "stops", File: e.policies[i].File, Line: e.policies[i].Line, Text: "it failed: " + evaluationError(err)})
		}
	}
	return out, nil
}

// namesIn says of each version's names and tags whether they are that version's.
func namesIn(in Input, id string) map[string]bool {
	out := map[string]bool{}
	for _, v := range in.Versions {
		for _, n := range append([]string{v.Name}, v.Tags...) {
			out[n] = out[n] || v.ID == id
		}
	}
	return out
}

// place finds variables that are used as the place of a version.
var place = regexp.MustCompile(`versions\[(\w+)\]|some (\w+), \w+ in input\.versions|some (\w+) in versions\.`)

// placesIn are the names that some files use for the place of a version.
func (e *Engine) placesIn(files []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range e.source.files.sources {
		if !slices.Contains(files, s.name) {
			continue
		}
		for _, m := range place.FindAllStringSubmatch(string(s.text), -1) {
			for _, name := range m[1:] {
				out[name] = name != ""
			}
		}
	}
	return out
}

// tracer keeps the steps of one policy that say something of one version.
type tracer struct {
	policy string
	files  []string        // the policy's own
	places map[string]bool // variables that hold the place of a version
	id     string
	at     int             // its place in input.versions
	names  map[string]bool // of versions, true for its own
	out    *Trace
	seen   map[string]bool
	rule   string // the rule of decisions that is being tried
}

// Enabled implements topdown.QueryTracer.
func (*tracer) Enabled() bool { return true }

// Config asks for the variables' values.
func (*tracer) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

// TraceEvent implements topdown.QueryTracer.
func (t *tracer) TraceEvent(e topdown.Event) {
	switch node := e.Node.(type) {
	case *ast.Rule:
		t.onRule(&e, node)
	case *ast.Expr:
		if e.Op == topdown.FailOp && node.Location != nil && len(node.Location.Text) > 0 {
			about := t.about(&e)
			// What a library does with the package as a whole tells nothing.
			if about == this || about == none && slices.Contains(t.files, node.Location.File) {
				t.step(node.Location, "stops", t.values(&e, node))
			}
		}
	}
}

func (t *tracer) onRule(e *topdown.Event, rule *ast.Rule) {
	if rule.Location == nil {
		return
	}
	isDecision := len(rule.Head.Ref()) > 0 && plain(rule.Head.Ref()[0].Value) == decisionsRule
	switch {
	case isDecision && e.Op == topdown.EnterOp:
		t.rule = fmt.Sprint(rule.Location.File, rule.Location.Row)
		t.step(rule.Location, "rule", nil)
	case e.Op != topdown.ExitOp || t.about(e) != this:
	case isDecision:
		t.step(rule.Location, "asks", nil)
	default:
		t.step(rule.Location, "holds", nil)
	}
}

func (t *tracer) step(at *ast.Location, op string, values []string) {
	t.add(TraceStep{Op: op, File: at.File, Line: at.Row, Text: oneLine(string(at.Text)), Values: values})
}

// add keeps a step once for each rule that is tried.
func (t *tracer) add(s TraceStep) {
	s.Policy = t.policy
	key := fmt.Sprint(t.rule, s)
	if t.seen[key] {
		return
	}
	t.seen[key] = true
	if len(t.out.Steps) == MaxTraceSteps {
		t.out.Left++
		return
	}
	t.out.Steps = append(t.out.Steps, s)
}

// What a step is about.
type aboutness int

const (
	none aboutness = iota // the package as a whole
	this
	another // another version
)

// about tells from the variables' values which version a step is about.
func (t *tracer) about(e *topdown.Event) aboutness {
	out := none
	note := func(is bool) {
		if is {
			out = this
		} else if out == none {
			out = another
		}
	}
	if e.Locals == nil {
		return none
	}
	e.Locals.Iter(func(k, v ast.Value) bool {
		switch v := v.(type) {
		case ast.Object:
			if id := v.Get(idTerm); id != nil && v.Get(rankTerm) != nil {
				note(plain(id.Value) == t.id)
			}
		case ast.String:
			if own, known := t.names[string(v)]; known {
				note(own)
			}
		case ast.Number:
			variable, _ := k.(ast.Var)
			if n, ok := v.Int(); ok && t.places[string(e.LocalMetadata[variable].Name)] {
				note(n == t.at)
			}
		}
		return false
	})
	return out
}

var idTerm, rankTerm = ast.StringTerm("id"), ast.StringTerm("rank")

// values are what an expression compared.
func (t *tracer) values(e *topdown.Event, expr *ast.Expr) []string {
	var out []string
	for _, o := range expr.Operands() {
		name := oneLine(termText(e, o))
		v := valueOf(e, o)
		if v == nil || name == "" || name == v.String() || strings.HasPrefix(name, "`") {
			continue
		}
		if text := v.String(); len(text) <= 120 {
			out = append(out, name+" = "+text)
		}
	}
	return out
}

// termText is how the author wrote a term.
func termText(e *topdown.Event, t *ast.Term) string {
	if v, ok := t.Value.(ast.Var); ok {
		if m, ok := e.LocalMetadata[v]; ok && !strings.HasPrefix(string(m.Name), "__local") {
			return string(m.Name)
		}
	}
	if t.Location != nil && len(t.Location.Text) > 0 {
		return string(t.Location.Text)
	}
	return ""
}

// valueOf is the scalar that a term stands for at an event, nil where it has none.
func valueOf(e *topdown.Event, t *ast.Term) ast.Value {
	v := t.Value
	if e.Locals != nil {
		if known := e.Locals.Get(v); known != nil {
			v = known
		}
		if ref, ok := v.(ast.Ref); ok {
			if head := e.Locals.Get(ref[0].Value); head != nil {
				found, err := head.Find(ref[1:])
				if err != nil {
					return nil
				}
				v = found
			}
		}
	}
	switch v.(type) {
	case ast.String, ast.Number, ast.Boolean, ast.Null:
		return v
	}
	return nil
}

// oneLine is a source text on one line, cut to what can be read.
func oneLine(s string) string {
	first, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	s = strings.Join(strings.Fields(first), " ")
	const most = 160
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	if more && !strings.HasSuffix(s, "{") {
		s += " …"
	}
	return s
}
