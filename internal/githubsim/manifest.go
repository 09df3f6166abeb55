package githubsim

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	cosignLayer = "application/vnd.dev.cosign.simplesigning.v1+json"
	dsseLayer   = "application/vnd.dsse.envelope.v1+json"
	spdxLayer   = "text/spdx+json"
	intotoLayer = "application/vnd.in-toto+json"
)

// content is one manifest: real bytes whose SHA-256 is the digest. It depends
// only on the package, the key and what it refers to, never on the clock, so
// that a seed has the same digests in every run.
type content struct {
	spec       Version
	descriptor v1.Descriptor // as an index lists it
	raw        []byte
}

func (c content) digest() string { return c.descriptor.Digest.String() }

// contentBuilder makes the manifests of one package, each after what it
// refers to, and collects the blobs that they name.
type contentBuilder struct {
	path  string // owner/package: part of every blob, so that no two packages share a digest
	specs map[string]Version
	built map[string]content
	blobs map[string][]byte

	layers map[string]layer // made so far, by name, text and type
	packer *gzip.Writer
}

// build makes the manifest of a key. The specs have been checked: no reference
// dangles and there is no cycle.
func (b *contentBuilder) build(key string) (content, error) {
	if c, ok := b.built[key]; ok {
		return c, nil
	}
	spec, ok := b.specs[key]
	if !ok {
		return content{}, fmt.Errorf("no version %q in %s", key, b.path)
	}
	c, err := b.make(spec)
	if err != nil {
		return content{}, fmt.Errorf("manifest of %q: %w", key, err)
	}
	b.built[key] = c
	return c, nil
}

func (b *contentBuilder) make(spec Version) (content, error) {
	subject, err := b.subject(spec)
	if err != nil {
		return content{}, err
	}
	var manifest any
	media := mediaTypeOf(spec)
	if spec.isIndex() {
		manifest, err = b.index(spec, media, subject)
	} else {
		manifest, err = b.image(spec, media, subject)
	}
	if err != nil {
		return content{}, err
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return content{}, err
	}
	desc, err := describe(raw, media)
	if err != nil {
		return content{}, err
	}
	desc.ArtifactType = spec.ArtifactType
	if spec.Platform != "" {
		desc.Platform = parsePlatform(spec.Platform)
	}
	return content{spec: spec, descriptor: desc, raw: raw}, nil
}

func (b *contentBuilder) subject(spec Version) (*v1.Descriptor, error) {
	if spec.Subject == "" {
		return nil, nil
	}
	c, err := b.build(spec.Subject)
	if err != nil {
		return nil, err
	}
	return &v1.Descriptor{MediaType: c.descriptor.MediaType, Size: c.descriptor.Size, Digest: c.descriptor.Digest}, nil
}

func mediaTypeOf(spec Version) types.MediaType {
	switch {
	case spec.MediaType == "docker" && spec.isIndex():
		return types.DockerManifestList
	case spec.MediaType == "docker":
		return types.DockerManifestSchema2
	case spec.MediaType != "":
		return types.MediaType(spec.MediaType)
	case spec.isIndex():
		return types.OCIImageIndex
	}
	return types.OCIManifestSchema1
}

// index lists the children. An OCI index is annotated with its key, so that two
// indexes of the same children are two versions, as after a rebuild.
func (b *contentBuilder) index(spec Version, media types.MediaType, subject *v1.Descriptor) (v1.IndexManifest, error) {
	m := v1.IndexManifest{SchemaVersion: 2, MediaType: media, Manifests: []v1.Descriptor{}, Subject: subject, ArtifactType: spec.ArtifactType}
	for _, key := range spec.Index {
		child, err := b.build(key)
		if err != nil {
			return m, err
		}
		desc := child.descriptor
		if of := child.spec.BuildkitAttestationOf; of != "" {
			image, err := b.build(of)
			if err != nil {
				return m, err
			}
			desc.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
			desc.Annotations = map[string]string{
				"vnd.docker.reference.type":   "attestation-manifest",
				"vnd.docker.reference.digest": image.digest(),
			}
		}
		m.Manifests = append(m.Manifests, desc)
	}
	if media != types.DockerManifestList {
		m.Annotations = map[string]string{"org.opencontainers.image.title": spec.key()}
	}
	return m, nil
}

// image is an image, or an artifact in the shape of one: a config and the
// layers that its kind has.
func (b *contentBuilder) image(spec Version, media types.MediaType, subject *v1.Descriptor) (v1.Manifest, error) {
	m := v1.Manifest{SchemaVersion: 2, MediaType: media, Subject: subject, ArtifactType: spec.ArtifactType}
	var err error
	switch kind := artifactLayer(spec); {
	case kind != "":
		m.Layers, err = b.artifactLayers(spec, kind)
		if err == nil {
			m.Config, err = b.artifactConfig(spec)
		}
	default:
		m.Config, m.Layers, err = b.runnable(spec, media)
	}
	return m, err
}

// artifactLayer is the layer type of what is no runnable image, "" for images.
func artifactLayer(spec Version) types.MediaType {
	switch {
	case spec.CosignSignatureOf != "":
		return cosignLayer
	case spec.CosignAttestationOf != "":
		return dsseLayer
	case spec.CosignSBOMOf != "":
		return spdxLayer
	case spec.BuildkitAttestationOf != "":
		return intotoLayer
	case spec.ArtifactType != "":
		return types.MediaType(spec.ArtifactType)
	case spec.Subject != "", spec.ConfigMediaType != "":
		return types.OCILayer
	}
	return ""
}

func (b *contentBuilder) artifactLayers(spec Version, media types.MediaType) ([]v1.Descriptor, error) {
	desc, err := b.blob(fmt.Appendf(nil, `{"about":%q,"key":%q}`, b.path, spec.key()), media)
	if err != nil {
		return nil, err
	}
	switch {
	case spec.CosignSignatureOf != "":
		desc.Annotations = map[string]string{"dev.cosignproject.cosign/signature": "c2ltdWxhdGVk"}
	case spec.BuildkitAttestationOf != "":
		desc.Annotations = map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
	}
	return []v1.Descriptor{desc}, nil
}

func (b *contentBuilder) artifactConfig(spec Version) (v1.Descriptor, error) {
	switch {
	case spec.ConfigMediaType != "":
		return b.blob(fmt.Appendf(nil, `{"name":%q}`, spec.key()), types.MediaType(spec.ConfigMediaType))
	case spec.ArtifactType != "" || spec.Subject != "":
		return b.blob([]byte("{}"), types.OCIEmptyJSON)
	}
	// cosign and buildkit use an image config with nothing to run.
	return b.blob([]byte(`{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]},"config":{}}`), types.OCIConfigJSON)
}

// runnable makes a config and two layers: one that all images of the package
// share, one of the image's own.
func (b *contentBuilder) runnable(spec Version, media types.MediaType) (v1.Descriptor, []v1.Descriptor, error) {
	configType, layerType := types.OCIConfigJSON, types.OCILayer
	if media == types.DockerManifestSchema2 {
		configType, layerType = types.DockerConfigJSON, types.DockerLayer
	}
	platform := parsePlatform(spec.Platform)
	config := v1.ConfigFile{OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant, RootFS: v1.RootFS{Type: "layers"}}
	var layers []v1.Descriptor
	for _, file := range []struct{ name, text string }{{"base", b.path}, {"app", b.path + "@" + spec.key()}} {
		l, err := b.layer(file.name, file.text, layerType)
		if err != nil {
			return v1.Descriptor{}, nil, err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		layers = append(layers, l.descriptor)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return v1.Descriptor{}, nil, err
	}
	desc, err := b.blob(raw, configType)
	return desc, layers, err
}

// layer is a packed archive of one file, and the digest of what was packed.
type layer struct {
	descriptor v1.Descriptor
	diffID     v1.Hash
}

func (b *contentBuilder) layer(name, text string, media types.MediaType) (layer, error) {
	known := name + "\n" + text + "\n" + string(media)
	if l, ok := b.layers[known]; ok {
		return l, nil
	}
	archive, err := tarOf(name, text)
	if err != nil {
		return layer{}, err
	}
	diffID, _, err := v1.SHA256(bytes.NewReader(archive))
	if err != nil {
		return layer{}, err
	}
	packed, err := b.gzip(archive)
	if err != nil {
		return layer{}, err
	}
	desc, err := b.blob(packed, media)
	if err != nil {
		return layer{}, err
	}
	if b.layers == nil {
		b.layers = map[string]layer{}
	}
	b.layers[known] = layer{descriptor: desc, diffID: diffID}
	return b.layers[known], nil
}

func (b *contentBuilder) blob(raw []byte, media types.MediaType) (v1.Descriptor, error) {
	desc, err := describe(raw, media)
	if err == nil {
		b.blobs[desc.Digest.String()] = raw
	}
	return desc, err
}

func describe(raw []byte, media types.MediaType) (v1.Descriptor, error) {
	hash, size, err := v1.SHA256(bytes.NewReader(raw))
	return v1.Descriptor{MediaType: media, Size: size, Digest: hash}, err
}

func parsePlatform(s string) *v1.Platform {
	if s == "" {
		s = "linux/amd64"
	}
	parts := append(strings.SplitN(s, "/", 3), "", "")
	return &v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}

func tarOf(name, text string) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Format: tar.FormatUSTAR}); err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// gzip stores without compressing: those bytes, and so the digests, are the
// same for every version of Go. The writer is kept, since making one costs more
// than its work here.
func (b *contentBuilder) gzip(raw []byte) ([]byte, error) {
	var buf bytes.Buffer
	if b.packer == nil {
		w, err := gzip.NewWriterLevel(&buf, gzip.NoCompression)
		if err != nil {
			return nil, err
		}
		b.packer = w
	} else {
		b.packer.Reset(&buf)
	}
	if _, err := b.packer.Write(raw); err != nil {
		return nil, err
	}
	if err := b.packer.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
