package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// DefaultTimeLimit bounds one evaluation where Options name no limit.
const DefaultTimeLimit = 2 * time.Second

// Options say which policies are loaded and with what.
type Options struct {
	Builtin bool // the shipped policies
	// Bundle is an OPA bundle (a gzipped tar) in place of Builtin and Path. The same
	// holds for its policies as for those of a folder.
	Bundle []byte
	Key    VerificationKey // what Bundle has to be signed with
	Path   string          // a folder of the user's policies; "" for none. The shipped library is there for them
	Params Params          // overrides of the parameters' defaults
	Only   []string        // evaluate only these policies; nil for all
	// Compat names policies of the shipped compat folder to load besides. Those
	// that Only names are loaded without being named here.
	Compat []string
	// TimeLimit bounds one evaluation of one package; zero means DefaultTimeLimit.
	TimeLimit time.Duration
	Data      map[string]any // further documents below data, for example "deployed"
}

// Engine evaluates a loaded policy set. It is safe for concurrent use.
type Engine struct {
	policies  []Policy // those that are evaluated, by name
	all       []Policy // those that are loaded: others may refer to them
	compiler  *ast.Compiler
	layers    []layer
	data      map[string]any
	bundle    Bundle
	timeLimit time.Duration
	tracer    topdown.QueryTracer // nil but in tests, and so is printer
	printer   print.Hook

	mu       sync.Mutex
	programs map[string]*program // by the layers of parameters that hold

	source    *set // what was compiled
	watchOnce sync.Once
	watchSet  *watchedSet // nil until it is asked for
}

// Load reads, checks and compiles the policies. shipped is the folder of the
// shipped policies: the library, the schema and the capabilities come from there
// whether or not Options.Builtin asks for the policies. What is wrong with the
// policies or parameters is returned as Findings (errors.As). A bundle that is not
// signed by the key's holder down to the last file is ErrUnverified, an archive that
// is no plain bundle ErrBundleArchive.
func Load(ctx context.Context, shipped fs.FS, o Options) (*Engine, error) {
	f, err := filesOf(shipped, o)
	if err != nil {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	return load(ctx, f, o)
}

func filesOf(shipped fs.FS, o Options) (files, error) {
	if o.Bundle != nil {
		return readBundleFiles(shipped, o.Bundle, o.Key)
	}
	return readFiles(shipped, o)
}

func load(ctx context.Context, f files, o Options) (*Engine, error) {
	s, found, err := readSet(ctx, f.withoutTests(), o) // check and test read those
	if err != nil {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("load policies: %w", found)
	}
	compiler, _, found := s.compile(false)
	if len(found) > 0 {
		return nil, fmt.Errorf("load policies: %w", found)
	}
	bundle, err := newBundle(s.files, s.layers, o)
	if err != nil {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	e := &Engine{
		all: s.policies, compiler: compiler, layers: s.layers, data: s.data, bundle: bundle,
		timeLimit: o.TimeLimit, programs: map[string]*program{}, source: s,
	}
	if e.timeLimit <= 0 {
		e.timeLimit = DefaultTimeLimit
	}
	for _, p := range s.policies {
		if o.Only == nil || slices.Contains(o.Only, p.Name) {
			e.policies = append(e.policies, p)
		}
	}
	return e, nil
}

// Bundle identifies the loaded policies and their parameters.
func (e *Engine) Bundle() Bundle { return e.bundle }

// Policies returns the policies that are evaluated, by name.
func (e *Engine) Policies() []Policy { return slices.Clone(e.policies) }

// NeedsDeleted reports whether some policy may restore, so that deleted
// versions have to be listed.
func (e *Engine) NeedsDeleted() bool {
	return slices.ContainsFunc(e.policies, func(p Policy) bool { return p.CanRestore })
}

// Input returns the document that policies would see.
func (e *Engine) Input(req Request) any { return NewInput(req) }

// InputJSON returns the document that policies would see, for opa eval and opa test.
func (e *Engine) InputJSON(req Request) ([]byte, error) {
	text, err := json.Marshal(NewInput(req))
	if err != nil {
		return nil, fmt.Errorf("write the policy input of %s: %w", req.Inventory.Ref(), err)
	}
	return text, nil
}
