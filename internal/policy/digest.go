package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
)

// Bundle identifies what a plan was decided by.
type Bundle struct {
	Revision     string `json:"revision"`      // a short name for people; of a bundle the one in its manifest
	Digest       string `json:"digest"`        // sha256:… over modules, data, schema and capabilities
	ParamsDigest string `json:"params_digest"` // sha256:… over overrides, the caller's documents and the choice of policies
}

// newBundle digests the set; neither the place of the folder nor the order of
// the files matters. Tests decide nothing and are left out.
func newBundle(f files, layers []layer, o Options) (Bundle, error) {
	all := sha256.New()
	for _, s := range f.sources {
		if !s.isTest() {
			part(all, s.key, s.text)
		}
	}
	part(all, dataFile, f.data)
	part(all, schemaFile, f.schema)
	part(all, capabilitiesFile, f.capabilities)
	if f.revision != "" {
		part(all, "revision", []byte(f.revision))
	}

	params, err := canonical(layers)
	if err != nil {
		return Bundle{}, fmt.Errorf("digest the parameters: %w", err)
	}
	documents, err := json.Marshal(o.Data)
	if err != nil {
		return Bundle{}, fmt.Errorf("digest the data documents: %w", err)
	}
	only, err := json.Marshal(o.Only)
	if err != nil {
		return Bundle{}, fmt.Errorf("digest the choice of policies: %w", err)
	}
	chosen := sha256.New()
	part(chosen, "params", params)
	part(chosen, "data", documents)
	part(chosen, "only", only)

	sum := hex.EncodeToString(all.Sum(nil))
	revision := f.revision
	if revision == "" {
		revision = sum[:12]
	}
	return Bundle{
		Revision:     revision,
		Digest:       "sha256:" + sum,
		ParamsDigest: "sha256:" + hex.EncodeToString(chosen.Sum(nil)),
	}, nil
}

// part writes name and text with their lengths, so that no two sets of parts
// read the same. A hash never fails to be written to.
func part(h hash.Hash, name string, text []byte) {
	_, _ = fmt.Fprintf(h, "%d %s %d ", len(name), name, len(text))
	_, _ = h.Write(text)
}
