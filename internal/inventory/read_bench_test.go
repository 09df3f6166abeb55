package inventory

import (
	"fmt"
	"testing"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// npm lists n packages of v versions each, all seen as they are.
func npm(n, v int) (*world, []retention.Package) {
	w := newWorld()
	var pkgs []retention.Package
	for i := range v {
		w.active.Items = append(w.active.Items, retention.Version{
			ID: retention.ID(i + 1), Name: fmt.Sprintf("1.0.%d", i), State: retention.Active, CreatedAt: noon.Add(-time.Duration(i) * time.Hour),
		})
	}
	for i := range n {
		p := retention.Package{ID: retention.ID(i + 1), Name: fmt.Sprintf("p%05d", i), Type: retention.NPM, VersionCount: v, State: retention.Active}
		pkgs = append(pkgs, p)
		w.kept[p.Ref(acme.Login)] = retention.Inventory{Owner: acme, Package: p, Versions: w.active.Items, Complete: true, ReadAt: noon}
	}
	w.packages[retention.NPM] = whole(pkgs...)
	return w, pkgs
}

func benchReader(b *testing.B, w *world) *Reader {
	b.Helper()
	r, err := New(Config{GitHub: w, Graphs: w, Ledger: w, Snapshots: w, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// What listing and comparing with what is known costs beyond calls and store.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 10000} {
		w, _ := npm(n, 1)
		r := benchReader(b, w)
		b.Run(fmt.Sprintf("packages=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.calls = nil
				l, err := r.List(b.Context(), acme, []retention.PackageType{retention.NPM})
				if err != nil || len(l.Packages) != n || len(l.Problems) > 0 {
					b.Fatal(err, l.Problems)
				}
			}
		})
	}
}

// What a reading costs beyond calls and store.
func BenchmarkRead(b *testing.B) {
	for _, v := range []int{100, 10000} {
		w, pkgs := npm(1, v)
		r := benchReader(b, w)
		for _, o := range []struct {
			name string
			opts Options
		}{{"fresh", Options{Fresh: true}}, {"kept", Options{}}} {
			b.Run(fmt.Sprintf("%s/versions=%d", o.name, v), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.calls = nil
					inv, err := r.Read(b.Context(), acme, pkgs[0], o.opts)
					if err != nil || !inv.Complete || len(inv.Versions) != v {
						b.Fatal(err, inv.Problems)
					}
				}
			})
		}
	}
}
