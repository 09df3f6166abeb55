package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/packages"
	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func (a *app) packagesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "packages",
		Short: "GitHub's package operations one by one: list, get, delete, restore",
		Long: `GitHub's own operations on packages of an organization, a user, or @me, one by
one, through the same pacing, guards and ledger as everything else.`,
		Example: "  shelflife packages list acme\n  shelflife packages delete acme/npm/widgets --yes",
	}
	c.AddCommand(a.packagesListCommand(), a.packagesGetCommand(),
		a.packagesChange("delete", "Delete a whole package; GitHub keeps it for 30 days", retention.Delete),
		a.packagesChange("restore", "Restore a deleted package", retention.Restore))
	return c
}

func (a *app) packagesListCommand() *cobra.Command {
	var typ, visibility string
	var conflicts bool
	c := &cobra.Command{
		Use:   "list OWNER",
		Short: "List packages with all their fields",
		Example: `  shelflife packages list acme
  shelflife packages list acme --type container --visibility private --format json
  shelflife packages list @me
  shelflife packages list acme --conflicts`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if conflicts {
				if typ != "" || visibility != "" {
					return usagef("--conflicts takes neither --type nor --visibility")
				}
				return a.listConflicts(c, args[0])
			}
			types := retention.PackageTypes()
			if typ != "" {
				types = []retention.PackageType{retention.PackageType(typ)}
				if !types[0].Valid() {
					return usagef("--type %q: use one of %s", typ, typeNames())
				}
			}
			if visibility != "" && !slices.Contains([]string{"public", "private", "internal"}, visibility) {
				return usagef("--visibility %q: use public, private or internal", visibility)
			}
			return a.listPackages(c, args[0], types, visibility)
		},
	}
	c.Flags().StringVar(&typ, "type", "", "only this type: container, npm, maven, nuget, rubygems, docker")
	c.Flags().StringVar(&visibility, "visibility", "", "only this visibility: public, private, internal")
	c.Flags().BoolVar(&conflicts, "conflicts", false, "legacy Docker packages that could not be migrated to ghcr.io for a conflict")
	return c
}

// reading connects to the owner that stands on the command line.
func (a *app) reading(c *cobra.Command, login string, do func(*session, *access) error) error {
	s, err := a.open(login)
	if err != nil {
		return err
	}
	defer s.close()
	owners, err := s.owners([]string{login})
	if err != nil {
		return err
	}
	acc, err := s.connect(c.Context(), owners[0])
	if err != nil {
		return err
	}
	return do(s, acc)
}

func (a *app) listConflicts(c *cobra.Command, login string) error {
	return a.reading(c, login, func(s *session, acc *access) error {
		found, err := acc.planning.DockerConflicts(c.Context(), acc.owner)
		if err != nil {
			return err
		}
		var view report.Packages
		for _, p := range found {
			view = append(view, report.Package{Owner: acc.owner.Login, Package: p})
		}
		if len(view) == 0 {
			s.note("%s has no Docker package in conflict", acc.owner.Login)
		}
		return s.show(view)
	})
}

func (a *app) listPackages(c *cobra.Command, login string, types []retention.PackageType, visibility string) error {
	return a.reading(c, login, func(s *session, acc *access) error {
		return s.listPackages(c, acc, types, visibility)
	})
}

func (s *session) listPackages(c *cobra.Command, acc *access, types []retention.PackageType, visibility string) error {
	var view report.Packages
	partial := false
	for _, t := range types {
		list, err := acc.planning.ListPackages(c.Context(), acc.owner, packages.Query{Type: t, Visibility: visibility})
		if err != nil {
			return err
		}
		if !list.Complete {
			s.note("the listing of %s packages is not whole: %s", t, list.Shortfall)
			partial = true
		}
		slices.SortFunc(list.Items, func(x, y retention.Package) int { return cmp.Compare(x.Name, y.Name) })
		for _, p := range list.Items {
			view = append(view, report.Package{Owner: acc.owner.Login, Package: p})
		}
	}
	if err := s.show(view); err != nil {
		return err
	}
	if partial {
		return silent(exitPartly)
	}
	return nil
}

func (a *app) packagesGetCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "get OWNER/TYPE/NAME",
		Short:   "Show one package",
		Example: "  shelflife packages get acme/container/team/api --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), args[0], func(s *session, acc *access, t enforce.Target, ref reference) error {
				if ref.version != "" {
					return usagef("%s names a version; use shelflife versions get", args[0])
				}
				p, err := acc.planning.GetPackage(c.Context(), t.Owner, ref.Type, ref.Name)
				if err != nil {
					return err
				}
				return s.show(report.Packages{{Owner: t.Owner.Login, Package: p}})
			})
		},
	}
}

func (a *app) packagesChange(verb, short string, action retention.Action) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     verb + " OWNER/TYPE/NAME",
		Short:   short,
		Example: "  shelflife packages " + verb + " acme/npm/widgets --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c.Context(), args[0], func(s *session, acc *access, t enforce.Target, ref reference) error {
				if ref.version != "" {
					return usagef("%s names a version; use shelflife versions %s", args[0], verb)
				}
				if action == retention.Restore {
					_, err := acc.planning.GetPackage(c.Context(), t.Owner, ref.Type, ref.Name)
					if err == nil {
						return fmt.Errorf("%s is there: there is nothing to restore; for its versions use shelflife versions restore", ref.PackageRef)
					}
					if !packages.IsNotFound(err) {
						return err
					}
				}
				return s.byHand(c.Context(), t, ref, enforce.ByHand{Action: action, Target: retention.TargetPackage}, yes)
			})
		},
	}
	yesFlag(c, &yes)
	return c
}
