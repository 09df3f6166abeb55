package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// The million versions that a diff and a forecast go over.
const (
	previewPackages = 10_000
	previewPeak     = 512 // MB
	previewTime     = 60  // seconds
	deletesAdded    = 3   // exit code of a diff that adds deletes
)

// previews measures policy diff and policy forecast over the snapshots of 10,000
// packages of 100 versions in a state file, as the commands run them.
func previews(ctx context.Context, b *bench) error {
	dir, err := b.rig.scratch()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	state := filepath.Join(dir, "shelflife.db")
	if err := fillState(ctx, state, previewPackages, now); err != nil {
		return err
	}
	if err := stricter(filepath.Join(dir, "stricter")); err != nil {
		return err
	}
	if err := (&world{rig: b.rig, dir: dir}).config("container, npm", shipped); err != nil {
		return err
	}
	run := func(args ...string) (process, error) {
		args = append(args, "-q", "--format", "json", "--as-of", now.Format(time.RFC3339))
		p, err := b.rig.run(ctx, dir, []string{"HOME=" + dir, "SHELFLIFE_STATE=" + state}, args...)
		if p.code == deletesAdded {
			err = nil
		}
		return p, err
	}
	p, err := run("policy", "diff", "stricter", "builtin")
	if err != nil {
		return err
	}
	var diff struct {
		Summary struct{ Added, Removed int } `json:"summary"`
	}
	if err := json.Unmarshal(p.stdout, &diff); err != nil {
		return fmt.Errorf("read the diff: %w", err)
	}
	note := fmt.Sprintf("%d deletes added, %d removed", diff.Summary.Added, diff.Summary.Removed)
	b.addPreview("policy diff, 1,000,000 versions, all shipped policies twice", note, p)
	for _, days := range []int{1, 30} {
		p, err := run("policy", "forecast", "--days", fmt.Sprint(days))
		if err != nil {
			return err
		}
		var f struct {
			Summary struct{ Deleted, Packages int } `json:"summary"`
		}
		if err := json.Unmarshal(p.stdout, &f); err != nil {
			return fmt.Errorf("read the forecast: %w", err)
		}
		note := fmt.Sprintf("%d versions of %d packages go", f.Summary.Deleted, f.Summary.Packages)
		b.addPreview(fmt.Sprintf("policy forecast of %s, 1,000,000 versions, all shipped policies", plural(days, "daily run")), note, p)
	}
	return nil
}

func (b *bench) addPreview(what, note string, p process) {
	const row = "previews"
	t := seconds(row, what+": whole command", previewTime, p.wall)
	t.Note = note
	peak := figure{Row: row, What: what + ": peak resident memory", Rule: atMost, Bound: previewPeak, Figure: megabytes(p.peak), Unit: "MB"}
	b.add(t, info(row, what+": processor time", "s", p.cpu.Seconds()), peak)
}

// stricter writes the shipped policies once more, with other limits.
func stricter(dir string) error {
	return fs.WalkDir(policies.FS, "retention", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.rego") {
			return err
		}
		text, err := fs.ReadFile(policies.FS, path)
		if err != nil {
			return err
		}
		text = []byte(strings.NewReplacer("older_than_days: 30\n", "older_than_days: 45\n", "superseded_after_days: 30\n", "superseded_after_days: 60\n").Replace(string(text)))
		at := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return err
		}
		return os.WriteFile(at, text, 0o600)
	})
}

// fillState writes snapshots as they are where policies have been at work for a
// while. Half of the packages are containers of two-platform images, half npm
// packages of releases. One in ten is worked on, published to every few hours to
// days, with untagged and pull request images and prereleases among its versions;
// the others have not been published to for months, and of such versions nothing
// is left in them.
func fillState(ctx context.Context, path string, packages int, now time.Time) error {
	db, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2)) // the same packages every time
	for i := range packages {
		idle, every, worked := time.Duration(r.IntN(400*24)+60*24)*time.Hour, time.Duration(r.IntN(60)+6)*time.Hour, i%20 < 2
		if worked {
			idle = time.Duration(r.IntN(48)) * time.Hour
		}
		inv := releasePackage(perPackage, worked)
		if i%2 == 0 {
			if inv = imagePackage(perPackage); !worked {
				inv = releasedImages(perPackage)
			}
		}
		inv.Package.ID = retention.ID(i + 1)
		inv.Package.Name = fmt.Sprintf("team-%02d/package-%05d", i%40, i)
		for j := range inv.Versions {
			v := &inv.Versions[j]
			v.ID = retention.ID(i*1000 + j + 1)
			v.CreatedAt = now.Add(-idle - time.Duration(j/3)*every)
			v.UpdatedAt = v.CreatedAt
		}
		inv.Package.UpdatedAt, inv.ReadAt = inv.Versions[0].UpdatedAt, now
		if err := db.SaveSnapshot(ctx, inv); err != nil {
			return err
		}
	}
	return db.Close()
}

// releasedImages is a container of n versions: two-platform images, all of them
// tagged as releases.
func releasedImages(n int) retention.Inventory {
	inv := imagePackage(0)
	var nodes []retention.Node
	add := func(node retention.Node, tags ...string) string {
		node.Digest, node.MediaType = fmt.Sprintf("sha256:%064x", len(inv.Versions)+1), "application/vnd.oci.image.manifest.v1+json"
		inv.Versions = append(inv.Versions, retention.Version{Name: node.Digest, State: retention.Active, Tags: tags})
		nodes = append(nodes, node)
		return node.Digest
	}
	for i := 0; len(inv.Versions) < n; i++ {
		if len(inv.Versions)+3 > n {
			add(retention.Node{Kind: retention.KindImage, Platform: "linux/amd64"}, fmt.Sprintf("v0.%d.0", i))
			continue
		}
		children := []string{add(retention.Node{Kind: retention.KindImage, Platform: "linux/amd64"}), add(retention.Node{Kind: retention.KindImage, Platform: "linux/arm64"})}
		add(retention.Node{Kind: retention.KindIndex, Children: children}, fmt.Sprintf("v1.%d.%d", 40-i/10, 9-i%10))
	}
	inv.Graph = retention.NewGraph(nodes)
	return inv
}

// releasePackage is an npm package of n versions; where it is worked on, every
// fifth is a prerelease.
func releasePackage(n int, worked bool) retention.Inventory {
	inv := imagePackage(0)
	inv.Package.Type = retention.NPM
	for j := range n {
		name := fmt.Sprintf("1.%d.%d", (n-j)/10, (n-j)%10)
		if worked && j%5 == 4 {
			name += "-rc.1"
		}
		inv.Versions = append(inv.Versions, retention.Version{Name: name, State: retention.Active})
	}
	return inv
}
