// Package policyset loads the policies that a configuration asks for, with its
// parameters and data. The command line and the enforcer function load them in
// the same way, so that both give the same digests.
//
// It makes no call and decides nothing.
package policyset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

// ErrBundle says that the configuration asks for a bundle, which is opened
// elsewhere.
var ErrBundle = errors.New("policies.bundle is not supported here; use policies.path")

// Load loads and checks the configured policies with their parameters and data.
func Load(ctx context.Context, c config.Config) (*policy.Engine, error) {
	if c.Policies.Bundle != "" {
		return nil, fmt.Errorf("%s: %w", c.File, ErrBundle)
	}
	data, err := Data(c.Policies.Data)
	if err != nil {
		return nil, err
	}
	return policy.Load(ctx, policies.FS, policy.Options{
		Builtin: c.Policies.Builtin, Path: c.Policies.Path, Only: c.Policies.Only, Params: Params(c), Data: data,
	})
}

// Data reads the document of policies.data, JSON or YAML; path "" is none.
func Data(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read policies.data: %w", err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("read policies.data: %s: %w", filepath.Base(path), err)
	}
	j, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("read policies.data: %w", err)
	}
	var plain map[string]any // as JSON has it: numbers are float64
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
