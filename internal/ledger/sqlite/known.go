package sqlite

import (
	"context"
	"fmt"
	"iter"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// knownPage is how many heads of snapshots are held at a time.
const knownPage = 1000

// Known goes over the heads of all snapshots of an owner by type and name,
// without opening the snapshots themselves. After an error it ends.
func (db *DB) Known(ctx context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	return func(yield func(retention.KnownPackage, error) bool) {
		var last retention.PackageRef
		for {
			// Of a package that is gone there is no row in org_packages (project).
			page, err := collect(ctx, db.read, scanKnown, `SELECT s.owner, s.package_type, s.package, s.read_at, p.id IS NOT NULL
				FROM snapshots s LEFT JOIN org_packages p ON p.owner = s.owner AND p.package_type = s.package_type AND p.name = s.package
				WHERE s.owner = ? AND (s.package_type, s.package) > (?, ?) ORDER BY s.package_type, s.package LIMIT ?`,
				owner, string(last.Type), last.Name, knownPage)
			if err != nil {
				yield(retention.KnownPackage{}, fmt.Errorf("read what is known of %s: %w", owner, err))
				return
			}
			for _, k := range page {
				if !yield(k, nil) {
					return
				}
				last = k.Ref
			}
			if len(page) < knownPage {
				return
			}
		}
	}
}

func scanKnown(scan func(...any) error) (k retention.KnownPackage, err error) {
	var packageType, readAt string
	var there bool
	if err := scan(&k.Ref.Owner, &packageType, &k.Ref.Name, &readAt, &there); err != nil {
		return k, err
	}
	k.Ref.Type, k.State = retention.PackageType(packageType), retention.Deleted
	if there {
		k.State = retention.Active
	}
	return k, readStamp(readAt, &k.ReadAt)
}
