package main

import (
	"context"
	"fmt"
)

// Policies of the rows: without one that may restore, and all that are shipped.
const (
	noRestore = "{builtin: true, only: [keep_newest, keep_tags, keep_releases, expire_prereleases, expire_by_age, expire_untagged]}"
	shipped   = "builtin"
)

// restCold counts what a first sweep asks of the REST API around the ends of
// pages.
func restCold(ctx context.Context, b *bench) error {
	sizes := []struct{ packages, versions int }{{1, 1}, {1, 100}, {1, 101}, {100, 1}, {101, 1}, {99, 100}, {100, 101}, {3, 1000}}
	for _, size := range sizes {
		err := b.with(ctx, newSeed(releases(size.packages, size.versions)...), func(w *world) error {
			p, v := size.packages, size.versions
			for _, policies := range []struct {
				set, name string
				deleted   int
			}{{noRestore, "", 0}, {shipped, ", policies that may restore", p}} {
				t, err := w.plan(ctx, "npm", policies.set, true)
				if err != nil {
					return err
				}
				f := calls("rest-cold", fmt.Sprintf("P=%d V=%d%s", p, v, policies.name), pages(p)+p*pages(v)+policies.deleted, t.packages)
				f.Note = ownerNote(t)
				b.add(f)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func ownerNote(t tally) string {
	if t.owner == 1 {
		return "" // as the head of the table says
	}
	return fmt.Sprintf("beside it %s for the owner", plural(t.owner, "call"))
}

// registryCold counts what a first sweep asks of the registry.
func registryCold(ctx context.Context, b *bench) error {
	const repositories, indexes, signed, untagged = 2, 60, 10, 25
	var pkgs []seedPackage
	for i := range repositories {
		pkgs = append(pkgs, images(fmt.Sprintf("team/api-%d", i), indexes, signed, untagged))
	}
	return b.with(ctx, newSeed(pkgs...), func(w *world) error {
		t, err := w.plan(ctx, "container", noRestore, true)
		if err != nil {
			return err
		}
		b.add(calls("registry-cold", "manifests not described by a fetched index", repositories*(indexes+signed+untagged), t.manifests),
			calls("registry-cold", "tokens, one a repository", repositories, t.token),
			calls("registry-cold", "challenges, one a process", 1, t.challenge))
		t, err = w.plan(ctx, "container", noRestore, false)
		b.add(calls("registry-cold", "all of them the next time, from the digest cache", 0, t.registry()))
		return err
	})
}

// secondSweep counts what a sweep asks when nothing changed.
func secondSweep(ctx context.Context, b *bench) error {
	for _, p := range []int{1, 100, 101, 250} {
		err := b.with(ctx, newSeed(releases(p, 3)...), func(w *world) error {
			for _, policies := range []struct{ set, name string }{{noRestore, ""}, {shipped, ", policies that may restore"}} {
				if _, err := w.plan(ctx, "npm", policies.set, true); err != nil {
					return err
				}
				t, err := w.plan(ctx, "npm", policies.set, false)
				if err != nil {
					return err
				}
				b.add(calls("second-sweep", fmt.Sprintf("P=%d%s", p, policies.name), pages(p), t.packages))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// with runs f against a simulator of its own.
func (b *bench) with(ctx context.Context, s seed, f func(w *world) error) error {
	w, err := b.rig.simulate(ctx, s)
	if err != nil {
		return err
	}
	err = f(w)
	if stopErr := w.stop(); err == nil {
		err = stopErr
	}
	return err
}

// plan makes a plan, on request as a first one, and counts what it asked.
func (w *world) plan(ctx context.Context, types, policies string, first bool) (tally, error) {
	t, _, err := w.timed(ctx, types, policies, first)
	return t, err
}

func (w *world) timed(ctx context.Context, types, policies string, first bool) (tally, process, error) {
	if first {
		if err := w.fresh(); err != nil {
			return tally{}, process{}, err
		}
	}
	if err := w.config(types, policies); err != nil {
		return tally{}, process{}, err
	}
	p, err := w.shelflife(ctx, "plan", "-q", "--format", "json")
	if err != nil {
		return tally{}, p, err
	}
	t, err := w.tally(ctx)
	return t, p, err
}
