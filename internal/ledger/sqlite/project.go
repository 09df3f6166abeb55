package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// project writes a snapshot's rows of org_packages and package_versions. A
// package that is gone has none: GitHub's listing would not have it either.
func project(ctx context.Context, tx *sql.Tx, inv retention.Inventory) error {
	p := inv.Package
	if p.State == retention.Deleted {
		return nil
	}
	var repository any
	if p.Repository != nil {
		repository = p.Repository.FullName
	}
	err := insert(ctx, tx, `INSERT INTO org_packages (id, name, updated_at, package_type, created_at, version_count, owner,
		repository, html_url, url, visibility) VALUES `, [][]any{{
		int64(p.ID), p.Name, github(p.UpdatedAt), string(p.Type), github(p.CreatedAt), p.VersionCount, inv.Owner.Login,
		repository, p.HTMLURL, p.URL, p.Visibility,
	}})
	if err != nil {
		return fmt.Errorf("write org_packages: %w", err)
	}
	rows := make([][]any, 0, len(inv.Versions))
	for _, v := range inv.Versions {
		row, err := versionRow(inv, v)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	err = insert(ctx, tx, `INSERT INTO package_versions (id, owner, package_type, package, name, state, tags, created_at, updated_at,
		deleted_at, html_url, license, description, referrer_tags, kind, media_type, artifact_type, platform, size_bytes, subject,
		deleted_run) VALUES `, rows)
	if err != nil {
		return fmt.Errorf("write package_versions: %w", err)
	}
	return nil
}

func versionRow(inv retention.Inventory, v retention.Version) ([]any, error) {
	tags, err := jsonList(v.Tags)
	if err != nil {
		return nil, err
	}
	referrers, err := jsonList(v.Referrers)
	if err != nil {
		return nil, err
	}
	row := []any{
		int64(v.ID), inv.Owner.Login, string(inv.Package.Type), inv.Package.Name, v.Name, string(v.State), tags,
		github(v.CreatedAt), github(v.UpdatedAt), github(v.DeletedAt), v.HTMLURL, v.License, v.Description, referrers,
	}
	if n, ok := inv.Graph.Node(v.Name); ok {
		row = append(row, string(n.Kind), n.MediaType, textOrNull(n.ArtifactType), textOrNull(n.Platform), n.SizeBytes, textOrNull(n.Subject))
	} else {
		row = append(row, nil, nil, nil, nil, nil, nil)
	}
	if v.DeletedBy != nil {
		return append(row, v.DeletedBy.Run), nil
	}
	return append(row, nil), nil
}

// jsonList writes an empty list, not null, for nothing.
func jsonList(list []string) (string, error) {
	if len(list) == 0 {
		return "[]", nil
	}
	return asJSON(list)
}
