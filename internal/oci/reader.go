package oci

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Result is what one reading of a package's manifests gave.
type Result struct {
	Nodes  []retention.Node // one for each active version, newest first; kind unknown where unread
	Unread []Unread         // why the graph is not whole; empty when it is
	// Broken names listed versions whose manifest the registry, shown to serve
	// other manifests of the package, does not have (github-facts 7.4: the
	// listing is stale). They are nodes of unknown kind: what they hold together
	// is not known, so they are no leave to delete what nothing else holds.
	Broken []string
	Calls  Calls
}

// Complete reports whether every manifest that was needed has been read.
func (r Result) Complete() bool { return len(r.Unread) == 0 }

// Unread says what could not be read, why, and what to do about it.
type Unread struct {
	Digest string // "" when it is not one manifest's failure
	Reason string
}

// Graph reads the manifests of the active versions of owner's container
// package name. Versions in another state protect nothing and are left out.
//
// The error is not nil only when the context has ended or the registry asks
// for a pause (Options.IsPause); what has been read until then is cached.
// Every other failure is in Result.Unread.
func (r *Reader) Graph(ctx context.Context, owner, name string, versions []retention.Version) (Result, error) {
	s := newSession(r, owner, name)
	s.admit(versions)
	if !repositoryName.MatchString(s.repo.name) || owner == "" {
		s.stop(fmt.Sprintf("%q is no repository name, so the registry was not asked", owner+"/"+name))
	}
	s.loadCached(ctx)
	s.fetchAll(ctx)
	s.checkMissing(ctx)
	s.flush(ctx)
	res := Result{Nodes: s.nodes(), Calls: s.calls.calls()}
	r.total.add(res.Calls)
	s.checkDepth()
	s.checkAllRead()
	for d, reason := range s.unread {
		res.Unread = append(res.Unread, Unread{Digest: d, Reason: reason})
	}
	slices.SortFunc(res.Unread, func(a, b Unread) int { return cmp.Compare(a.Digest, b.Digest) })
	for d := range s.broken {
		res.Broken = append(res.Broken, d)
	}
	slices.Sort(res.Broken)
	if err := ctx.Err(); err != nil {
		return res, fmt.Errorf("read manifests of %s: %w", s.repo.name, err)
	}
	if s.paused != nil {
		return res, fmt.Errorf("read manifests of %s: %w", s.repo.name, s.paused)
	}
	return res, nil
}

// Calls counts the requests of all readings that have ended.
func (r *Reader) Calls() Calls { return r.total.calls() }

// checkAllRead is the last line of defence: whatever went on before, a version
// about which nothing is known makes the package incomplete.
func (s *session) checkAllRead() {
	n := 0
	for _, v := range s.active {
		if s.pending(v.Name) {
			n++
		}
	}
	if n > 0 {
		why := s.halted
		if why == "" {
			why = "the reading ended early"
		}
		s.fail("", fmt.Sprintf("%d of %d manifests were not read: %s", n, len(s.active), why))
	} else if s.halted != "" {
		s.fail("", s.halted)
	}
}

// repositoryOf is the name that the registry knows the package by.
func repositoryOf(owner, name string) string { return strings.ToLower(owner + "/" + name) }
