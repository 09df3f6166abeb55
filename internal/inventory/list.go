package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Listing is what GitHub shows of an owner's packages.
type Listing struct {
	Packages []retention.Package // by type, then name
	Problems []retention.Problem // of the owner: of the types that could not be listed whole
	// Vanished are packages that a snapshot knows and the listing no longer
	// has, as they were last known, with Package.State deleted, for 30 days
	// since that was first noticed (ReadAt). They are never Complete.
	Vanished []retention.Inventory
	Pages    int // REST calls it took
}

// List lists the owner's packages of the given types (none means all six) and
// compares them with the snapshots. A type that cannot be listed is a problem
// and does not keep the others from being listed; the error is not nil only
// when the context has ended or a rate limit asks for a pause.
func (r *Reader) List(ctx context.Context, owner retention.Owner, types []retention.PackageType) (Listing, error) {
	if len(types) == 0 {
		types = retention.PackageTypes()
	}
	types = slices.Compact(slices.Sorted(slices.Values(types)))
	lists := make([]List[retention.Package], len(types))
	errs := make([]error, len(types))
	var g errgroup.Group
	for i, t := range types {
		g.Go(func() error {
			lists[i], errs[i] = r.github.Packages(ctx, owner, t)
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs, each with its type
	var out Listing
	whole := map[retention.PackageType]bool{}
	for i, t := range types {
		if r.stops(ctx, errs[i]) {
			return out, fmt.Errorf("list packages of %s: %w", owner.Login, errs[i])
		}
		whole[t] = out.take(owner, t, lists[i], errs[i])
	}
	if err := r.compare(ctx, owner, whole, &out); err != nil {
		return out, fmt.Errorf("compare packages of %s with their snapshots: %w", owner.Login, err)
	}
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("list packages of %s: %w", owner.Login, err)
	}
	return out, nil
}

// take adds one type's packages and reports whether the type was listed whole.
func (l *Listing) take(owner retention.Owner, t retention.PackageType, list List[retention.Package], err error) bool {
	l.Pages += list.Pages
	if err != nil {
		l.problem(owner, retention.ProblemIncomplete, "its %s packages could not be listed: %v", t, err)
		return false
	}
	items := slices.Clone(list.Items)
	slices.SortFunc(items, func(a, b retention.Package) int { return cmp.Compare(a.Name, b.Name) })
	l.Packages = append(l.Packages, items...)
	if !list.Complete {
		l.problem(owner, retention.ProblemUnlisted, "the listing of its %s packages is not whole: %s", t, list.Shortfall)
	}
	return list.Complete
}

func (l *Listing) problem(owner retention.Owner, kind retention.ProblemKind, format string, args ...any) {
	l.Problems = append(l.Problems, retention.Problem{Owner: owner.Login, Kind: kind, Detail: fmt.Sprintf(format, args...)})
}

// known is what the snapshots say of the types that were listed whole.
type known struct {
	packages int                    // active ones that were seen not long ago
	missing  []retention.PackageRef // those of them that the listing lacks
	noticed  []retention.PackageRef // those whose absence an earlier listing noticed
}

// compare finds lost access and vanished packages.
func (r *Reader) compare(ctx context.Context, owner retention.Owner, whole map[retention.PackageType]bool, l *Listing) error {
	var lost bool
	k, err := r.recall(ctx, owner, whole, l.Packages)
	if err == nil {
		lost, err = r.lostAccess(ctx, k)
	}
	if r.stops(ctx, err) {
		return err
	}
	if err != nil {
		l.problem(owner, retention.ProblemLostAccess,
			"what is known of its packages could not be read, so lost access cannot be told from deleted packages: %v; check the state store", err)
		return nil
	}
	if lost {
		l.problem(owner, retention.ProblemLostAccess,
			"GitHub lists %d of the %d packages that are known of it, such as %s no more; this looks like lost access, and nothing is deleted. "+
				"Check the credential with shelflife doctor; packages that are really gone are forgotten %d days after they were last read",
			k.packages-len(k.missing), k.packages, k.missing[0], r.forgottenDays())
	} else if err := r.notice(ctx, owner, k.missing, l); err != nil {
		return err
	}
	return r.bringBack(ctx, owner, k.noticed, l)
}

// forgottenDays is after how many days without a reading an active snapshot no
// longer counts as known: a package that is there is read more often.
func (r *Reader) forgottenDays() int {
	return int((retention.RestoreWindow + max(r.maxStaleness, 0)).Hours() / 24)
}

func (r *Reader) recall(ctx context.Context, owner retention.Owner, whole map[retention.PackageType]bool, listed []retention.Package) (known, error) {
	there := make(map[retention.PackageRef]bool, len(listed))
	for _, p := range listed {
		there[refKey(owner, p)] = true
	}
	var k known
	forgotten := r.now().AddDate(0, 0, -r.forgottenDays())
	for p, err := range r.snapshots.Known(ctx, owner.Login) {
		if err != nil {
			return k, err
		}
		switch {
		case !whole[p.Ref.Type]:
		case there[retention.PackageRef{Owner: strings.ToLower(owner.Login), Type: p.Ref.Type, Name: p.Ref.Name}]:
			if p.State == retention.Active {
				k.packages++
			}
		case p.State == retention.Deleted:
			if r.now().Before(p.ReadAt.Add(retention.RestoreWindow)) {
				k.noticed = append(k.noticed, p.Ref)
			}
		case p.ReadAt.After(forgotten):
			k.packages++
			k.missing = append(k.missing, p.Ref)
		}
	}
	return k, nil
}

// lostAccess is guard 1: packages were known, and none or fewer than half are
// left. Packages that this system deleted itself are gone, but not lost.
func (r *Reader) lostAccess(ctx context.Context, k known) (bool, error) {
	lost := func(packages, missing int) bool { return packages > 0 && 2*(packages-missing) < packages }
	if !lost(k.packages, len(k.missing)) {
		return false, nil
	}
	ours := 0
	for _, ref := range k.missing {
		by, err := r.ledger.DeletedBy(ctx, ref)
		if err != nil {
			return true, err
		}
		if _, ok := by[0]; ok {
			ours++
		}
	}
	return lost(k.packages-ours, len(k.missing)-ours), nil
}

// notice marks the snapshots of packages that have just vanished.
func (r *Reader) notice(ctx context.Context, owner retention.Owner, missing []retention.PackageRef, l *Listing) error {
	for _, ref := range missing {
		inv, ok, err := r.snapshots.Snapshot(ctx, ref)
		if err == nil && ok {
			inv.Package.State = retention.Deleted
			inv.ReadAt = r.now()
			err = r.snapshots.SaveSnapshot(ctx, inv)
		}
		if r.stops(ctx, err) {
			return err
		}
		if err != nil {
			l.problem(owner, retention.ProblemIncomplete, "%s is no longer listed, and that could not be noted: %v; check the state store", ref, err)
			continue
		}
		if ok {
			if err := r.addVanished(ctx, owner, inv, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// bringBack adds the packages whose absence was noticed before.
func (r *Reader) bringBack(ctx context.Context, owner retention.Owner, noticed []retention.PackageRef, l *Listing) error {
	for _, ref := range noticed {
		inv, ok, err := r.snapshots.Snapshot(ctx, ref)
		if r.stops(ctx, err) {
			return err
		}
		if err != nil {
			l.problem(owner, retention.ProblemIncomplete, "%s is no longer listed, and its snapshot could not be read: %v; check the state store", ref, err)
		} else if ok {
			if err := r.addVanished(ctx, owner, inv, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// addVanished adds a snapshot of a deleted package as the policies get to see
// it: all of its versions went with it, when its absence was first noticed, by
// this system's hand if the ledger says so.
func (r *Reader) addVanished(ctx context.Context, owner retention.Owner, inv retention.Inventory, l *Listing) error {
	by, err := r.ledger.DeletedBy(ctx, inv.Ref())
	if r.stops(ctx, err) {
		return err
	}
	if err != nil {
		l.problem(owner, retention.ProblemIncomplete, "%s is no longer listed, and the ledger does not say who deleted it: %v; check the state store", inv.Ref(), err)
		return nil
	}
	noticed := inv.ReadAt
	inv.Versions = slices.Clone(inv.Versions)
	for i := range inv.Versions {
		v := &inv.Versions[i]
		if !v.IsActive() {
			continue
		}
		v.State, v.DeletedAt = retention.Deleted, noticed
		if b, ours := by[0]; ours {
			v.DeletedBy = &b
		}
	}
	inv.Graph = retention.Graph{}
	inv.Complete, inv.Problems = false, nil
	if _, ours := by[0]; ours {
		l.Vanished = append(l.Vanished, inv)
		return nil
	}
	inv.Problems = []retention.Problem{{
		Owner: inv.Owner.Login, Package: inv.Ref().String(), Kind: retention.ProblemVanished,
		Detail: fmt.Sprintf("GitHub has not listed it since %s; its versions are those last known. "+
			"If it was not meant to go, restore it within 30 days (shelflife packages restore)", noticed.UTC().Format("2006-01-02")),
	}}
	l.Vanished = append(l.Vanished, inv)
	return nil
}

// refKey identifies a package regardless of the case of its owner.
func refKey(owner retention.Owner, p retention.Package) retention.PackageRef {
	return p.Ref(strings.ToLower(owner.Login))
}
