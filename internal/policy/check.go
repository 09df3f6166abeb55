package policy

import (
	"context"
	"errors"
	"io/fs"
)

// Check reports everything that is wrong with a policy set, its tests and its
// parameters, sorted by place; nothing means that Load would take it. It
// evaluates nothing.
func Check(ctx context.Context, shipped fs.FS, o Options) []Finding {
	f, err := filesOf(shipped, o)
	if found, ok := errors.AsType[Findings](err); ok {
		return found
	}
	if err != nil {
		return Findings{{Message: err.Error()}}
	}
	return check(ctx, f, o)
}

func check(ctx context.Context, f files, o Options) []Finding {
	s, found, err := readSet(ctx, f, o)
	if err != nil {
		return append(found, Finding{Message: err.Error()})
	}
	if !s.parsed() {
		return found
	}
	// The policies by themselves first: a test could define what they lack.
	_, _, problems := s.compile(false)
	if len(problems) == 0 {
		_, _, problems = s.compile(true)
	}
	return append(found, problems...).sorted()
}

// parsed reports whether every file could be read as Rego.
func (s *set) parsed() bool {
	for _, src := range s.files.sources {
		if src.module == nil {
			return false
		}
	}
	return true
}
