package inventory

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Options says how a package is read.
type Options struct {
	Deleted bool // its deleted versions too
	// Fresh reads from GitHub whatever the snapshots hold: what must be done
	// before anything is acted on.
	Fresh bool
	// Settled reads lists of several pages until two readings in a row agree, so that
	// no version is missed that moved between pages meanwhile: for what is acted on.
	Settled bool
}

// Read returns one package's complete state: from its snapshot when nothing
// shows a change, else read from GitHub, and then kept as the new snapshot if
// it is complete.
//
// The error is not nil only when the context has ended or a rate limit asks for
// a pause. Every other failure is among the inventory's Problems, and then
// Complete is false.
func (r *Reader) Read(ctx context.Context, owner retention.Owner, pkg retention.Package, opts Options) (retention.Inventory, error) {
	rd := &reading{Reader: r, inv: retention.Inventory{Owner: owner, Package: pkg, ReadAt: r.now()}}
	err := rd.run(ctx, opts)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return rd.inv, fmt.Errorf("read %s: %w", rd.inv.Ref(), err)
	}
	return rd.inv, nil
}

// reading is one reading of one package.
type reading struct {
	*Reader
	inv retention.Inventory
}

func (rd *reading) problem(format string, args ...any) {
	rd.inv.Problems = append(rd.inv.Problems, retention.Problem{
		Owner: rd.inv.Owner.Login, Package: rd.inv.Ref().String(),
		Kind: retention.ProblemIncomplete, Detail: fmt.Sprintf(format, args...),
	})
}

// run fills the inventory. Its error stops the work; whatever else goes wrong
// becomes a problem.
func (rd *reading) run(ctx context.Context, opts Options) error {
	kept, unchanged, err := rd.snapshot(ctx, opts)
	if err != nil {
		return err
	}
	withDeleted := opts.Deleted
	if unchanged {
		rd.inv.Versions, rd.inv.Graph, rd.inv.ReadAt = kept.Versions, kept.Graph, kept.ReadAt
		rd.inv.DeletedListed = kept.DeletedListed
		rd.saved.Add(int64(pages(kept.Active())))
		if opts.Deleted && kept.DeletedListed {
			rd.saved.Add(int64(pages(len(kept.Versions) - kept.Active())))
		}
		rd.dropPurged()
		withDeleted = opts.Deleted && !kept.DeletedListed
	}
	if !unchanged || withDeleted {
		if err := rd.readVersions(ctx, !unchanged, withDeleted, opts.Settled); err != nil {
			return err
		}
	}
	rd.inv.DeletedListed = rd.inv.DeletedListed || withDeleted
	if !unchanged {
		if err := rd.readGraph(ctx); err != nil {
			return err
		}
	}
	if err := rd.nameDeleters(ctx); err != nil {
		return err
	}
	retention.SortVersions(rd.inv.Versions)
	rd.inv.Complete = len(rd.inv.Problems) == 0
	if rd.inv.Complete && (!unchanged || withDeleted) {
		return rd.save(ctx)
	}
	return nil
}

// snapshot returns the last complete reading if it may stand for one now.
func (rd *reading) snapshot(ctx context.Context, opts Options) (kept retention.Inventory, unchanged bool, err error) {
	if opts.Fresh {
		return kept, false, nil
	}
	kept, ok, err := rd.snapshots.Snapshot(ctx, rd.inv.Ref())
	switch {
	case rd.stops(ctx, err):
		return kept, false, err
	case err != nil:
		rd.problem("its snapshot could not be read: %v; check the state store", err)
		return kept, false, nil
	}
	return kept, ok && rd.stillHolds(kept), nil
}

// stillHolds reports whether a snapshot may stand for a reading of the package
// as it is listed now. The version count and updated_at are GitHub's own signs
// of a change; both are hints, hence the greatest age.
func (rd *reading) stillHolds(kept retention.Inventory) bool {
	was, is := kept.Package, rd.inv.Package
	return kept.Complete &&
		was.State == retention.Active && is.State == retention.Active &&
		was.ID == is.ID && was.VersionCount == is.VersionCount && was.UpdatedAt.Equal(is.UpdatedAt) &&
		rd.now().Sub(kept.ReadAt) < rd.maxStaleness
}

// pages is how many calls listing n versions takes: an empty list is one as well.
func pages(n int) int { return max(1, (n+99)/100) }

// dropPurged takes out the deleted versions of a snapshot whose restore window
// has closed since: GitHub would not list them any more.
func (rd *reading) dropPurged() {
	now := rd.now()
	versions := make([]retention.Version, 0, len(rd.inv.Versions))
	for _, v := range rd.inv.Versions {
		if v.IsActive() || v.DeletedAt.IsZero() || now.Before(v.DeletedAt.Add(retention.RestoreWindow)) {
			versions = append(versions, v)
		}
	}
	rd.inv.Versions = versions
}

// readVersions lists the active versions, the deleted ones, or both at once.
func (rd *reading) readVersions(ctx context.Context, active, deleted, settled bool) error {
	if rd.inv.Package.State != retention.Active {
		rd.problem("GitHub shows nothing of a deleted package; restore it first (shelflife packages restore)")
		return nil
	}
	states := make([]retention.State, 0, 2)
	if active {
		states = append(states, retention.Active)
	}
	if deleted {
		states = append(states, retention.Deleted)
	}
	lists := make([]List[retention.Version], len(states))
	errs := make([]error, len(states))
	var g errgroup.Group
	for i, state := range states {
		how := Paging{Settled: settled}
		if state == retention.Active {
			how.Expect = rd.inv.Package.VersionCount
		}
		g.Go(func() error {
			lists[i], errs[i] = rd.github.Versions(ctx, rd.inv.Owner, rd.inv.Package.Type, rd.inv.Package.Name, state, how)
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs, each with its listing
	for i, state := range states {
		if rd.stops(ctx, errs[i]) {
			return errs[i]
		}
		rd.take(state, lists[i], errs[i])
	}
	rd.checkUnique()
	return nil
}

// take adds a listing's versions and says what is wrong with it.
func (rd *reading) take(state retention.State, list List[retention.Version], err error) {
	switch {
	case err != nil:
		rd.problem("its %s versions could not be listed: %v", state, err)
	case !list.Complete:
		rd.problem("the listing of its %s versions is not whole: %s; it is read again in the next run", state, list.Shortfall)
	}
	for _, v := range list.Items {
		if v.State != state {
			rd.problem("version %s is %s and stands in the listing of %s versions; it is read again in the next run", v.ID, v.State, state)
		}
		rd.inv.Versions = append(rd.inv.Versions, v)
	}
	if state != retention.Active || err != nil {
		return
	}
	if at := list.ReadAt; at.After(rd.inv.ReadAt) && !at.After(rd.now()) {
		rd.inv.ReadAt = at // an earlier reading of the list did not agree with the one before
	}
	promised := rd.inv.Package.VersionCount
	switch n := len(list.Items); {
	case n == 0:
		// A package without versions does not exist (github-facts 7.1 and 7.12).
		rd.problem("GitHub lists no version of it, which is what a credential without access gets to see; check it with shelflife doctor")
	case 2*n < promised:
		rd.problem("GitHub lists %d of its %d versions, fewer than half; check with shelflife doctor that the credential sees them all", n, promised)
	}
}

// checkUnique finds versions that are there twice: the listing moved while it
// was read, and others may have slipped through.
func (rd *reading) checkUnique() {
	ids := map[retention.ID]bool{}
	digests := map[string]bool{}
	for _, v := range rd.inv.Versions {
		if ids[v.ID] {
			rd.problem("version %s is listed twice: the listing changed while it was read; it is read again in the next run", v.ID)
		}
		ids[v.ID] = true
		if rd.inv.Package.Type != retention.Container || !v.IsActive() {
			continue
		}
		if digests[v.Name] {
			rd.problem("%s is listed as two versions; it is read again in the next run", v.Name)
		}
		digests[v.Name] = true
	}
}

// readGraph reads the manifests of a container package. Legacy docker images
// are not on ghcr.io, and other packages have no manifests. After a listing that
// is not whole nothing will be deleted, so no manifest is downloaded for it.
func (rd *reading) readGraph(ctx context.Context) error {
	if rd.inv.Package.Type != retention.Container || len(rd.inv.Problems) > 0 {
		return nil
	}
	if rd.inv.Owner.Login == "" {
		rd.problem("the registry needs the owner's login; name the owner in the configuration")
		return nil
	}
	res, err := rd.graphs.Graph(ctx, rd.inv.Owner.Login, rd.inv.Package.Name, rd.inv.Versions)
	if rd.stops(ctx, err) {
		return err
	}
	if err != nil {
		rd.problem("its manifests could not be read: %v", err)
	}
	rd.inv.Graph = retention.NewGraph(res.Nodes)
	rd.unread(res.Unread)
	rd.unread(lost(res.Broken))
	return nil
}

// lost says of listed versions that the registry does not have that they are
// unread: what they hold together is not known. The listing may be stale, or the
// registry, and a manifest of a type that was not asked for looks the same
// (github-facts 6); were its children taken for roots, they would be deleted.
func lost(digests []string) []oci.Unread {
	out := make([]oci.Unread, len(digests))
	for i, d := range digests {
		out[i] = oci.Unread{Digest: d, Reason: "GitHub lists it and the registry has no such manifest, so what it holds together is not known; " +
			"run it again later, and if it stays so, delete that version on GitHub"}
	}
	return out
}

// unreadShown is how many unread manifests are named one by one.
const unreadShown = 5

func (rd *reading) unread(list []oci.Unread) {
	for i, u := range list {
		switch {
		case i == unreadShown:
			rd.problem("and %d manifests more", len(list)-i)
			return
		case u.Digest == "":
			rd.problem("its manifests could not be read whole: %s", u.Reason)
		default:
			rd.problem("manifest %s: %s", u.Digest, u.Reason)
		}
	}
}

// nameDeleters fills in which deleted versions this system deleted.
func (rd *reading) nameDeleters(ctx context.Context) error {
	if rd.inv.Active() == len(rd.inv.Versions) {
		return nil
	}
	by, err := rd.ledger.DeletedBy(ctx, rd.inv.Ref())
	if rd.stops(ctx, err) {
		return err
	}
	if err != nil {
		rd.problem("the ledger does not say who deleted its versions: %v; check the state store", err)
	}
	for i := range rd.inv.Versions {
		v := &rd.inv.Versions[i]
		v.DeletedBy = nil
		if b, ok := by[v.ID]; ok && !v.IsActive() {
			v.DeletedBy = &b
		}
	}
	return nil
}

// saveTimeout bounds keeping a snapshot of a reading that was interrupted right
// after it ended.
const saveTimeout = 10 * time.Second

// save keeps the reading. One that cannot be kept is not acted on either: the
// next run could not tell what has gone since.
func (rd *reading) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := rd.snapshots.SaveSnapshot(ctx, rd.inv); err != nil {
		rd.problem("its snapshot could not be kept: %v; check the state store", err)
		rd.inv.Complete = false
	}
	return nil
}
