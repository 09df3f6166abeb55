package preview

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// watched is one deletion that would have been made, with what was seen since.
type watched struct {
	Looked
	missing map[retention.ID]bool // seen deleted, or not seen, in truth
	tags    map[retention.ID][]string
}

// usesOf finds who had use for versions of one package later.
func (r BacktestRequest) usesOf(ctx context.Context, ref retention.PackageRef, list []*watched, src *past) error {
	first := list[0].At
	for _, w := range list {
		if w.At.Before(first) {
			first = w.At
		}
	}
	for i, reading := range src.readings[ref] {
		later := i+1 < len(src.readings[ref]) && !src.readings[ref][i+1].Since.After(first)
		if later { // it was not the last any more when the first would have gone
			continue
		}
		inv, err := src.ReadingOf(ctx, ref, reading)
		if err != nil {
			return err
		}
		for _, w := range list {
			if reading.Since.After(w.At) {
				w.look(inv, reading.Since)
			} else {
				w.begin(inv)
			}
		}
		if err := r.deployed(ctx, inv, reading, list); err != nil {
			return err
		}
	}
	return r.restored(ctx, ref, first, list)
}

// begin notes what the deletion would have found.
func (w *watched) begin(inv retention.Inventory) {
	w.missing, w.tags = map[retention.ID]bool{}, map[retention.ID][]string{}
	for _, v := range inv.Versions {
		if v.IsActive() && w.covers(v.ID) {
			w.tags[v.ID] = v.Tags
		}
	}
}

func (w *watched) covers(id retention.ID) bool {
	return w.Target == retention.TargetPackage || w.VersionID == id
}

// look notes what a later reading shows of it.
func (w *watched) look(inv retention.Inventory, at time.Time) {
	there := map[retention.ID]retention.Version{}
	for _, v := range inv.Versions {
		if v.IsActive() && inv.Package.State != retention.Deleted {
			there[v.ID] = v
		}
	}
	for id, had := range w.tags {
		v, active := there[id]
		if !active {
			w.missing[id] = true
			continue
		}
		if w.missing[id] {
			w.use(UseRestored, at, w.name(v)+"it was deleted, and is there again")
			w.missing[id] = false
		}
		var added []string
		for _, t := range v.Tags {
			if !slices.Contains(had, t) {
				added = append(added, t)
			}
		}
		if len(added) > 0 {
			w.use(UseRetagged, at, w.name(v)+"it was given the tag "+strings.Join(added, ", "))
		}
	}
}

// name is before what is said of one version of a whole package.
func (w *watched) name(v retention.Version) string {
	if w.Target != retention.TargetPackage {
		return ""
	}
	return v.Name + ": "
}

// use notes a use, each kind once.
func (w *watched) use(kind string, at time.Time, detail string) {
	if !slices.ContainsFunc(w.Uses, func(u Use) bool { return u.Kind == kind }) {
		w.Uses = append(w.Uses, Use{Kind: kind, At: at.UTC(), Detail: detail})
	}
}

// deployed notes what the document of deployments names: as the version was when
// it would have gone, or as it is now.
func (r BacktestRequest) deployed(ctx context.Context, inv retention.Inventory, reading retention.Reading, list []*watched) error {
	if r.Deployed == nil {
		return nil
	}
	var named map[retention.ID]string
	for _, w := range list {
		if reading.Since.After(w.At) && !reading.Present {
			continue
		}
		if named == nil {
			var err error
			if named, err = r.Deployed(ctx, inv); err != nil {
				return err
			}
		}
		for id, why := range named {
			if w.covers(id) {
				w.use(UseDeployed, r.To, why)
			}
		}
	}
	return nil
}

// restored notes what this system brought back itself.
func (r BacktestRequest) restored(ctx context.Context, ref retention.PackageRef, since time.Time, list []*watched) error {
	if r.Restored == nil {
		return nil
	}
	back, err := r.Restored(ctx, ref, since)
	if err != nil {
		return fmt.Errorf("look up what was restored of %s: %w", ref, err)
	}
	for _, w := range list {
		for id, at := range back {
			if w.covers(id) && at.After(w.At) {
				w.use(UseRestored, at, "the ledger has its restore")
			}
		}
	}
	return nil
}
