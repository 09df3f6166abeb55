package oci

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestGraphTellsKinds(t *testing.T) {
	g := newRegistry(t)
	const intoto, sigLayer = "application/vnd.in-toto+json", "application/vnd.dev.cosign.simplesigning.v1+json"
	empty := obj{"mediaType": "application/vnd.oci.empty.v1+json", "digest": digestOf([]byte("{}")), "size": 2}
	layer := func(mt string) []obj {
		return []obj{{"mediaType": mt, "digest": digestOf([]byte(mt)), "size": 10}}
	}
	subject := digestOf([]byte("the subject"))
	cases := []struct {
		name string
		ct   string
		body obj
		tags []string
		want retention.Node // without digest, size and media type
	}{
		{"an OCI image", ociImage, image("a", nil), nil, retention.Node{Kind: retention.KindImage}},
		{"a Docker image", dockerImage, image("b", obj{"mediaType": dockerImage}), nil, retention.Node{Kind: retention.KindImage}},
		{"an image that refers to another", ociImage, image("c", obj{"subject": obj{"digest": subject}}), nil,
			retention.Node{Kind: retention.KindImage, Subject: subject}},
		{"an attestation by its layer", ociImage, image("d", obj{"layers": layer(intoto)}), nil, retention.Node{Kind: retention.KindAttestation}},
		{"an attestation by its artifact type", ociImage, image("e", obj{"artifactType": intoto, "config": empty, "subject": obj{"digest": subject}}), nil,
			retention.Node{Kind: retention.KindAttestation, ArtifactType: intoto, Subject: subject}},
		{"an attestation by cosign's tag", ociImage, image("f", nil), []string{refTag(subject, ".att")},
			retention.Node{Kind: retention.KindAttestation, Subject: subject}},
		{"a signature by its layer", ociImage, image("g", obj{"layers": layer(sigLayer)}), nil, retention.Node{Kind: retention.KindSignature}},
		{"a signature by cosign's tag", ociImage, image("h", nil), []string{refTag(subject, ".sig")},
			retention.Node{Kind: retention.KindSignature, Subject: subject}},
		{"an SBOM by cosign's tag", ociImage, image("i", nil), []string{refTag(subject, ".sbom")},
			retention.Node{Kind: retention.KindArtifact, Subject: subject}},
		{"a Sigstore bundle", ociImage, image("j", obj{"artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json", "config": empty}), nil,
			retention.Node{Kind: retention.KindSignature, ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json"}},
		{"a Sigstore bundle that holds an attestation", ociImage, image("k", obj{"artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json", "config": empty,
			"annotations": obj{"dev.sigstore.bundle.content": "dsse-envelope"}}), nil,
			retention.Node{Kind: retention.KindAttestation, ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json"}},
		{"a Helm chart", ociImage, image("l", obj{"config": obj{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": subject, "size": 3}}), nil,
			retention.Node{Kind: retention.KindArtifact, ArtifactType: "application/vnd.cncf.helm.config.v1+json"}},
		{"a manifest without a media type in it", ociImage, image("m", obj{"mediaType": ""}), nil, retention.Node{Kind: retention.KindImage}},
		{"a Docker schema 1 image", "application/vnd.docker.distribution.manifest.v1+prettyjws", obj{"schemaVersion": 1, "name": "acme/old", "fsLayers": []obj{}}, nil,
			retention.Node{Kind: retention.KindImage}},
		{"something else", "application/json", obj{"hello": "world"}, nil, retention.Node{Kind: retention.KindUnknown}},
		{"an index", ociIndex, indexOf(), nil, retention.Node{Kind: retention.KindIndex}},
		{"a manifest list", dockerList, obj{"schemaVersion": 2, "manifests": []obj{}}, nil, retention.Node{Kind: retention.KindIndex}},
		{"an index under a name that nobody knows", "application/x-index", obj{"mediaType": "application/x-index", "manifests": []obj{}}, nil,
			retention.Node{Kind: retention.KindIndex}},
	}
	var versions []retention.Version
	for i, c := range cases {
		versions = append(versions, version(i+1, g.push(c.ct, c.body), 0, c.tags...))
	}
	res := mustGraph(t, g.reader(), versions...)
	if len(res.Unread) > 0 {
		t.Fatalf("unread: %v", res.Unread)
	}
	graph := retention.NewGraph(res.Nodes)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := graph.Node(versions[i].Name)
			if !ok {
				t.Fatal("no node")
			}
			got.Digest, got.MediaType, got.SizeBytes = "", "", 0
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refTag is the tag that attaches a manifest to digest.
func refTag(digest, suffix string) string { return strings.Replace(digest, ":", "-", 1) + suffix }

func TestGraphOfAMultiPlatformImage(t *testing.T) {
	g := newRegistry(t)
	amd, arm := g.push(ociImage, image("amd64", nil)), g.push(ociImage, image("arm64", nil))
	att := g.push(ociImage, image("attestation", nil))
	attested := child(att, "unknown/unknown")
	attested["annotations"] = obj{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": amd}
	variant := child(arm, "linux/arm64")
	variant["platform"] = obj{"os": "linux", "architecture": "arm64", "variant": "v8"}
	idx := g.push(ociIndex, indexOf(child(amd, "linux/amd64"), variant, attested))

	res := mustGraph(t, g.reader(), version(1, amd, 0), version(2, arm, 0), version(3, att, 0), version(4, idx, 0, "v1"))
	want := Result{
		Nodes: []retention.Node{
			{Digest: idx, Kind: retention.KindIndex, MediaType: ociIndex, SizeBytes: int64(len(g.manifests[idx])), Children: []string{amd, arm, att}},
			{Digest: att, Kind: retention.KindAttestation, MediaType: ociImage, SizeBytes: 500},
			{Digest: arm, Kind: retention.KindImage, MediaType: ociImage, SizeBytes: 500, Platform: "linux/arm64/v8"},
			{Digest: amd, Kind: retention.KindImage, MediaType: ociImage, SizeBytes: 500, Platform: "linux/amd64"},
		},
		Calls: Calls{Challenge: 1, Token: 1, Manifest: 1},
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Error(diff)
	}
	graph := retention.NewGraph(res.Nodes)
	if graph.IsRoot(att) || graph.IsRoot(amd) || !graph.IsRoot(idx) {
		t.Error("the index must be the only root")
	}
	if got := graph.Without(map[string]bool{idx: true}); !got.IsRoot(att) {
		t.Error("an attestation must not outlive its index by the image it is about")
	}
}

func TestGraphOfNestedIndexes(t *testing.T) {
	g := newRegistry(t)
	leaf := g.push(ociImage, image("leaf", nil))
	inner := g.push(ociIndex, indexOf(child(leaf, "linux/amd64")))
	nested := child(inner, "")
	nested["mediaType"] = ociIndex
	outer := g.push(ociIndex, indexOf(nested))
	res := mustGraph(t, g.reader(), version(1, leaf, 0), version(2, inner, 0), version(3, outer, 0, "all"))
	if len(res.Unread) > 0 || res.Calls.Manifest != 2 {
		t.Fatalf("%d reads, unread %v; want 2 and none", res.Calls.Manifest, res.Unread)
	}
	if reach := retention.NewGraph(res.Nodes).Reach(outer); !reach[leaf] {
		t.Error("the leaf is not reached from the outer index")
	}
}

func TestGraphOfReferrers(t *testing.T) {
	g := newRegistry(t)
	img := g.push(ociImage, image("app", nil))
	sbom := g.push(ociImage, image("sbom", obj{"artifactType": "application/spdx+json", "subject": obj{"digest": img}}))
	silent := g.push(ociImage, image("silent", obj{"subject": obj{"digest": img}}))
	entry := child(sbom, "")
	entry["artifactType"] = "application/spdx+json"
	fallback := g.push(ociIndex, indexOf(entry, child(silent, "")))
	res := mustGraph(t, g.reader(), version(1, img, 0, "v1"), version(2, sbom, 1), version(3, silent, 2), version(4, fallback, 3, refTag(img, "")))
	want := []retention.Node{
		{Digest: fallback, Kind: retention.KindIndex, MediaType: ociIndex, SizeBytes: int64(len(g.manifests[fallback])), Children: []string{sbom, silent}, Subject: img},
		{Digest: silent, Kind: retention.KindUnknown, MediaType: ociImage, SizeBytes: 500, Subject: img},
		{Digest: sbom, Kind: retention.KindArtifact, MediaType: ociImage, ArtifactType: "application/spdx+json", SizeBytes: 500, Subject: img},
		{Digest: img, Kind: retention.KindImage, MediaType: ociImage, SizeBytes: int64(len(g.manifests[img])) + 1100},
	}
	if diff := cmp.Diff(want, res.Nodes); diff != "" {
		t.Error(diff)
	}
}

func TestChildIsReadOnceNoIndexHoldsIt(t *testing.T) {
	g := newRegistry(t)
	img := g.push(ociImage, image("app", nil))
	sbom := g.push(ociImage, image("sbom", obj{"subject": obj{"digest": img}}))
	idx := g.push(ociIndex, indexOf(child(sbom, "")))
	r := g.reader(func(o *Options) { o.Cache = &MemoryCache{} })
	mustGraph(t, r, version(1, img, 0, "v1"), version(2, sbom, 1), version(3, idx, 2))
	if g.gets[sbom] != 0 {
		t.Fatal("a described child was fetched")
	}
	res := mustGraph(t, r, version(1, img, 0, "v1"), version(2, sbom, 1))
	n, _ := retention.NewGraph(res.Nodes).Node(sbom)
	if g.gets[sbom] != 1 || n.Subject != img {
		t.Errorf("after its index went, the child was read %d times and has the subject %q", g.gets[sbom], n.Subject)
	}
}

func TestArtifactInAnIndexIsReadForItsSubject(t *testing.T) {
	const spdx = "application/spdx+json"
	empty := obj{"mediaType": "application/vnd.oci.empty.v1+json", "digest": digestOf([]byte("{}")), "size": 2}
	g := newRegistry(t)
	img := g.push(ociImage, image("app", nil))
	sbom := g.push(ociImage, image("sbom", obj{"artifactType": spdx, "config": empty, "subject": obj{"digest": img}}))
	listed := child(sbom, "")
	listed["artifactType"] = spdx
	idx := g.push(ociIndex, indexOf(listed))
	for _, c := range []struct {
		name string
		tags []string // of the index
		gets int
	}{
		{"an index of artifacts does not say what they refer to", nil, 1},
		{"a fallback index says so by its tag", []string{refTag(img, "")}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.gets[sbom] = 0
			res := mustGraph(t, g.reader(), version(1, img, 0, "v1"), version(2, sbom, 1), version(3, idx, 2, c.tags...))
			n, _ := retention.NewGraph(res.Nodes).Node(sbom)
			if n.Subject != img || n.Kind != retention.KindArtifact || g.gets[sbom] != c.gets || !res.Complete() {
				t.Errorf("subject %q, kind %s, read %d times, unread %v", n.Subject, n.Kind, g.gets[sbom], res.Unread)
			}
		})
	}
}

func TestVersionAttachedToSeveralManifests(t *testing.T) {
	g := newRegistry(t)
	a, b := g.push(ociImage, image("a", nil)), g.push(ociImage, image("b", nil))
	sbom := g.push(ociImage, image("sbom", nil))
	both := version(3, sbom, 2, refTag(a, ".sbom"), refTag(b, ".sbom"))

	res := mustGraph(t, g.reader(), version(1, a, 0, "a"), version(2, b, 1, "b"), both)
	n, _ := retention.NewGraph(res.Nodes).Node(sbom)
	if got := n.Subjects(); len(res.Unread) > 0 || len(got) != 2 || !slices.Contains(got, a) || !slices.Contains(got, b) {
		t.Errorf("with both there: subjects %v, unread %v", got, res.Unread)
	}
	res = mustGraph(t, g.reader(), version(2, b, 1, "b"), both)
	n, _ = retention.NewGraph(res.Nodes).Node(sbom)
	if len(res.Unread) > 0 || n.Subject != b {
		t.Errorf("with one there: subject %q, unread %v", n.Subject, res.Unread)
	}
}

func TestMissingChildren(t *testing.T) {
	g := newRegistry(t)
	here, gone := g.push(ociImage, image("here", nil)), digestOf([]byte("gone"))
	idx := g.push(ociIndex, indexOf(child(here, "linux/amd64"), child(gone, "linux/arm64"), child(gone, "linux/arm64")))
	res := mustGraph(t, g.reader(), version(1, here, 0), version(2, idx, 1, "v1"))
	n, _ := retention.NewGraph(res.Nodes).Node(idx)
	if diff := cmp.Diff([]string{gone}, n.Missing); diff != "" || len(res.Unread) > 0 {
		t.Errorf("missing: %s, unread %v", diff, res.Unread)
	}
	if diff := cmp.Diff(Calls{Challenge: 1, Token: 1, Manifest: 1, Head: 1}, res.Calls); diff != "" {
		t.Error(diff)
	}
}

func TestBlobsInACacheIndexAreNoChildren(t *testing.T) {
	g := newRegistry(t)
	blob := func(mt string) obj {
		return obj{"mediaType": mt, "digest": digestOf([]byte(mt)), "size": 9}
	}
	idx := g.push(ociIndex, indexOf(blob(ociLayer), blob("application/vnd.buildkit.cacheconfig.v0")))
	res := mustGraph(t, g.reader(), version(1, idx, 0, "buildcache"))
	n, _ := retention.NewGraph(res.Nodes).Node(idx)
	if len(n.Children)+len(n.Missing)+res.Calls.Head+len(res.Unread) > 0 {
		t.Errorf("children %v, missing %v, %d HEADs, unread %v; want none", n.Children, n.Missing, res.Calls.Head, res.Unread)
	}
}

func TestListedVersionWithoutManifest(t *testing.T) {
	g := newRegistry(t)
	good, broken := g.push(ociImage, image("good", nil)), digestOf([]byte("broken"))
	res := mustGraph(t, g.reader(), version(1, good, 0, "v1"), version(2, broken, 1, "v2"))
	n, _ := retention.NewGraph(res.Nodes).Node(broken)
	if diff := cmp.Diff(retention.Node{Digest: broken, Kind: retention.KindUnknown}, n); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{broken}, res.Broken); diff != "" || !res.Complete() {
		t.Errorf("broken: %s, unread %v", diff, res.Unread)
	}
	if g.heads["v2"] != 1 {
		t.Error("the 404 was not confirmed by the version's tag")
	}
}

func TestDeletedVersionsAreNotRead(t *testing.T) {
	g := newRegistry(t)
	v := version(1, digestOf([]byte("deleted")), 0, "v1")
	v.State = retention.Deleted
	if diff := cmp.Diff(Result{Nodes: []retention.Node{}}, mustGraph(t, g.reader(), v)); diff != "" {
		t.Error(diff)
	}
}
