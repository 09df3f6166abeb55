package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// refusal is a family of builtins that would make the same document give
// different answers, reach out of the evaluation, or not let it be stopped.
type refusal struct {
	prefix string
	why    string
}

// refusals hold whatever capabilities.json says: the file can take more away
// but cannot give these back.
var refusals = []refusal{
	{"http.", noNetwork},
	{"net.lookup_ip_addr", noNetwork},
	{"json.match_schema", noNetwork}, // a schema may refer to another one by its address
	{"json.verify_schema", noNetwork},
	{"time.now_ns", "a policy sees no clock; ages are in the input and input.evaluated_at is the instant of the run"},
	{"rand.", noRandomness},
	{"uuid.rfc4122", noRandomness},
	{"opa.runtime", "a policy sees no environment; give it parameters or a data document instead"},
	{"io.jwt.", noSecrets},
	{"providers.", noSecrets},
	{"bits.lsh", noEnd},
	{"strings.render_template", noEnd},
	{"graph.reachable_paths", noEnd},
	{"trace", "it does nothing outside a tracer; use print in tests"},
}

const (
	noNetwork    = "a policy sees no network; whatever it needs to know belongs into the input or a data document"
	noRandomness = "a policy sees no randomness; the same document must give the same decisions for ever"
	noEnd        = "its work can outgrow every bound and the time limit cannot stop it half-way"
	noSecrets    = "a policy holds no keys and checks no tokens; whatever it needs to know belongs into the input"
)

func refusalOf(name string) (refusal, bool) {
	i := slices.IndexFunc(refusals, func(r refusal) bool {
		return r.prefix == name || strings.HasSuffix(r.prefix, ".") && strings.HasPrefix(name, r.prefix)
	})
	if i < 0 {
		return refusal{}, false
	}
	return refusals[i], true
}

// whyRefused says why a builtin of OPA is not among the policies' capabilities.
func whyRefused(name string) string {
	if r, ok := refusalOf(name); ok {
		return r.why
	}
	switch {
	case strings.HasPrefix(name, "net."):
		return noNetwork
	case strings.HasPrefix(name, "uuid."):
		return noRandomness
	case strings.HasPrefix(name, "crypto."):
		return noSecrets
	default:
		return "capabilities.json leaves it out; use what it lists"
	}
}

// readCapabilities reads capabilities.json and takes the refused builtins out.
func readCapabilities(text []byte) (*ast.Capabilities, error) {
	caps, err := ast.LoadCapabilitiesJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read capabilities: %w", err)
	}
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool {
		_, refused := refusalOf(b.Name)
		return refused
	})
	caps.AllowNet = []string{} // empty, not nil: no schema is ever fetched
	caps.WasmABIVersions = nil
	return caps, nil
}

// testCapabilities adds what the test runner itself calls.
func testCapabilities(caps *ast.Capabilities) *ast.Capabilities {
	out := *caps
	out.Builtins = slices.Clone(caps.Builtins)
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		switch b.Name {
		case "internal.test_case", "internal.print", "print":
			if !out.ContainsBuiltin(b.Name) {
				out.Builtins = append(out.Builtins, b)
			}
		}
	}
	return &out
}

func builtinNames(caps *ast.Capabilities) []string {
	names := make([]string, 0, len(caps.Builtins))
	for _, b := range caps.Builtins {
		names = append(names, b.Name)
	}
	return names
}
