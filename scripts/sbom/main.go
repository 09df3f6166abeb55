// Command sbom writes the bill of materials of a Go binary as CycloneDX 1.6 JSON:
// sbom BINARY. It reads what the linker put into the binary itself, so that it
// lists what is in there and not what go.mod would allow. It runs nothing of it,
// asks nobody, and the same binary gives the same bytes.
package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY > sbom.cdx.json")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(binary string, to io.Writer) error {
	bom, err := describe(binary)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(to)
	if err := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	return w.Flush()
}

// describe lists the modules that are linked into a binary.
func describe(binary string) (*cdx.BOM, error) {
	raw, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read the build information of %s: %w", binary, err)
	}
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	bom := cdx.NewBOM()
	// From the binary rather than at random: RFC 4122, version 8 by its layout.
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%s-%s-8%s-8%s-%s", digest[:8], digest[8:12], digest[13:16], digest[17:20], digest[20:32])
	main := component(&info.Main, cdx.ComponentTypeApplication)
	main.Name = filepath.Base(binary)
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: digest}}
	main.Properties = settings(info)
	bom.Metadata = &cdx.Metadata{Component: &main}

	var all []cdx.Component
	var refs []string
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component(m, cdx.ComponentTypeLibrary)
		hashes, err := hashOf(m)
		if err != nil {
			return nil, err
		}
		c.Hashes = hashes
		all, refs = append(all, c), append(refs, c.BOMRef)
	}
	std := component(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}, cdx.ComponentTypeLibrary)
	all, refs = append(all, std), append(refs, std.BOMRef)
	bom.Components = &all
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	return bom, nil
}

func component(m *debug.Module, kind cdx.ComponentType) cdx.Component {
	purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	return cdx.Component{Type: kind, BOMRef: purl, Name: m.Path, Version: m.Version, PackageURL: purl}
}

// hashOf is the module's checksum as go.sum has it: h1: and a SHA-256 in base64.
func hashOf(m *debug.Module) (*[]cdx.Hash, error) {
	encoded, ok := strings.CutPrefix(m.Sum, "h1:")
	if !ok {
		return nil, nil // a module that is built where it lies has none
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the checksum of %s: %w", m.Path, err)
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}, nil
}

func settings(info *debug.BuildInfo) *[]cdx.Property {
	out := []cdx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" || s.Key == "-trimpath" {
			out = append(out, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
		}
	}
	return &out
}
