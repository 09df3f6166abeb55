package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/report"
)

func (a *app) queryCommand() *cobra.Command {
	var live bool
	c := &cobra.Command{
		Use:   `query "SELECT …"`,
		Short: "Ask the snapshot and the ledger in SQL, read-only",
		Long: `Read-only SQL (SQLite) over the last snapshot and the ledger.

  org_packages      id, name, updated_at, package_type, created_at, version_count, owner, repository,
                    html_url, url, visibility
  package_versions  id, owner, package_type, package, name, state, tags, created_at, updated_at, deleted_at,
                    html_url, license, description, kind, media_type, …
  decisions         what each rule said of each version, plan by plan
  actions, runs     what was done

Snapshots are taken by plan, run and inventory pull; --live takes one first.`,
		Example: `  shelflife query "SELECT name, version_count FROM org_packages ORDER BY version_count DESC LIMIT 10"
  shelflife query --live "SELECT package, count(*) FROM package_versions WHERE tags = '[]' GROUP BY package"
  shelflife query "SELECT policy, count(*) FROM decisions WHERE action = 'delete' GROUP BY policy" --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open()
			if err != nil {
				return err
			}
			defer s.close()
			if live {
				if err := s.pull(c.Context(), nil, nil); err != nil {
					return err
				}
			}
			rows, err := s.db.Query(c.Context(), strings.TrimSpace(args[0]))
			if err != nil {
				return usage(err)
			}
			return s.show(report.Rows{Columns: rows.Columns, Rows: rows.Values})
		},
	}
	c.Flags().BoolVar(&live, "live", false, "take a snapshot of the configured owners first")
	return c
}
