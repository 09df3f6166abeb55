package guard

import (
	"slices"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// versionItems judges the deletes of single versions: what goes, in the order
// in which it goes, then what was asked for and will not be done.
func (c *check) versionItems() []retention.Item {
	if c.Inventory.Package.State == retention.Deleted {
		return nil
	}
	doomed := c.doomed()
	along := c.settle(doomed)
	return append(c.goingItems(doomed, along), c.stayingItems(doomed)...)
}

// doomed returns the active versions whose deletion an enforcing policy asks
// for and that no guard of their own keeps; it notes the others.
func (c *check) doomed() ids {
	veto := c.veto()
	out := ids{}
	for _, v := range c.shelf.active {
		// Whatever a guard of its own protects can't be taken along either.
		own := c.versionVeto(v)
		if own != nil {
			c.shelf.firm[v.ID] = true
		}
		voice := c.voices[v.ID]
		if voice == nil || len(voice.deletes) == 0 {
			continue
		}
		switch {
		case own != nil && own.status == retention.StatusKept:
			c.notes[v.ID] = *own
		case veto != nil:
			c.notes[v.ID] = verdict{status: retention.StatusIncomplete, note: veto}
		case own != nil:
			c.notes[v.ID] = *own
		default:
			out[v.ID] = true
		}
	}
	return out
}

// settle takes versions out of doomed until the rest can go: nothing that stays
// needs it, and GitHub would not refuse it. It returns what goes along. Each
// round takes out at least one version, so it ends.
func (c *check) settle(doomed ids) ids {
	for {
		along, saved := c.shelf.cascade(doomed)
		changed := false
		for _, v := range c.shelf.active {
			if !doomed[v.ID] || !saved[v.ID] {
				continue
			}
			delete(doomed, v.ID)
			changed = true
			held := "a version that stays"
			if h, ok := c.shelf.holder(v, saved); ok {
				held = describe(h)
			}
			c.notes[v.ID] = verdict{status: retention.StatusKept,
				note: note(retention.GuardReference, "needed by %s, which stays", held)}
		}
		if !changed && !c.blockLast(doomed, along) {
			return along
		}
	}
}

// blockLast keeps the version that GitHub would refuse to delete: the last one
// of the package, and the last one with a tag. It reports whether it kept one.
func (c *check) blockLast(doomed, along ids) bool {
	if len(doomed) == 0 {
		return false
	}
	stays := func(v retention.Version) bool { return !doomed[v.ID] && !along[v.ID] }
	hasTag := func(v retention.Version) bool { return len(v.Tags)+len(v.Referrers) > 0 }
	block := func(code retention.GuardCode, detail string, eligible func(retention.Version) bool) bool {
		for _, v := range c.shelf.active { // newest first
			if doomed[v.ID] && eligible(v) {
				delete(doomed, v.ID)
				c.shelf.firm[v.ID] = true
				c.notes[v.ID] = verdict{status: retention.StatusBlocked, note: note(code, "%s", detail)}
				return true
			}
		}
		return false
	}
	if slices.ContainsFunc(c.shelf.active, hasTag) &&
		!slices.ContainsFunc(c.shelf.active, func(v retention.Version) bool { return hasTag(v) && stays(v) }) {
		const detail = "GitHub refuses to delete the last tagged version of a package; to retire the package, delete it whole (policy retire_package, or shelflife packages delete)"
		return block(retention.GuardLastTagged, detail, retention.Version.Tagged) ||
			block(retention.GuardLastTagged, detail, hasTag) ||
			block(retention.GuardLastTagged, detail, func(retention.Version) bool { return true })
	}
	if !slices.ContainsFunc(c.shelf.active, stays) {
		const detail = "GitHub refuses to delete the last version of a package; to retire the package, delete it whole (policy retire_package, or shelflife packages delete)"
		return block(retention.GuardLastVersion, detail, c.Inventory.IsRoot) ||
			block(retention.GuardLastVersion, detail, func(retention.Version) bool { return true })
	}
	return false
}

// goingItems are the planned deletes, unit by unit, oldest unit first.
func (c *check) goingItems(doomed, along ids) []retention.Item {
	all := ids{}
	for _, set := range []ids{doomed, along} {
		for id := range set {
			all[id] = true
		}
	}
	items := []retention.Item{}
	for _, unit := range c.shelf.units(all) {
		root := c.leaders(unit, doomed)
		for _, v := range unit {
			it := c.item(v)
			it.Action, it.Status, it.Group = retention.Delete, retention.StatusPlanned, unit[0].ID
			if doomed[v.ID] {
				it.Rules = c.voices[v.ID].deletes
			} else {
				it.Rules = cascaded(c.voices[root[v.ID]].deletes, root[v.ID])
			}
			if voice := c.voices[v.ID]; voice != nil {
				it.Overruled = append(it.Overruled, voice.observedKeeps...)
			}
			items = append(items, it)
		}
	}
	return items
}

// leaders finds for each version that goes along the first doomed one that reaches it.
func (c *check) leaders(unit []retention.Version, doomed ids) map[retention.ID]retention.ID {
	out := map[retention.ID]retention.ID{}
	for _, v := range unit {
		if !doomed[v.ID] {
			continue
		}
		for id := range c.shelf.reach(ids{v.ID: true}) {
			if _, known := out[id]; !known && !doomed[id] {
				out[id] = v.ID
			}
		}
	}
	return out
}

func cascaded(rules []retention.Rule, root retention.ID) []retention.Rule {
	out := slices.Clone(rules)
	for i := range out {
		out[i].CascadeOf = &root
	}
	return out
}

// stayingItems are the deletes that were asked for and are not planned.
func (c *check) stayingItems(doomed ids) []retention.Item {
	var items []retention.Item
	for _, v := range slices.Backward(c.shelf.active) {
		voice := c.voices[v.ID]
		if voice == nil || doomed[v.ID] || len(voice.deletes)+len(voice.observedDeletes) == 0 {
			continue
		}
		it := c.item(v)
		it.Action = retention.Delete
		it.Rules = slices.Concat(voice.deletes, voice.observedDeletes)
		it.Overruled = append(it.Overruled, voice.observedKeeps...)
		if verdict, ok := c.notes[v.ID]; ok {
			it.Status, it.Guard = verdict.status, verdict.note
			it.Overruled = append(it.Overruled, verdict.overruled...)
		} else if keeps := c.keepsOf(v.ID); len(keeps) > 0 {
			it.Status, it.Overruled = retention.StatusKept, append(it.Overruled, keeps...)
		} else {
			it.Status = retention.StatusObserved
		}
		items = append(items, it)
	}
	return items
}

// packageDelete judges the deletion of the whole package, if anybody asks for it.
func (c *check) packageDelete() []retention.Item {
	voice := c.voices[wholePackage]
	if voice == nil || len(voice.deletes)+len(voice.observedDeletes) == 0 || c.Inventory.Package.State == retention.Deleted {
		return nil
	}
	it := c.packageItem()
	it.Action = retention.Delete
	it.Rules = slices.Concat(voice.deletes, voice.observedDeletes)
	it.Overruled = append(it.Overruled, voice.observedKeeps...)
	keeps := slices.Clone(voice.keeps)
	for _, v := range c.shelf.active {
		if w := c.voices[v.ID]; w != nil {
			keeps = append(keeps, w.keeps...)
		}
	}
	switch veto := c.veto(); {
	case len(keeps) > 0:
		it.Status, it.Overruled = retention.StatusKept, append(it.Overruled, keeps...)
	case len(voice.deletes) == 0:
		it.Status = retention.StatusObserved
	case veto != nil:
		it.Status, it.Guard = retention.StatusIncomplete, veto
	default:
		it.Status, it.Guard, it.Overruled = c.packageGuards(it.Overruled)
	}
	return []retention.Item{it}
}

// packageGuards applies to a whole package what holds for its versions.
func (c *check) packageGuards(overruled []retention.Rule) (retention.Status, *retention.GuardNote, []retention.Rule) {
	if rules := c.Undone[wholePackage]; len(rules) > 0 {
		return retention.StatusConflict,
			note(retention.GuardNotUndone, "%s would restore it in the next run; make the two policies agree", rules[0].Policy),
			append(overruled, rules...)
	}
	if detail, ok := c.Refused[wholePackage]; ok {
		return retention.StatusBlocked, note(retention.GuardDownloads, "%s", detail), overruled
	}
	for _, v := range c.shelf.active {
		if age, young := c.young(v); young {
			return retention.StatusHeld, note(retention.GuardYoung,
				"its version %s is untagged and %s old: a push may be in flight (limits.min_age %s)", short(v.Name), age, c.Limits.MinAge), overruled
		}
	}
	return retention.StatusPlanned, nil, overruled
}

// describe names a version for a person: its first tag, or its short digest.
func describe(v retention.Version) string {
	if len(v.Tags) > 0 {
		return v.Tags[0] + " (" + short(v.Name) + ")"
	}
	return short(v.Name)
}

// short cuts a digest to what people compare; other names stay whole.
func short(name string) string {
	const n = len("sha256:") + 12
	if len(name) > n && name[:7] == "sha256:" {
		return name[:n]
	}
	return name
}
