package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) versionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "versions",
		Short: "GitHub's version operations one by one: list, get, delete, restore",
		Long: `GitHub's own operations on versions, one by one, through the same pacing, guards
and ledger as everything else. A version is named by its id, name, digest or tag.`,
		Example: "  shelflife versions list acme/npm/widgets --state deleted\n  shelflife versions restore acme/npm/widgets@1.0.0-rc.1 --yes",
	}
	c.AddCommand(a.versionsListCommand(), a.versionsGetCommand(),
		a.versionsChange("delete", "Delete one version with all its tags; GitHub keeps it for 30 days", retention.Delete),
		a.versionsChange("restore", "Restore one deleted version", retention.Restore))
	return c
}

func (a *app) versionsListCommand() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use:     "list OWNER/TYPE/NAME",
		Short:   "List versions, active or deleted",
		Example: "  shelflife versions list acme/container/team/api\n  shelflife versions list acme/npm/widgets --state deleted",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			st := retention.State(state)
			if st != retention.Active && st != retention.Deleted {
				return usagef("--state %q: use active or deleted", state)
			}
			return a.operate(c.Context(), args[0], func(s *session, acc *access, t enforce.Target, ref reference) error {
				list, err := acc.planning.ListVersions(c.Context(), t.Owner, ref.Type, ref.Name, st)
				if err != nil {
					return err
				}
				if err := s.show(report.Versions{Package: ref.PackageRef, Versions: list.Items, Now: s.now()}); err != nil {
					return err
				}
				if !list.Complete {
					s.note("the list is not whole: %s", list.Shortfall)
					return silent(exitPartly)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&state, "state", "active", "active or deleted")
	return c
}

func (a *app) versionsGetCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "get OWNER/TYPE/NAME@VERSION",
		Short:   "Show one version",
		Example: "  shelflife versions get acme/container/team/api@latest --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), args[0], func(s *session, acc *access, t enforce.Target, ref reference) error {
				id, err := acc.find(c.Context(), t.Owner, ref, retention.Active)
				if err != nil {
					return err
				}
				v, err := acc.planning.GetVersion(c.Context(), t.Owner, ref.Type, ref.Name, id)
				if err != nil {
					return err
				}
				return s.show(report.Versions{Package: ref.PackageRef, Versions: []retention.Version{v}, Now: s.now()})
			})
		},
	}
}

func (a *app) versionsChange(verb, short string, action retention.Action) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     verb + " OWNER/TYPE/NAME@VERSION",
		Short:   short,
		Example: "  shelflife versions " + verb + " acme/npm/widgets@1.0.0-rc.1 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), args[0], func(s *session, acc *access, t enforce.Target, ref reference) error {
				state := retention.Active
				if action == retention.Restore {
					state = retention.Deleted
				}
				id, err := acc.find(c.Context(), t.Owner, ref, state)
				if err != nil {
					return err
				}
				return s.byHand(c.Context(), t, ref, enforce.ByHand{Action: action, Target: retention.TargetVersion, Version: id}, yes)
			})
		},
	}
	yesFlag(c, &yes)
	return c
}

// find resolves what a person wrote for a version. A tag or name wins over an
// id, since tags may be numbers; several matches are an error.
func (acc *access) find(ctx context.Context, owner retention.Owner, ref reference, state retention.State) (retention.ID, error) {
	if ref.version == "" {
		return 0, usagef("%s names no version: write %[1]s@VERSION", ref.PackageRef)
	}
	list, err := acc.planning.ListVersions(ctx, owner, ref.Type, ref.Name, state)
	if err != nil {
		return 0, err
	}
	var ids []retention.ID
	for _, v := range list.Items {
		if v.Name == ref.version || slices.Contains(v.Tags, ref.version) || slices.Contains(v.Referrers, ref.version) {
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 && list.Complete { // it could be a tag on a part that was not read
		for _, v := range list.Items {
			if v.ID.String() == ref.version {
				ids = append(ids, v.ID)
			}
		}
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) > 1:
		return 0, fmt.Errorf("%s@%s is ambiguous: it names the versions %v; use an id", ref.PackageRef, ref.version, ids)
	case !list.Complete:
		return 0, fmt.Errorf("%s@%s was not found, but the list is not whole: %s", ref.PackageRef, ref.version, list.Shortfall)
	}
	return 0, fmt.Errorf("%s has no %s version %q; look with shelflife versions list %[1]s --state %[2]s", ref.PackageRef, state, ref.version)
}
