package policycase

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
)

// Options say which tests are run and on what.
type Options struct {
	policy.TestOptions // Also is set by Test
	// Config reads the policy options of a configuration file, for the cases that
	// name one.
	Config func(path string) (policy.Options, error)
}

// Test runs the unit tests and the cases of a policy set, and counts the rules
// that either of them reached.
func Test(ctx context.Context, shipped fs.FS, o Options) (policy.TestReport, error) {
	chosen, err := regexp.Compile(o.Run)
	if err != nil {
		return policy.TestReport{}, fmt.Errorf("choose tests: %w", err)
	}
	all, err := o.find(shipped)
	if err != nil {
		return policy.TestReport{}, fmt.Errorf("test policies: %w", err)
	}
	r := &runner{shipped: shipped, options: o, chosen: chosen, configs: map[string]configured{}}
	if o.Path != "" && !o.Builtin && !all.rego && len(all.cases) > 0 {
		// Cases about the shipped policies, with nothing of its own to cover.
		results, err := r.run(ctx, nil, all.cases)
		return policy.TestReport{Results: results}, err
	}
	o.Also = func(ctx context.Context, e *policy.Engine) ([]policy.TestResult, error) {
		return r.run(ctx, e, all.cases)
	}
	return policy.Test(ctx, shipped, o.TestOptions)
}

// find reads the case files of the policy set.
func (o Options) find(shipped fs.FS) (found, error) {
	var all found
	if o.Builtin {
		builtin, err := find(shipped, "builtin", "", func(name string) bool { return !strings.HasPrefix(name, "compat/") })
		if err != nil {
			return found{}, err
		}
		all.cases = builtin.cases
	}
	if o.Path != "" {
		user, err := inFolder(o.Path)
		if err != nil {
			return found{}, err
		}
		all.cases, all.rego = append(all.cases, user.cases...), user.rego
	}
	return all, nil
}

// runner runs cases.
type runner struct {
	shipped fs.FS
	options Options
	chosen  *regexp.Regexp
	wide    *policy.Engine        // with the shipped policies; made when a case needs it
	configs map[string]configured // by the place of the configuration
}

func (r *runner) run(ctx context.Context, own *policy.Engine, sources []source) ([]policy.TestResult, error) {
	var out []policy.TestResult
	for _, s := range sources {
		f, err := read(s.shown, s.text)
		if err != nil {
			return nil, err
		}
		for i := range f.Cases {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("test policies: %w", err)
			}
			c := &f.Cases[i]
			result := policy.TestResult{Package: packageOf(s), Name: c.Name, File: s.shown, Line: c.line, Outcome: policy.TestPassed}
			if !r.chosen.MatchString(result.Package + "." + c.Name) {
				continue
			}
			begun := time.Now()
			var printed strings.Builder
			problems, err := r.runCase(ctx, own, s, f, c, func(place, text string) { fmt.Fprintf(&printed, "%s: %s\n", place, text) })
			result.Output = printed.String()
			result.Duration = time.Since(begun)
			switch {
			case ctx.Err() != nil:
				return nil, fmt.Errorf("test policies: %w", ctx.Err())
			case err != nil:
				result.Outcome, result.Detail = policy.TestErrored, err.Error()
			case len(problems) > 0:
				result.Outcome, result.Detail = policy.TestFailed, strings.Join(problems, "\n")
			}
			out = append(out, result)
		}
	}
	return out, nil
}

// packageOf is what the results of a case file are listed under: the package
// that its folder is named like, as the policies' own folders are.
func packageOf(s source) string {
	return "data.retention." + path.Base(path.Dir(s.shown))
}

func (r *runner) runCase(ctx context.Context, own *policy.Engine, s source, f *File, c *caseSpec, say func(place, text string)) ([]string, error) {
	w, err := build(f, c)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", s.shown, err)
	}
	engine, err := r.engine(ctx, own, s, f, c, say)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", s.shown, c.line, err)
	}
	judgement, err := engine.Decide(ctx, w.req)
	if err != nil {
		return nil, err
	}
	d := differ{file: s.shown, world: w}
	d.decisions(c, judgement.Decisions)
	d.failures(c, judgement.Failures)
	if c.Outcome != nil {
		items, err := outcome(ctx, engine, w, judgement, c)
		if err != nil {
			return nil, err
		}
		d.outcome(c, items)
	}
	return d.problems, nil
}
