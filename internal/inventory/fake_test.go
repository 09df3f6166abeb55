package inventory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/oci"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

var (
	noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	acme = retention.Owner{Login: "acme", Kind: retention.Organization, ID: 7}
)

// world is GitHub, the registry, the ledger and the state store at once. Its
// maps say what each answers; errs fails the call of that name.
type world struct {
	now      time.Time
	packages map[retention.PackageType]List[retention.Package]
	active   List[retention.Version]
	deleted  List[retention.Version]
	graph    oci.Result
	ours     map[retention.PackageRef]map[retention.ID]retention.DeletedBy
	kept     map[retention.PackageRef]retention.Inventory
	errs     map[string]error
	pause    error

	mu    sync.Mutex
	calls []string
}

func newWorld() *world {
	return &world{
		now:      noon,
		packages: map[retention.PackageType]List[retention.Package]{},
		active:   whole[retention.Version](),
		deleted:  whole[retention.Version](),
		ours:     map[retention.PackageRef]map[retention.ID]retention.DeletedBy{},
		kept:     map[retention.PackageRef]retention.Inventory{},
		errs:     map[string]error{},
	}
}

func whole[T any](items ...T) List[T] { return List[T]{Items: items, Pages: 1, Complete: true} }

func (w *world) called(format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	call := fmt.Sprintf(format, args...)
	w.calls = append(w.calls, call)
	return w.errs[call]
}

// asked returns the calls since it was last asked, sorted.
func (w *world) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.Sorted(slices.Values(w.calls))
	w.calls = nil
	return out
}

func (w *world) Packages(_ context.Context, _ retention.Owner, t retention.PackageType) (List[retention.Package], error) {
	err := w.called("packages %s", t)
	list, ok := w.packages[t]
	if !ok {
		list = whole[retention.Package]()
	}
	return list, err
}

func (w *world) Versions(_ context.Context, _ retention.Owner, _ retention.PackageType, name string, state retention.State, _ Paging) (List[retention.Version], error) {
	err := w.called("%s versions of %s", state, name)
	if state == retention.Deleted {
		return w.deleted, err
	}
	return w.active, err
}

func (w *world) Graph(_ context.Context, owner, name string, _ []retention.Version) (oci.Result, error) {
	return w.graph, w.called("graph of %s/%s", owner, name)
}

func (w *world) DeletedBy(_ context.Context, ref retention.PackageRef) (map[retention.ID]retention.DeletedBy, error) {
	return w.ours[ref], w.called("ledger")
}

func (w *world) SaveSnapshot(_ context.Context, inv retention.Inventory) error {
	if err := w.called("save"); err != nil {
		return err
	}
	w.kept[inv.Ref()] = inv
	return nil
}

func (w *world) Snapshot(_ context.Context, ref retention.PackageRef) (retention.Inventory, bool, error) {
	inv, ok := w.kept[ref]
	return inv, ok, w.called("snapshot")
}

func (w *world) Known(_ context.Context, owner string) iter.Seq2[retention.KnownPackage, error] {
	err := w.called("known")
	return func(yield func(retention.KnownPackage, error) bool) {
		if err != nil {
			yield(retention.KnownPackage{}, err)
			return
		}
		refs := slices.SortedFunc(maps.Keys(w.kept), func(a, b retention.PackageRef) int { return strings.Compare(a.String(), b.String()) })
		for _, ref := range refs {
			if ref.Owner == owner && !yield(w.kept[ref].Known(), nil) {
				return
			}
		}
	}
}

func (w *world) reader(t *testing.T) *Reader {
	t.Helper()
	r, err := New(Config{
		GitHub: w, Graphs: w, Ledger: w, Snapshots: w,
		Now:     func() time.Time { return w.now },
		IsPause: func(err error) bool { return w.pause != nil && strings.Contains(err.Error(), w.pause.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pkg(id int, t retention.PackageType, name string, count int) retention.Package {
	return retention.Package{
		ID: retention.ID(id), Name: name, Type: t, Visibility: "private", VersionCount: count,
		CreatedAt: noon.AddDate(0, -6, 0), UpdatedAt: noon.AddDate(0, 0, -1), State: retention.Active,
	}
}

func version(id int, name string, state retention.State) retention.Version {
	v := retention.Version{ID: retention.ID(id), Name: name, State: state, CreatedAt: noon.AddDate(0, 0, id-100)}
	v.UpdatedAt = v.CreatedAt
	if state == retention.Deleted {
		v.DeletedAt = noon.AddDate(0, 0, -3)
	}
	return v
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }
