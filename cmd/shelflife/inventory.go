package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/harmless"
	"github.com/shelflife-dev/shelflife/internal/inventory"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) inventoryCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "inventory",
		Short:   "Take and export snapshots of what is on GitHub",
		Example: "  shelflife inventory pull acme\n  shelflife inventory export acme > inventory.ndjson",
	}
	c.AddCommand(a.inventoryPullCommand(), a.inventoryExportCommand())
	return c
}

func (a *app) inventoryPullCommand() *cobra.Command {
	var glob string
	c := &cobra.Command{
		Use:     "pull [OWNER…]",
		Short:   "Read packages whole and keep a snapshot for query, plan --offline and export",
		Example: "  shelflife inventory pull acme\n  shelflife inventory pull --packages 'team/**'",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(args...)
			if err != nil {
				return err
			}
			defer s.close()
			match, err := matchGlob(glob)
			if err != nil {
				return err
			}
			return s.pull(c.Context(), args, match)
		},
	}
	c.Flags().StringVar(&glob, "packages", "", "only packages whose full name matches this glob")
	return c
}

// pull reads the owners' packages, deleted versions included, and keeps them. It
// goes on past packages that can't be read whole, and says so in the end.
func (s *session) pull(ctx context.Context, owners []string, match func(string) bool) error {
	targets, err := s.targets(ctx, owners)
	if err != nil {
		return err
	}
	partial := 0
	for _, t := range targets {
		listing, err := t.Reader.List(ctx, t.Owner, t.Types)
		if err != nil {
			return err
		}
		for _, p := range listing.Problems {
			s.note("%s: %s", t.Owner.Login, p.Detail)
			partial++
		}
		var versions, unread atomic.Int64
		s.progress.Start("reading "+t.Owner.Login, len(listing.Packages))
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(4)
		n := 0
		for _, p := range listing.Packages {
			if !t.Match(p.Name) || (match != nil && !match(p.Name)) {
				s.progress.Add(1)
				continue
			}
			n++
			g.Go(func() error {
				defer s.progress.Add(1)
				inv, err := t.Reader.Read(gctx, t.Owner, p, inventory.Options{Deleted: true, Fresh: true})
				if err != nil {
					return err
				}
				versions.Add(int64(len(inv.Versions)))
				if !inv.Complete {
					unread.Add(1)
					for _, p := range inv.Problems {
						s.note("%s: %s", p.Package, p.Detail)
					}
				}
				return nil
			})
		}
		err = g.Wait()
		s.progress.Done()
		if err != nil {
			return err
		}
		s.note("%s: %s with %s in the snapshot", t.Owner.Login, plural(n-int(unread.Load()), "package"), plural(int(versions.Load()), "version"))
		partial += int(unread.Load())
	}
	if partial > 0 {
		return silent(exitPartly)
	}
	return nil
}

func (a *app) inventoryExportCommand() *cobra.Command {
	var inputs, asOf string
	c := &cobra.Command{
		Use:   "export [OWNER…]",
		Short: "Write the snapshot as NDJSON, or as policy input documents",
		Long: `Write the last snapshot to stdout, one package a line.

With --inputs DIR it writes instead one file per package, the very document that
policies see, for the stock opa eval and opa test.`,
		Example: `  shelflife inventory export acme > inventory.ndjson
  shelflife inventory export acme --inputs inputs/
  opa eval -d policies -i inputs/acme/container/team%2Fapi.json data.retention.expire_untagged.decisions`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(args...)
			if err != nil {
				return err
			}
			defer s.close()
			at, err := parseTime(asOf)
			if err != nil {
				return usage(err)
			}
			if at.IsZero() {
				at = s.now()
			}
			owners, err := s.owners(args)
			if err != nil {
				return err
			}
			for _, o := range owners {
				if err := s.export(c.Context(), bound(o), inputs, at); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&inputs, "inputs", "", "folder to write policy input documents to")
	c.Flags().StringVar(&asOf, "as-of", "", "measure ages in the input documents from this time (default now)")
	return c
}

func (s *session) export(ctx context.Context, owner retention.Owner, dir string, at time.Time) error {
	if err := s.hasSnapshot(ctx, owner.Login); err != nil {
		return err
	}
	n := 0
	enc := json.NewEncoder(harmless.NewJSON(s.out))
	enc.SetEscapeHTML(false)
	for inv, err := range s.db.Snapshots(ctx, owner.Login) {
		if err != nil {
			return err
		}
		n++
		if dir == "" {
			if err := enc.Encode(inv); err != nil {
				return err
			}
			continue
		}
		doc, err := json.MarshalIndent(policy.NewInput(policy.Request{Inventory: inv, EvaluatedAt: at, Trigger: retention.Trigger{Kind: retention.TriggerCLI}}), "", "  ")
		if err != nil {
			return err
		}
		name := strings.NewReplacer("%", "%25", "/", "%2F", "\\", "%5C").Replace(inv.Package.Name)
		path := filepath.Join(dir, inv.Owner.Login, string(inv.Package.Type), name+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if err := os.WriteFile(path, append(doc, '\n'), 0o644); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	if dir != "" {
		s.note("%s of %s in %s", plural(n, "input document"), owner.Login, dir)
	}
	return nil
}
