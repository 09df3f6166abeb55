package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/loader/filter"
)

const (
	signaturesFile = ".signatures.json" // OPA takes no other name
	maxRevision    = 128
)

// readBundleFiles makes a policy set of an OPA bundle (a gzipped tar). It is all
// there is, but for packages of the shipped library that it calls and does not
// bring. What comes of it is checked as a folder's files are: a signature is no
// licence.
func readBundleFiles(shipped fs.FS, archive []byte, key VerificationKey) (files, error) {
	unpacked, err := unpack(archive)
	if err != nil {
		return files{}, err
	}
	b, err := verified(unpacked, key)
	if err != nil {
		return files{}, err
	}
	out, err := readFiles(shipped, Options{})
	if err != nil {
		return files{}, err
	}
	if out.revision, err = revisionOf(b); err != nil {
		return files{}, err
	}
	if out.data, err = bundleData(b); err != nil {
		return files{}, err
	}
	own := map[string]bool{}
	var sources []source
	for _, m := range b.Modules {
		name := strings.TrimPrefix(m.RelativePath, "/")
		own[m.Parsed.Package.Path.String()] = true
		sources = append(sources, source{name: path.Join("bundle", name), key: "bundle/" + name, text: m.Raw})
	}
	if len(sources) == 0 {
		return files{}, refused("there is no .rego file in it")
	}
	for _, s := range out.sources { // the shipped library
		m, err := ast.ParseModuleWithOpts(s.name, string(s.text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return files{}, fmt.Errorf("read the shipped library: %w", err)
		}
		if !own[m.Package.Path.String()] {
			sources = append(sources, s)
		}
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.key, b.key) })
	out.sources = sources
	return out, nil
}

// verified lets OPA read the files. Whether a signature is needed is not left to
// it: were the file with the signatures missing, a reader that finds none to
// check would check nothing. Nor is what it parses: it hashes documents as values,
// so it parses them before it knows whose they are, and takes for YAML what is no
// JSON. Aliases let a few kilobytes of YAML become gigabytes.
func verified(unpacked []bundleFile, key VerificationKey) (bundle.Bundle, error) {
	var signatures []byte
	for _, f := range unpacked {
		base := path.Base(f.name)
		switch {
		case f.name == signaturesFile:
			signatures = f.data
		case bundle.IsSignaturesFile(f.name):
			return bundle.Bundle{}, refused("%q is a signature that does not lie at its root", shortened(f.name))
		case bundle.IsYAMLDataFile(f.name):
			return bundle.Bundle{}, refused("%q is YAML, which is not read from a bundle; opa build and shelflife policy build write data.json", shortened(f.name))
		case bundle.IsStructuredDoc(f.name) && !json.Valid(f.data):
			return bundle.Bundle{}, refused("%q is not JSON", shortened(f.name))
		case base == "patch.json":
			return bundle.Bundle{}, refused("it is a delta bundle, which can't be signed; build a whole one")
		case strings.HasSuffix(base, ".wasm"), base == bundle.PlanFile, base == bundle.PlanProtoFile:
			return bundle.Bundle{}, refused("%q is compiled code, which can't be checked; build it with --target rego", shortened(f.name))
		case strings.HasSuffix(base, bundle.RegoExt):
			if name, line := aliasInComments(f.data); line > 0 {
				return bundle.Bundle{}, refused("%q, line %d: "+noAliases, shortened(f.name), line, name)
			}
		}
	}
	r := bundle.NewCustomReader(&fileLoader{files: unpacked}).
		WithSizeLimitBytes(maxBundleFile).
		WithProcessAnnotations(true).
		WithRegoVersion(ast.RegoV1).
		WithLazyLoadingMode(false)
	if key.IsZero() {
		b, err := r.WithSkipBundleVerification(true).Read()
		return b, unread(err)
	}
	if signatures == nil {
		return bundle.Bundle{}, fmt.Errorf("%w: it is not signed (there is no %s in it); sign it, as with shelflife policy build --sign", ErrUnverified, signaturesFile)
	}
	config, err := key.config(signatures)
	if err != nil {
		return bundle.Bundle{}, err
	}
	b, err := r.WithBundleVerificationConfig(config).Read()
	switch {
	case isParsing(err):
		return b, findingsOf(err)
	case err != nil:
		return b, fmt.Errorf("%w: %w", ErrUnverified, err)
	case len(b.Signatures.Signatures) != 1:
		return bundle.Bundle{}, fmt.Errorf("%w: its reader saw no signature", ErrUnverified)
	}
	return b, nil
}

func isParsing(err error) bool {
	_, many := errors.AsType[ast.Errors](err)
	_, one := errors.AsType[*ast.Error](err)
	return many || one
}

func unread(err error) error {
	switch {
	case err == nil:
		return nil
	case isParsing(err):
		return findingsOf(err)
	}
	return refused("%v", err)
}

// revisionOf is the name that the bundle's builder gave it, "" for none.
func revisionOf(b bundle.Bundle) (string, error) {
	revision := b.Manifest.Revision
	if len(revision) > maxRevision || strings.ContainsFunc(revision, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", refused("its revision %q is no plain text of up to %d bytes", shortened(revision), maxRevision)
	}
	return revision, nil
}

// bundleData are the bundle's documents. Those in the place of packages would
// replace rules.
func bundleData(b bundle.Bundle) ([]byte, error) {
	for _, name := range []string{"retention", "lib"} {
		if _, ok := b.Data[name]; ok {
			return nil, refused("it holds a data document %q, where the policies are; name it otherwise", name)
		}
	}
	text, err := json.Marshal(b.Data)
	if err != nil {
		return nil, refused("its data documents can't be read (%v)", err)
	}
	return text, nil
}

// fileLoader gives the unpacked files to OPA's reader.
type fileLoader struct {
	files []bundleFile
	next  int
}

func (l *fileLoader) NextFile() (*bundle.Descriptor, error) {
	if l.next == len(l.files) {
		return nil, io.EOF
	}
	f := l.files[l.next]
	l.next++
	return bundle.NewDescriptor(f.name, "/"+f.name, bytes.NewBuffer(f.data)), nil
}

// The reader has no more to ask for: the files are in memory and within the limits.
func (l *fileLoader) WithFilter(filter.LoaderFilter) bundle.DirectoryLoader   { return l }
func (l *fileLoader) WithPathFormat(bundle.PathFormat) bundle.DirectoryLoader { return l }
func (l *fileLoader) WithSizeLimitBytes(int64) bundle.DirectoryLoader         { return l }
func (l *fileLoader) WithFollowSymlinks(bool) bundle.DirectoryLoader          { return l }
