package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// The simulator's seed (docs/simulator.md), as far as the rows need it. It is
// written down anew: the simulator is reached as a program, not as a package.
type seed struct {
	Owners     []seedOwner `json:"owners"`
	Latency    string      `json:"latency,omitempty"`
	RateLimits *rateLimits `json:"rate_limits,omitempty"`
}

type seedOwner struct {
	Login    string        `json:"login"`
	Kind     string        `json:"kind"`
	Packages []seedPackage `json:"packages"`
}

type seedPackage struct {
	Name       string        `json:"name"`
	Type       string        `json:"package_type"`
	Visibility string        `json:"visibility,omitempty"`
	Versions   []seedVersion `json:"versions"`
}

type seedVersion struct {
	Key       string   `json:"key,omitempty"`
	Name      string   `json:"name,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	CreatedAt string   `json:"created_at"`
	Index     []string `json:"index,omitempty"`
	Platform  string   `json:"platform,omitempty"`
	CosignOf  string   `json:"cosign_signature_of,omitempty"`
}

type rateLimits struct {
	Limit           int  `json:"limit,omitempty"`
	PointsPerMinute int  `json:"secondary_points_per_minute,omitempty"`
	Enforce         bool `json:"enforce,omitempty"`
}

// owner is the login that every seed uses.
const owner = "acme"

// ample is an hourly quota that no row uses up: what a sweep costs of the real
// one is a figure, not something to wait for.
const ample = 1_000_000

func newSeed(pkgs ...seedPackage) seed {
	return seed{
		Owners:     []seedOwner{{Login: owner, Kind: "organization", Packages: pkgs}},
		RateLimits: &rateLimits{Limit: ample, PointsPerMinute: ample},
	}
}

// releases are npm packages of plain releases, of which no shipped policy wants
// anything: as a sweep finds most packages on most days. Their visibilities
// differ, so that more than 10,000 of them could be listed.
func releases(packages, versions int) []seedPackage {
	out := make([]seedPackage, packages)
	for i := range out {
		p := seedPackage{Name: fmt.Sprintf("package-%05d", i), Type: "npm", Visibility: []string{"private", "public"}[i%2]}
		for j := range versions {
			p.Versions = append(p.Versions, seedVersion{Name: fmt.Sprintf("1.%d.%d", j/10, j%10), CreatedAt: fmt.Sprintf("-%dh", versions-j)})
		}
		out[i] = p
	}
	return out
}

// prereleases is an npm package with n prereleases that expire and as many
// releases that stay.
func prereleases(n int) seedPackage {
	p := seedPackage{Name: "widgets", Type: "npm"}
	for i := range n {
		p.Versions = append(p.Versions,
			seedVersion{Name: fmt.Sprintf("1.%d.0-rc.1", i), CreatedAt: fmt.Sprintf("-%dd", 400+n-i)},
			seedVersion{Name: fmt.Sprintf("1.%d.0", i), CreatedAt: fmt.Sprintf("-%dd", 400+n-i)})
	}
	return p
}

// images is a container package of two-platform images, signed ones among
// them, and untagged single-platform ones.
func images(name string, indexes, signed, untagged int) seedPackage {
	p := seedPackage{Name: name, Type: "container"}
	for i := range indexes {
		key, age := fmt.Sprintf("image-%d", i), fmt.Sprintf("-%dh", 48+i*7)
		children := []string{key + "-amd64", key + "-arm64"}
		p.Versions = append(p.Versions,
			seedVersion{Key: key, CreatedAt: age, Tags: []string{fmt.Sprintf("v1.%d.%d", i/20, i%20)}, Index: children},
			seedVersion{Key: children[0], CreatedAt: age, Platform: "linux/amd64"},
			seedVersion{Key: children[1], CreatedAt: age, Platform: "linux/arm64"})
		if i < signed {
			p.Versions = append(p.Versions, seedVersion{Key: key + "-signature", CreatedAt: age, CosignOf: key})
		}
	}
	for i := range untagged {
		p.Versions = append(p.Versions, seedVersion{Key: fmt.Sprintf("untagged-%d", i), CreatedAt: fmt.Sprintf("-%dh", 48+i*21), Platform: "linux/amd64"})
	}
	return p
}

func (s seed) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write seed: %w", err)
	}
	if err := json.NewEncoder(f).Encode(s); err != nil {
		_ = f.Close()
		return fmt.Errorf("write seed: %w", err)
	}
	return f.Close()
}
