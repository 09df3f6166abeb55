package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/config"
	"github.com/shelflife-dev/shelflife/internal/gcpace"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/report"
)

// diffFlags say what policy diff compares, beside its arguments.
type diffFlags struct {
	previewFlags
	base   string
	path   string
	owners []string
}

func (a *app) policyDiffCommand() *cobra.Command {
	var f diffFlags
	c := &cobra.Command{
		Use:   "diff [A B]",
		Short: "Show what changes between two policy sets, over a snapshot",
		Long: `Judge every package of the snapshot with two policy sets at the same instant and
show what changes: which deletes are added and removed, which are by another rule,
and why. Keeps, the reference closure and every other guard on a package apply on
both sides; the budgets of a run, which only spread deletes over time, do not.

A and B are each a folder, builtin, a bundle's file, or a git revision
(git:REVISION where a folder has the same name). --base REV compares what is
configured here with what was configured at that revision: its configuration
file, policies and data document, as far as they are in the repository.

Exits with 3 when deletes are added, so that a pipeline can ask for a review.`,
		Example: `  shelflife policy diff --base main
  shelflife policy diff builtin ./policies --owner acme
  shelflife policy diff --base origin/main --inventory inventory.ndjson --format markdown
  shelflife policy diff v1.2 v1.3 --as-of 2027-01-01`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return a.policyDiff(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.base, "base", "", "git revision to compare what is configured here with")
	c.Flags().StringVar(&f.path, "path", "", "folder of policies (default: what the configuration names)")
	c.Flags().StringSliceVar(&f.owners, "owner", nil, "only this owner's packages; may be repeated (default: all)")
	f.flags(c)
	return c
}

func (a *app) policyDiff(ctx context.Context, args []string, f diffFlags) error {
	if (f.base == "") != (len(args) == 2) || f.base != "" && len(args) > 0 {
		return usagef("name the two policy sets (shelflife policy diff A B), or --base REVISION alone")
	}
	return a.preview(ctx, f.owners, f.previewFlags, func(p previewed) error {
		tmp, err := os.MkdirTemp("", "shelflife-diff-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(tmp) }() // a leftover there harms nobody
		s := &sides{app: a, cfg: p.cfg, path: f.path, tmp: tmp}
		one, other, err := s.both(ctx, args, f.base)
		if err != nil {
			return err
		}
		d, err := preview.Compare(ctx, preview.DiffRequest{
			A: one, B: other, Owners: p.owners, EvaluatedAt: p.at, Match: p.match, Progress: p.progress,
		})
		if err != nil {
			return err
		}
		d.Notes = s.notes
		if err := a.show(report.Diff{Diff: d}); err != nil {
			return err
		}
		return diffCode(d)
	})
}

func (s *sides) both(ctx context.Context, args []string, base string) (one, other preview.Side, err error) {
	if base != "" {
		if one, err = s.revision(ctx, base); err != nil {
			return one, other, err
		}
		other, err = s.configured(ctx)
		return one, other, err
	}
	if one, err = s.named(ctx, args[0]); err != nil {
		return one, other, err
	}
	other, err = s.named(ctx, args[1])
	return one, other, err
}

// diffCode is 3 when deletes are added, or else 5 when B could not answer
// everywhere: what it would do there is not known.
func diffCode(d preview.Diff) error {
	if d.AddsDeletes() {
		return silent(exitActions)
	}
	for _, p := range d.Problems {
		if p.Side == "b" {
			return silent(exitPartly)
		}
	}
	return nil
}

// previewFlags say over what a preview looks.
type previewFlags struct {
	inventory string
	packages  string
	asOf      string
	live      bool
}

func (f *previewFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.inventory, "inventory", "", "look at this file of shelflife inventory export instead of the state file")
	c.Flags().BoolVar(&f.live, "live", false, "take a snapshot of the owners first")
	c.Flags().StringVar(&f.packages, "packages", "", "only packages whose full name matches this glob")
	c.Flags().StringVar(&f.asOf, "as-of", "", "decide as if it were this time (2027-01-01 or RFC 3339; default now)")
}

// previewed is what a preview works with.
type previewed struct {
	cfg      config.Config
	owners   []preview.Owner
	at       time.Time
	match    func(string) bool
	progress *report.Progress
	session  *session // nil where an inventory file stands in for the state
}

// previewHeap is what the heap of a preview may grow to before garbage is
// collected, in bytes: well below the 512 MB that one may take, and more than a
// sweep's, since it judges a million versions in a go.
const previewHeap = 256 << 20

// preview opens what a preview looks at and closes it again.
func (a *app) preview(ctx context.Context, owners []string, f previewFlags, do func(previewed) error) (err error) {
	defer gcpace.Keep(gcpace.Keep(previewHeap))
	at, err := parseTime(f.asOf)
	if err != nil {
		return usage(err)
	}
	match, err := matchGlob(f.packages)
	if err != nil {
		return err
	}
	if f.inventory != "" {
		if f.live {
			return usagef("--live reads a new snapshot, and --inventory looks at a file: say one of the two")
		}
		return a.previewFile(ctx, owners, f, at, match, do)
	}
	s, err := a.open(owners...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if f.live {
		if err := s.pull(ctx, owners, match); err != nil {
			return err
		}
	}
	p := previewed{cfg: s.cfg, at: at, match: match, progress: s.progress, session: s}
	if p.at.IsZero() {
		p.at = s.now()
	}
	if p.owners, err = s.previewOwners(ctx, owners, p.at); err != nil {
		return err
	}
	return do(p)
}
