package enforce_test

import (
	"fmt"
	"time"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func ago(days int) githubsim.When { return githubsim.Ago(time.Duration(days) * 24 * time.Hour) }

func image(key string, days int, tags ...string) githubsim.Version {
	return githubsim.Version{Key: key, Tags: tags, CreatedAt: ago(days)}
}

func index(key string, days int, children []string, tags ...string) githubsim.Version {
	return githubsim.Version{Key: key, Tags: tags, CreatedAt: ago(days), Index: children}
}

func platform(key string, days int, p string) githubsim.Version {
	return githubsim.Version{Key: key, CreatedAt: ago(days), Platform: p}
}

// apiVersions are three images for two platforms, of which the newer two share
// one, with an attestation and a signature, and two plain images.
func apiVersions() []githubsim.Version {
	return []githubsim.Version{
		image("plain", 99, "plain"),
		platform("v1-amd", 91, "linux/amd64"), platform("v1-arm", 91, "linux/arm64"),
		{Key: "v1-att", CreatedAt: ago(91), BuildkitAttestationOf: "v1-amd"},
		index("v1", 90, []string{"v1-amd", "v1-arm", "v1-att"}, "v1"),
		{Key: "v1-sig", CreatedAt: ago(90), CosignSignatureOf: "v1"},
		platform("shared", 81, "linux/arm64"), platform("v2-amd", 81, "linux/amd64"),
		index("v2", 80, []string{"v2-amd", "shared"}, "v2"),
		platform("v3-amd", 71, "linux/amd64"),
		index("v3", 70, []string{"v3-amd", "shared"}, "v3", "latest"),
		image("stable", 60, "stable"),
	}
}

func acmePackages() []githubsim.Package {
	web := []githubsim.Version{}
	for i := range 8 {
		web = append(web, image(fmt.Sprintf("w%d", i), 50-i, fmt.Sprintf("w%d", i)))
	}
	lib := []githubsim.Version{}
	for i := range 4 {
		lib = append(lib, githubsim.Version{Name: fmt.Sprintf("1.%d.0", i), CreatedAt: ago(40 - i)})
	}
	return []githubsim.Package{
		{Name: "team/api", Type: retention.Container, Versions: apiVersions()},
		{Name: "web", Type: retention.Container, Versions: web},
		{Name: "lib", Type: retention.NPM, Versions: lib},
	}
}

func acmeSeed() githubsim.Seed {
	return githubsim.Seed{Owners: []githubsim.Owner{{Login: "acme", Packages: acmePackages()}}}
}
