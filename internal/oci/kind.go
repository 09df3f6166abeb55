package oci

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	typeInToto       = "application/vnd.in-toto" // +json, and .statement.v1+json and the like
	typeDSSE         = "application/vnd.dsse.envelope.v1+json"
	typeSigstore     = "application/vnd.dev.sigstore.bundle" // …v0.3+json
	typeCosignLayer  = "application/vnd.dev.cosign.simplesigning.v1+json"
	typeCosignSig    = "application/vnd.dev.cosign.artifact.sig.v1+json"
	typeNotarySig    = "application/vnd.cncf.notary.signature"
	contentDSSE      = "dsse-envelope"
	platformUnstated = "unknown/unknown" // what BuildKit gives attestations in an index
)

// classify tells what a fetched manifest that is no index is, and its artifact
// type: the field, or else the media type of a configuration that is not an
// image's (OCI image specification, "Guidelines for Artifact Usage").
func classify(m wireManifest, mediaType string, layers []wireDescriptor) (retention.ManifestKind, string) {
	if types.MediaType(mediaType).IsSchema1() {
		return retention.KindImage, ""
	}
	if manifestType(mediaType) == typeOther {
		return retention.KindUnknown, m.ArtifactType
	}
	config := ""
	if m.Config != nil {
		config = m.Config.MediaType
	}
	imageConfig := types.MediaType(config).IsConfig()
	artifactType := m.ArtifactType
	if artifactType == "" && !imageConfig && config != string(types.OCIEmptyJSON) {
		artifactType = config
	}
	for _, t := range append([]string{artifactType, config}, layerTypes(layers)...) {
		if kind, ok := evidenceKind(t, m.Annotations.BundleContent); ok {
			return kind, artifactType
		}
	}
	switch {
	case imageConfig && artifactType == "":
		return retention.KindImage, ""
	case artifactType == "" && config == "":
		return retention.KindUnknown, ""
	}
	return retention.KindArtifact, artifactType
}

func layerTypes(layers []wireDescriptor) []string {
	out := make([]string, 0, len(layers))
	for _, l := range layers {
		out = append(out, l.MediaType)
	}
	return out
}

// evidenceKind recognizes the types of signatures and attestations. A Sigstore
// bundle can hold either; its annotation says which.
func evidenceKind(t, bundleContent string) (retention.ManifestKind, bool) {
	switch {
	case strings.HasPrefix(t, typeInToto), t == typeDSSE:
		return retention.KindAttestation, true
	case strings.HasPrefix(t, typeSigstore):
		if bundleContent == contentDSSE {
			return retention.KindAttestation, true
		}
		return retention.KindSignature, true
	case t == typeCosignLayer, t == typeCosignSig, t == typeNotarySig:
		return retention.KindSignature, true
	}
	return "", false
}

// kind tells what a child is from what its index says of it.
func (d descriptor) kind() retention.ManifestKind {
	if d.Attestation {
		return retention.KindAttestation
	}
	if d.ArtifactType != "" && !types.MediaType(d.ArtifactType).IsConfig() {
		if k, ok := evidenceKind(d.ArtifactType, ""); ok {
			return k
		}
		return retention.KindArtifact
	}
	if manifestType(d.MediaType) != typeImage || d.MediaType == ociArtifactManifest {
		return retention.KindUnknown
	}
	return retention.KindImage
}

// suffixKind is what cosign's tag suffix says of a manifest that does not tell
// by itself that it is a signature or an attestation.
func suffixKind(suffix string, own retention.ManifestKind) retention.ManifestKind {
	if own == retention.KindIndex || own == retention.KindSignature || own == retention.KindAttestation {
		return own
	}
	switch suffix {
	case "sig":
		return retention.KindSignature
	case "att":
		return retention.KindAttestation
	case "sbom":
		return retention.KindArtifact
	}
	return own
}
