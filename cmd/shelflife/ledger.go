package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/report"
)

func (a *app) ledgerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "ledger",
		Short:   "Verify or export the record of everything that was done",
		Example: "  shelflife ledger verify\n  shelflife ledger export acme > acme.ndjson",
	}
	c.AddCommand(a.ledgerVerifyCommand(), a.ledgerExportCommand())
	return c
}

func (a *app) ledgerVerifyCommand() *cobra.Command {
	var expect, file string
	c := &cobra.Command{
		Use:   "verify [OWNER…]",
		Short: "Prove that the ledger is whole",
		Long: `Recompute the hash chain of each owner and check it against the runs, actions
and budgets: every outcome has its intent, every intent its run, every count its
actions. A broken ledger exits with 1 and names the first record that is wrong.

A chain can't show that its end was cut off. To find that out too, keep the head
that verify prints and give it back later with --expect.`,
		Example: `  shelflife ledger verify
  shelflife ledger verify acme --expect 9f2c…     the head that an earlier verify printed
  shelflife ledger verify --file export.ndjson    an export, without the state file`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if expect != "" && len(args) != 1 {
				return usagef("--expect goes with exactly one owner")
			}
			if file != "" {
				return a.verifyFile(file)
			}
			s, err := a.open()
			if err != nil {
				return err
			}
			defer s.close()
			return s.verifyLedger(c.Context(), args, expect)
		},
	}
	c.Flags().StringVar(&expect, "expect", "", "head hash that the chain must contain as its end")
	c.Flags().StringVar(&file, "file", "", "verify an export instead of the state file")
	return c
}

func (s *session) verifyLedger(ctx context.Context, owners []string, expect string) error {
	if len(owners) == 0 {
		var err error
		if owners, err = s.ledger.Owners(ctx); err != nil {
			return err
		}
	}
	view, broken := report.Verifications{}, false
	for _, o := range owners {
		v, err := s.ledger.Verify(ctx, o)
		if err == nil && v.Records == 0 {
			return noRecords(o)
		}
		if err == nil && expect != "" {
			_, err = s.ledger.VerifyExpect(ctx, o, expect)
		}
		row := verification(o, v)
		if b, ok := errors.AsType[*ledger.BrokenError](err); ok {
			row.Broken, broken = b.Error(), true
		} else if err != nil {
			return err
		}
		view = append(view, row)
	}
	if err := s.show(view); err != nil {
		return err
	}
	if broken {
		return silent(exitFailed)
	}
	return nil
}

// noRecords is no proof of anything: nothing was done, or another state file
// or owner is meant.
func noRecords(owner string) error {
	return fmt.Errorf("the ledger holds nothing of %s; check the name and the state file (--state)", owner)
}

func verification(owner string, v ledger.Verification) report.Verification {
	return report.Verification{Owner: owner, Records: int(v.Records), Runs: v.Runs, Actions: v.Actions, Open: v.Open, Head: v.Head}
}

func (a *app) verifyFile(path string) error {
	f, err := a.openFile("export", path)
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := ledger.VerifyExport(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.show(report.Verifications{verification(v.Owner, v)})
}

func (a *app) ledgerExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "export OWNER",
		Short:   "Write an owner's records as NDJSON, oldest first",
		Example: "  shelflife ledger export acme > acme.ndjson && shelflife ledger verify --file acme.ndjson",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open()
			if err != nil {
				return err
			}
			defer s.close()
			if v, err := s.ledger.Verify(c.Context(), args[0]); err == nil && v.Records == 0 {
				return noRecords(args[0])
			}
			return s.ledger.Export(c.Context(), args[0], a.out) // a broken ledger too: that is when it is needed
		},
	}
}
