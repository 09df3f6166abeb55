// Package policyset loads the policies that a configuration asks for, with its
// parameters and data. The command line and the enforcer function load them in
// the same way, so that both give the same digests.
//
// It decides nothing, and makes no call but for a bundle that is published elsewhere.
package policyset

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/bounded"
	"github.com/shelflife-dev/shelflife/internal/bundles"
	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/policybundle"
	"github.com/shelflife-dev/shelflife/policies"
)

// MaxDataBytes bounds the document of policies.data.
const MaxDataBytes = 16 << 20

// Options say what is loaded, with parameters and data but without the bundle.
func Options(c config.Config) (policy.Options, error) {
	data, err := Data(c.Policies.Data)
	return policy.Options{
		Builtin: c.Policies.Builtin, Path: c.Policies.Path, Only: c.Policies.Only, Params: Params(c), Data: data,
	}, err
}

// Load loads and checks the configured policies with their parameters and data. A
// bundle comes from where it is published, or is the last good one; the status says
// which. Errors are those of policybundle and policy.Load.
func Load(ctx context.Context, c config.Config, from policybundle.Sources) (*policy.Engine, bundles.Status, error) {
	o, err := Options(c)
	if err != nil {
		return nil, bundles.Status{}, err
	}
	o, status, err := from.Options(ctx, c.Policies, o)
	if err != nil {
		return nil, status, err
	}
	engine, err := policy.Load(ctx, policies.FS, o)
	return engine, status, err
}

// Data reads the document of policies.data, JSON or YAML; path "" is none.
func Data(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	b, err := bounded.ReadFile(path, MaxDataBytes)
	if err != nil {
		return nil, fmt.Errorf("read policies.data: %w", err)
	}
	doc, err := Document(b)
	if err != nil {
		return nil, fmt.Errorf("read policies.data: %s: %w", filepath.Base(path), err)
	}
	if doc == nil {
		return nil, nil
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read policies.data: %s is no object of documents by name", filepath.Base(path))
	}
	return object, nil
}

// Document reads one document, JSON or YAML, into the types that JSON has, whatever
// YAML would make of it. An empty text is nil. It has to be bounded by the caller;
// what its aliases make of it is bounded here.
func Document(text []byte) (any, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if err := config.CheckExpanded(&node); err != nil {
		return nil, err
	}
	var doc any
	if err := node.Decode(&doc); err != nil {
		return nil, err
	}
	j, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var plain any
	err = json.Unmarshal(j, &plain)
	return plain, err
}

// Params are the configured parameters in the form that the engine takes.
func Params(c config.Config) policy.Params {
	p := policy.Params{All: policy.Values(c.Params), Owners: map[string]policy.OwnerParams{}}
	for _, o := range c.Owners {
		op := policy.OwnerParams{All: policy.Values(o.Params)}
		for _, pp := range o.PackageParams {
			op.Packages = append(op.Packages, policy.PackageParams{Glob: pp.Packages, Values: policy.Values(pp.Params)})
		}
		p.Owners[o.Login] = op
	}
	return p
}

// Bundle identifies the loaded policies in plans.
func Bundle(e *policy.Engine) guard.Bundle {
	b := e.Bundle()
	return guard.Bundle{Revision: b.Revision, Digest: b.Digest, ParamsDigest: b.ParamsDigest}
}
