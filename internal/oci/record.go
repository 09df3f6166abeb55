package oci

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// recordVersion is raised whenever the same manifest would give another
// record; records of other versions are read from the registry again.
const recordVersion = 1

// record is what a manifest says, as far as the graph needs it. It holds only
// facts that the digest fixes.
type record struct {
	Version      int                    `json:"v"`
	MediaType    string                 `json:"m,omitempty"`
	ArtifactType string                 `json:"a,omitempty"`
	Kind         retention.ManifestKind `json:"k"`
	Size         int64                  `json:"s"` // the manifest and the layers it names
	Subject      string                 `json:"r,omitempty"`
	Children     []descriptor           `json:"c,omitempty"`
}

// descriptor is what an index says of one of its children.
type descriptor struct {
	Digest       string `json:"d"`
	MediaType    string `json:"m,omitempty"`
	ArtifactType string `json:"a,omitempty"`
	Platform     string `json:"p,omitempty"`
	Size         int64  `json:"s,omitempty"` // of the child's manifest alone
	Attestation  bool   `json:"t,omitempty"` // BuildKit's annotation says so
}

// describes reports whether the descriptor says enough of the child that it
// need not be fetched. An index below an index has children of its own, and a
// media type that is missing or not known leaves open what the child is.
func (d descriptor) describes() bool { return manifestType(d.MediaType) == typeImage }

// mayRefer reports whether the child is an artifact that may name a subject of
// its own, which the descriptor does not say. What BuildKit marks as an
// attestation belongs to its index.
func (d descriptor) mayRefer() bool {
	return d.ArtifactType != "" && !types.MediaType(d.ArtifactType).IsConfig() && !d.Attestation
}

// maybeManifest reports whether the descriptor may mean a manifest rather than
// a blob: BuildKit's cache indexes list layers among their manifests.
func (d descriptor) maybeManifest() bool {
	return d.MediaType == "" || manifestType(d.MediaType) != typeOther
}

func (r record) encode() ([]byte, error) { return json.Marshal(r) }

// decodeRecord reads a cached record. An error means that the manifest has to
// be read from the registry.
func decodeRecord(b []byte, lim Limits) (record, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("decode cached manifest: %w", err)
	}
	if r.Version != recordVersion || r.Kind == "" || len(r.Children) > lim.Children {
		return record{}, fmt.Errorf("cached manifest of version %d is of no use", r.Version)
	}
	for _, c := range r.Children {
		if _, err := v1.NewHash(c.Digest); err != nil {
			return record{}, fmt.Errorf("decode cached manifest: %w", err)
		}
	}
	return r, nil
}

type mediaClass int

const (
	typeOther mediaClass = iota
	typeIndex
	typeImage
)

// ociArtifactManifest was in release candidates of the OCI specification 1.1.
const ociArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json"

// manifestType sorts the media types of manifests.
func manifestType(mt string) mediaClass {
	t := types.MediaType(mt)
	switch {
	case t.IsIndex():
		return typeIndex
	case t.IsImage(), t.IsSchema1(), mt == ociArtifactManifest:
		return typeImage
	}
	return typeOther
}
