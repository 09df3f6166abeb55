package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxTypeLen bounds media types, artifact types and platform names; RFC 6838
// allows 127 characters on either side of the slash.
const maxTypeLen = 255

// wireManifest is any manifest. Lists stay raw until their length is checked:
// a few bytes of JSON can ask for a thousand times as many of memory.
type wireManifest struct {
	MediaType    string          `json:"mediaType"`
	ArtifactType string          `json:"artifactType"`
	Config       *wireDescriptor `json:"config"`
	Subject      *wireDescriptor `json:"subject"`
	Manifests    json.RawMessage `json:"manifests"`
	Layers       json.RawMessage `json:"layers"`
	Annotations  wireAnnotations `json:"annotations"`
}

// wireDescriptor is an OCI content descriptor, as far as it is needed.
type wireDescriptor struct {
	MediaType    string `json:"mediaType"`
	Digest       string `json:"digest"`
	Size         int64  `json:"size"`
	ArtifactType string `json:"artifactType"`
	Platform     *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	} `json:"platform"`
	Annotations wireAnnotations `json:"annotations"`
}

// wireAnnotations holds the annotations that tell what a manifest is.
type wireAnnotations struct {
	ReferenceType string `json:"vnd.docker.reference.type"`   // BuildKit, in an index
	BundleContent string `json:"dev.sigstore.bundle.content"` // Sigstore bundles
}

// parseManifest reads a manifest whose digest has been checked. contentType is
// what the registry called it, and counts only where the manifest itself does
// not say what it is. Every error means that the manifest is unread.
func parseManifest(body []byte, contentType string, lim Limits) (record, error) {
	var m wireManifest
	if err := json.Unmarshal(body, &m); err != nil {
		return record{}, fmt.Errorf("not a JSON manifest: %w", err)
	}
	children, err := decodeList(m.Manifests, "children", lim.Children)
	if err != nil {
		return record{}, err
	}
	layers, err := decodeList(m.Layers, "layers", lim.Layers)
	if err != nil {
		return record{}, err
	}
	mt, err := m.resolveType(contentType)
	if err != nil {
		return record{}, err
	}
	r := record{Version: recordVersion, MediaType: mt, Size: int64(len(body))}
	if m.Subject != nil {
		if _, err := v1.NewHash(m.Subject.Digest); err != nil {
			return record{}, fmt.Errorf("subject: %w", err)
		}
		r.Subject = m.Subject.Digest
	}
	if manifestType(mt) == typeIndex {
		r.Kind, r.ArtifactType = retention.KindIndex, m.ArtifactType
		r.Children, err = describeChildren(children)
	} else {
		r.Kind, r.ArtifactType = classify(m, mt, layers)
		r.Size = addSizes(r.Size, m.Config, layers)
	}
	if err == nil && (len(r.MediaType) > maxTypeLen || len(r.ArtifactType) > maxTypeLen) {
		err = fmt.Errorf("media or artifact type is longer than %d characters", maxTypeLen)
	}
	return r, err
}

// resolveType tells what the manifest is, and refuses one that could be taken
// for an index and for an image: readers that differ over it would differ over
// what it holds (CVE-2021-41190).
func (m wireManifest) resolveType(contentType string) (string, error) {
	isIndex := present(m.Manifests)
	isImage := present(m.Layers) || m.Config != nil
	if isIndex && isImage {
		return "", errors.New("ambiguous manifest: it has both children and layers")
	}
	mt := m.MediaType
	if mt == "" {
		if base, _, err := mime.ParseMediaType(contentType); err == nil && manifestType(base) != typeOther {
			mt = base
		}
	}
	switch class := manifestType(mt); {
	case class == typeIndex && isImage, class == typeImage && isIndex:
		return "", fmt.Errorf("ambiguous manifest: its content is not that of %s", mt)
	case class == typeOther && isIndex:
		// Whatever it is called, it lists children, and they must be held.
		return string(types.OCIImageIndex), nil
	case mt == "" && isImage:
		return string(types.OCIManifestSchema1), nil
	}
	return mt, nil
}

func present(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// decodeList decodes a list of descriptors and stops at the first one beyond
// the limit.
func decodeList(raw json.RawMessage, what string, limit int) ([]wireDescriptor, error) {
	if !present(raw) {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	open, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("list of %s: %w", what, err)
	}
	if open != json.Delim('[') {
		return nil, fmt.Errorf("list of %s: it is not a list", what)
	}
	var out []wireDescriptor
	for dec.More() {
		if len(out) == limit {
			return nil, fmt.Errorf("it has more than %d %s, the limit", limit, what)
		}
		var d wireDescriptor
		if err := dec.Decode(&d); err != nil {
			return nil, fmt.Errorf("list of %s: %w", what, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func describeChildren(list []wireDescriptor) ([]descriptor, error) {
	out := make([]descriptor, 0, len(list))
	for _, w := range list {
		if _, err := v1.NewHash(w.Digest); err != nil {
			return nil, fmt.Errorf("child: %w", err)
		}
		d := descriptor{
			Digest:       w.Digest,
			MediaType:    w.MediaType,
			ArtifactType: w.ArtifactType,
			Size:         max(w.Size, 0),
			Attestation:  w.Annotations.ReferenceType == "attestation-manifest",
		}
		if p := w.Platform; p != nil && p.OS != "" {
			d.Platform = p.OS + "/" + p.Architecture
			if p.Variant != "" {
				d.Platform += "/" + p.Variant
			}
		}
		if max(len(d.MediaType), len(d.ArtifactType), len(d.Platform)) > maxTypeLen {
			return nil, fmt.Errorf("child %s: a type or platform is longer than %d characters", d.Digest, maxTypeLen)
		}
		out = append(out, d)
	}
	return out, nil
}

// addSizes adds what the manifest names to its own size. Sizes are claims of
// whoever pushed it: negative ones count as nothing, a sum beyond int64 as the
// largest.
func addSizes(total int64, config *wireDescriptor, layers []wireDescriptor) int64 {
	add := func(n int64) {
		switch {
		case n <= 0:
		case total > math.MaxInt64-n:
			total = math.MaxInt64
		default:
			total += n
		}
	}
	if config != nil {
		add(config.Size)
	}
	for _, l := range layers {
		add(l.Size)
	}
	return total
}
