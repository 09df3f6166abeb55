package githubsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	allFour     = ociIndex + ", " + ociManifest + ", application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)

const registrySeed = `{"owners":[{"login":"acme","packages":[
 {"name":"team/api","package_type":"container","versions":[
  {"key":"amd64","platform":"linux/amd64"},{"key":"arm64","platform":"linux/arm64/v8"},
  {"key":"provenance","buildkit_attestation_of":"amd64"},{"key":"absent","platform":"linux/s390x","missing":true},
  {"key":"v1","index":["amd64","arm64","provenance"],"tags":["v1"]},
  {"key":"nested","index":["v1"],"tags":["nested"]},
  {"key":"partial","index":["amd64","absent"],"tags":["partial"]},
  {"key":"d-amd64","media_type":"docker"},{"key":"d-list","media_type":"docker","index":["d-amd64"],"tags":["docker"]},
  {"key":"sig","cosign_signature_of":"v1"},{"key":"att","cosign_attestation_of":"v1"},{"key":"sbom","cosign_sbom_of":"v1"},
  {"key":"referrer","subject":"v1","artifact_type":"application/spdx+json"},
  {"key":"fallback","fallback_referrers_of":"v1","index":["referrer"]},
  {"key":"chart","config_media_type":"application/vnd.cncf.helm.config.v1+json","tags":["chart"]},
  {"key":"unlisted","unlisted":true,"tags":["unlisted"]},{"key":"listed-only","registry_missing":true},
  {"key":"broken","manifest_status":500},{"key":"corrupt","corrupt":true},
  {"key":"deleted","deleted_at":"-1d"}]},
 {"name":"open","package_type":"container","visibility":"public","versions":[{"key":"a","tags":["a"]},{"key":"b","tags":["b"]}]}]}],
 "tokens":[{"token":"good","login":"bot","scopes":["read:packages"]},{"token":"scopeless","login":"bot","scopes":[]},
           {"token":"blind","login":"bot","scopes":["read:packages"],"packages":["open"]}]}`

// digests maps keys to digests of a package.
func digests(t *testing.T, sim *simtest.Running, pkg string) map[string]string {
	t.Helper()
	p, ok := sim.Server.State().Package("acme", retention.Container, pkg)
	if !ok {
		t.Fatalf("no package %s", pkg)
	}
	out := map[string]string{}
	for _, v := range p.Versions {
		out[v.Key] = v.Name
	}
	return out
}

func pullTokenOf(t *testing.T, sim *simtest.Running, repository, credential string) string {
	t.Helper()
	var headers []string
	if credential != "" {
		req := http.Request{Header: http.Header{}}
		req.SetBasicAuth("any", credential)
		headers = []string{"Authorization", req.Header.Get("Authorization")}
	}
	r := ask(t, "GET", sim.URL+"/token?service=ghcr.io&scope="+url.QueryEscape("repository:"+repository+":pull"), "", headers...)
	if r.Status != 200 {
		t.Fatalf("token: %d %s", r.Status, r.Body)
	}
	var body struct {
		Token     string
		ExpiresIn int `json:"expires_in"`
	}
	r.decode(t, &body)
	if body.Token == "" || body.ExpiresIn != 300 {
		t.Fatalf("token %+v", body)
	}
	return body.Token
}

func TestClientPullsEveryShape(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	host := strings.TrimPrefix(sim.URL, "http://")
	auth := remote.WithAuth(&authn.Basic{Username: "any", Password: "good"})
	for _, tag := range []string{"v1", "nested", "docker"} {
		t.Run(tag, func(t *testing.T) {
			ref, err := name.ParseReference(host + "/acme/team/api:" + tag)
			if err != nil {
				t.Fatal(err)
			}
			index, err := remote.Index(ref, auth)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Index(index); err != nil {
				t.Errorf("index does not hold together: %v", err)
			}
		})
	}
	t.Run("images of all platforms", func(t *testing.T) {
		for platform, key := range map[string]string{"linux/amd64": "amd64", "linux/arm64/v8": "arm64"} {
			ref, err := name.ParseReference(host + "/acme/team/api:v1")
			if err != nil {
				t.Fatal(err)
			}
			p, err := v1.ParsePlatform(platform)
			if err != nil {
				t.Fatal(err)
			}
			image, err := remote.Image(ref, auth, remote.WithPlatform(*p))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(image); err != nil {
				t.Errorf("%s: %v", platform, err)
			}
			digest, err := image.Digest()
			if err != nil {
				t.Fatal(err)
			}
			if want := digests(t, sim, "team/api")[key]; digest.String() != want {
				t.Errorf("%s: digest %s, want %s", platform, digest, want)
			}
		}
	})
	t.Run("helm chart", func(t *testing.T) {
		ref, err := name.ParseReference(host + "/acme/team/api:chart")
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(ref, auth)
		if err != nil {
			t.Fatal(err)
		}
		config, err := partial.ConfigLayer(image)
		if err != nil {
			t.Fatal(err)
		}
		if media, err := config.MediaType(); err != nil || media != "application/vnd.cncf.helm.config.v1+json" {
			t.Errorf("config %s, %v", media, err)
		}
	})
}

func TestIndexDescribesItsChildren(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	d := digests(t, sim, "team/api")
	token := pullTokenOf(t, sim, "acme/team/api", "good")
	var index v1.IndexManifest
	ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/v1", token, "Accept", allFour).decode(t, &index)
	type child struct {
		Digest, Platform string
		Annotations      map[string]string
	}
	var got []child
	for _, m := range index.Manifests {
		got = append(got, child{m.Digest.String(), m.Platform.String(), m.Annotations})
	}
	want := []child{
		{d["amd64"], "linux/amd64", nil},
		{d["arm64"], "linux/arm64/v8", nil},
		{d["provenance"], "unknown/unknown", map[string]string{
			"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": d["amd64"],
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReferrersAreAttachedAsOnGHCR(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	d := digests(t, sim, "team/api")
	token := pullTokenOf(t, sim, "acme/team/api", "good")
	base := sim.URL + "/v2/acme/team/api/"
	tag := strings.Replace(d["v1"], ":", "-", 1)
	for suffix, key := range map[string]string{".sig": "sig", ".att": "att", ".sbom": "sbom", "": "fallback"} {
		r := ask(t, "GET", base+"manifests/"+tag+suffix, token, "Accept", allFour)
		if got := r.Header.Get("Docker-Content-Digest"); got != d[key] {
			t.Errorf("tag %s is %s, want %s (%d %s)", tag+suffix, got, d[key], r.Status, r.Body)
		}
	}
	var referrer v1.Manifest
	ask(t, "GET", base+"manifests/"+d["referrer"], token, "Accept", allFour).decode(t, &referrer)
	if referrer.Subject == nil || referrer.Subject.Digest.String() != d["v1"] || referrer.ArtifactType != "application/spdx+json" {
		t.Errorf("referrer %+v", referrer)
	}
	if r := ask(t, "GET", base+"referrers/"+d["v1"], token); r.Status != 404 || !strings.Contains(r.Body, "MANIFEST_UNKNOWN") {
		t.Errorf("referrers API: %d %s", r.Status, r.Body)
	}
}

func TestAnswersOfTheRegistry(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	d := digests(t, sim, "team/api")
	token := pullTokenOf(t, sim, "acme/team/api", "good")
	m := "/v2/acme/team/api/manifests/"
	for _, tc := range []struct {
		name, method, path, token, accept string
		status                            int
		contains                          string
	}{
		{"no token", "GET", m + "v1", "", allFour, 401, "UNAUTHORIZED"},
		{"a PAT is no bearer token", "GET", m + "v1", "good", allFour, 401, "UNAUTHORIZED"},
		{"tag", "GET", m + "v1", token, allFour, 200, "manifests"},
		{"digest", "GET", m + d["amd64"], token, allFour, 200, "layers"},
		{"head", "HEAD", m + "v1", token, allFour, 200, ""},
		{"index without Accept", "GET", m + "v1", token, "", 404, "OCI index found, but Accept header does not support OCI indexes"},
		{"index with a wildcard", "GET", m + "v1", token, "*/*", 404, "OCI index found, but Accept header does not support OCI indexes"},
		{"image with an index's Accept", "GET", m + d["amd64"], token, ociIndex, 404, "OCI manifest found, but Accept header does not support OCI manifests"},
		{"docker list with OCI's Accept", "GET", m + "docker", token, ociIndex, 404, "MANIFEST_UNKNOWN"},
		{"unknown tag", "GET", m + "v9", token, allFour, 404, "MANIFEST_UNKNOWN"},
		{"deleted version", "GET", m + d["deleted"], token, allFour, 404, "MANIFEST_UNKNOWN"},
		{"listed only", "GET", m + d["listed-only"], token, allFour, 404, "MANIFEST_UNKNOWN"},
		{"unlisted", "GET", m + "unlisted", token, allFour, 200, "layers"},
		{"unreadable", "GET", m + d["broken"], token, allFour, 500, "UNKNOWN"},
		{"other repository than the token's", "GET", "/v2/acme/open/manifests/a", token, allFour, 403, "DENIED"},
		{"delete", "DELETE", m + d["amd64"], token, "", 405, "UNSUPPORTED"},
		{"push", "POST", "/v2/acme/team/api/blobs/uploads/", token, "", 405, "UNSUPPORTED"},
		{"unknown blob", "GET", "/v2/acme/team/api/blobs/sha256:00", token, "", 404, "BLOB_UNKNOWN"},
		{"tags", "GET", "/v2/acme/team/api/tags/list", token, "", 200, `"docker"`},
		{"version check", "GET", "/v2/", token, "", 200, ""},
		{"no such route", "GET", "/v2/odd", token, "", 404, "NAME_UNKNOWN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var headers []string
			if tc.accept != "" {
				headers = []string{"Accept", tc.accept}
			}
			r := ask(t, tc.method, sim.URL+tc.path, tc.token, headers...)
			if r.Status != tc.status || !strings.Contains(r.Body, tc.contains) {
				t.Errorf("%d %s, want %d with %q", r.Status, r.Body, tc.status, tc.contains)
			}
		})
	}
}

func TestMissingChildIsNamedButNowhere(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	token := pullTokenOf(t, sim, "acme/team/api", "good")
	var index v1.IndexManifest
	ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/partial", token, "Accept", allFour).decode(t, &index)
	digest := index.Manifests[1].Digest.String()
	if r := ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/"+digest, token, "Accept", allFour); r.Status != 404 {
		t.Errorf("registry: %d", r.Status)
	}
	list := ask(t, "GET", sim.URL+"/orgs/acme/packages/container/team%2Fapi/versions?per_page=100", "good").Body
	d := digests(t, sim, "team/api")
	if strings.Contains(list, digest) || strings.Contains(list, d["unlisted"]) || !strings.Contains(list, d["listed-only"]) {
		t.Error("the listing shows a missing or unlisted version, or hides a listed one")
	}
}

func TestCorruptContentDoesNotMatchItsDigest(t *testing.T) {
	sim, _ := startText(t, registrySeed)
	ref, err := name.ParseReference(strings.TrimPrefix(sim.URL, "http://") + "/acme/team/api@" + digests(t, sim, "team/api")["corrupt"])
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.Get(ref, remote.WithAuth(&authn.Basic{Username: "any", Password: "good"}))
	if err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("got %v", err)
	}
}

func TestWhoMayPull(t *testing.T) {
	sim, clk := startText(t, registrySeed)
	challenge := ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/v1", "").Header.Get("Www-Authenticate")
	if want := `Bearer realm="` + sim.URL + `/token",service="ghcr.io",scope="repository:acme/team/api:pull"`; challenge != want {
		t.Errorf("challenge %q, want %q", challenge, want)
	}
	for credential, want := range map[string]int{"scopeless": 403, "blind": 403, "good": 200} {
		token := pullTokenOf(t, sim, "acme/team/api", credential)
		if r := ask(t, "GET", sim.URL+"/v2/acme/team/api/manifests/v1", token, "Accept", allFour); r.Status != want {
			t.Errorf("%s: %d %s, want %d", credential, r.Status, r.Body, want)
		}
	}
	if r := ask(t, "GET", sim.URL+"/token?scope=repository:acme/team/api:pull", ""); r.Status != 403 || !strings.Contains(r.Body, "DENIED") {
		t.Errorf("anonymous token for a private package: %d %s", r.Status, r.Body)
	}
	token := pullTokenOf(t, sim, "acme/open", "")
	open := sim.URL + "/v2/acme/open/manifests/a"
	if r := ask(t, "GET", open, token, "Accept", allFour); r.Status != 200 {
		t.Errorf("anonymous pull of a public package: %d %s", r.Status, r.Body)
	}
	clk.Advance(5 * time.Minute)
	if r := ask(t, "GET", open, token, "Accept", allFour); r.Status != 401 {
		t.Errorf("after its end the token answers %d", r.Status)
	}
}

func TestReadingManifestsCountsAsDownloads(t *testing.T) {
	seed := seedOf(t, `{"owners":[{"login":"acme","packages":[{"name":"open","package_type":"container","visibility":"public","versions":[
		{"key":"a","id":1,"tags":["a"],"downloads":4999},{"key":"b","tags":["b"]}]}]}]}`)
	sim := simtest.Start(t, seed)
	token := pullTokenOf(t, sim, "acme/open", "")
	for _, method := range []string{"HEAD", "GET", "GET"} {
		ask(t, method, sim.URL+"/v2/acme/open/manifests/a", token, "Accept", allFour)
	}
	p, _ := sim.Server.State().Package("acme", retention.Container, "open")
	if v, _ := p.Version("a"); v.Downloads != 5001 {
		t.Errorf("downloads %d, want 5001", v.Downloads)
	}
	if r := ask(t, "DELETE", sim.URL+"/orgs/acme/packages/container/open/versions/1", "any"); r.Status != 400 {
		t.Errorf("delete after the reads: %d %s", r.Status, r.Body)
	}
}

func TestBlobsOutliveTheirVersion(t *testing.T) {
	seed := seedOf(t, `{"owners":[{"login":"acme","packages":[{"name":"api","package_type":"container","versions":[
		{"key":"a","id":1},{"key":"b","id":2,"tags":["b"]}]}]}]}`)
	sim := simtest.Start(t, seed, githubsim.WithClock(testclock.New(start).Now))
	token := pullTokenOf(t, sim, "acme/api", "any")
	manifest := sim.URL + "/v2/acme/api/manifests/" + digests(t, sim, "api")["a"]
	var m v1.Manifest
	ask(t, "GET", manifest, token, "Accept", allFour).decode(t, &m)
	if r := ask(t, "DELETE", sim.URL+"/orgs/acme/packages/container/api/versions/1", "any"); r.Status != 204 {
		t.Fatalf("delete: %d %s", r.Status, r.Body)
	}
	if r := ask(t, "GET", manifest, token, "Accept", allFour); r.Status != 404 {
		t.Errorf("manifest: %d", r.Status)
	}
	if r := ask(t, "GET", sim.URL+"/v2/acme/api/blobs/"+m.Config.Digest.String(), token); r.Status != 200 {
		t.Errorf("blob: %d", r.Status)
	}
}
