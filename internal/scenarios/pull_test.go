package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// pulls is what a registry client gets for each tag: package:tag → every
// manifest below it, as digest and bytes, or why it could not be had.
type pulls map[string]string

// puller pulls the way a runtime does, and checks every byte against its digest.
type puller struct {
	t      *testing.T
	host   string
	client *remote.Puller
	blobs  map[string]bool // checked already, by repository and digest
}

// pullAll pulls every tag that is there, referrer tags included.
func (w *world) pullAll() pulls {
	w.t.Helper()
	client, err := remote.NewPuller(
		remote.WithAuth(&authn.Basic{Username: "any", Password: token}), remote.WithContext(w.t.Context()),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryStatusCodes(),
		remote.WithRetryPredicate(func(error) bool { return false }),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &puller{t: w.t, host: strings.TrimPrefix(w.sim.URL, "http://"), client: client, blobs: map[string]bool{}}
	out := pulls{}
	for _, o := range w.sim.Server.State().Owners {
		for _, pkg := range o.Packages {
			if pkg.Type != retention.Container || pkg.State != retention.Active {
				continue
			}
			for _, v := range pkg.Versions {
				for _, tag := range v.Tags {
					if v.State == retention.Active {
						out[pkg.Name+":"+tag] = p.pull(o.Login+"/"+pkg.Name, tag)
					}
				}
			}
		}
	}
	return out
}

func (p *puller) pull(repository, tag string) string {
	p.t.Helper()
	repo, err := name.NewRepository(p.host+"/"+repository, name.Insecure)
	if err != nil {
		p.t.Fatal(err)
	}
	var tree strings.Builder
	p.walk(&tree, repo, repo.Tag(tag), 0)
	return tree.String()
}

// walk writes one line per manifest. What can't be had is part of the picture:
// before and after must show the same.
func (p *puller) walk(out *strings.Builder, repo name.Repository, ref name.Reference, depth int) {
	p.t.Helper()
	indent := strings.Repeat("  ", depth)
	desc, err := p.client.Get(p.t.Context(), ref)
	if err != nil {
		fmt.Fprintf(out, "%s%s: %s\n", indent, ref.Identifier(), refusal(err))
		return
	}
	sum := sha256.Sum256(desc.Manifest)
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != desc.Digest.String() {
		p.t.Errorf("%s: the manifest's digest is %s, not %s", ref, got, desc.Digest)
	}
	fmt.Fprintf(out, "%s%s %s %s\n", indent, desc.Digest, desc.MediaType, desc.Manifest)
	if desc.MediaType.IsIndex() {
		index, err := v1.ParseIndexManifest(bytes.NewReader(desc.Manifest))
		if err != nil {
			p.t.Errorf("%s: %v", ref, err)
			return
		}
		for _, child := range index.Manifests {
			p.walk(out, repo, repo.Digest(child.Digest.String()), depth+1)
		}
		return
	}
	m, err := v1.ParseManifest(bytes.NewReader(desc.Manifest))
	if err != nil {
		p.t.Errorf("%s: %v", ref, err)
		return
	}
	for _, d := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		p.blob(repo, d)
	}
}

func (p *puller) blob(repo name.Repository, d v1.Descriptor) {
	p.t.Helper()
	known := repo.Name() + "@" + d.Digest.String()
	if p.blobs[known] {
		return
	}
	p.blobs[known] = true
	layer, err := p.client.Layer(p.t.Context(), repo.Digest(d.Digest.String()))
	if err != nil {
		p.t.Errorf("blob %s: %v", known, err)
		return
	}
	body, err := layer.Compressed()
	if err != nil {
		p.t.Errorf("blob %s: %v", known, err)
		return
	}
	defer body.Close()
	h := sha256.New()
	n, err := io.Copy(h, body)
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); err != nil || got != d.Digest.String() || n != d.Size {
		p.t.Errorf("blob %s: %d bytes of %d, digest %s, %v", known, n, d.Size, got, err)
	}
}

// refusal is what the registry answered, without what differs between two calls.
func refusal(err error) string {
	if te, ok := errors.AsType[*transport.Error](err); ok {
		return http.StatusText(te.StatusCode)
	}
	return "not as its digest says"
}
