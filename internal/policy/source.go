package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/shelflife-dev/shelflife/internal/bounded"
)

// The files beside the modules in the shipped folder.
const (
	schemaFile       = "schemas/input.json"
	capabilitiesFile = "capabilities.json"
	dataFile         = "data.json"
	compatFolder     = "compat"
	fixturesFile     = "fixtures_test.rego" // there for the tests of others too
)

// source is one Rego file.
type source struct {
	name    string // as people see it: a path, below "builtin/" for the shipped ones
	key     string // the same wherever the folder lies: what the digest sees
	text    []byte
	shipped bool
	module  *ast.Module
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.rego") }

// isLibrary reports whether the file lies in the lib folder of its set.
func (s source) isLibrary() bool {
	_, rel, _ := strings.Cut(s.key, "/")
	return strings.HasPrefix(rel, "lib/")
}

// files is everything a policy set is made from.
type files struct {
	sources      []source // sorted by key
	schema       []byte
	capabilities []byte
	data         []byte // nil when there is no data.json
	revision     string // what a bundle is called by its builder, else ""
}

// withoutTests leaves out what no decision depends on.
func (f files) withoutTests() files {
	f.sources = slices.DeleteFunc(slices.Clone(f.sources), source.isTest)
	return f
}

// readFiles reads the shipped folder and, when there is one, the user's. Of
// the shipped modules only the library is read when the shipped policies are
// not wanted, and of the compat folder only the policies that are asked for.
func readFiles(shipped fs.FS, o Options) (files, error) {
	userPath := o.Path
	var out files
	var err error
	if out.schema, err = fs.ReadFile(shipped, schemaFile); err != nil {
		return files{}, fmt.Errorf("read the input schema: %w", err)
	}
	if out.capabilities, err = fs.ReadFile(shipped, capabilitiesFile); err != nil {
		return files{}, fmt.Errorf("read the capabilities: %w", err)
	}
	if out.data, err = fs.ReadFile(shipped, dataFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files{}, fmt.Errorf("read the data document: %w", err)
	}
	all, err := readModules(shipped, "builtin", "builtin")
	if err != nil {
		return files{}, err
	}
	for _, s := range all {
		s.shipped = true
		if o.wants(s) {
			out.sources = append(out.sources, s)
		}
	}
	if userPath != "" {
		user, err := readModules(os.DirFS(userPath), filepath.ToSlash(filepath.Clean(userPath)), "user")
		if err != nil {
			return files{}, err
		}
		if len(user) == 0 {
			return files{}, fmt.Errorf("there is no .rego file below %s; name the folder that holds the policies", userPath)
		}
		out.sources = append(out.sources, user...)
	}
	slices.SortFunc(out.sources, func(a, b source) int { return strings.Compare(a.key, b.key) })
	return out, nil
}

// wants reports whether a shipped module belongs to the policy set.
func (o Options) wants(s source) bool {
	if s.isLibrary() && (!s.isTest() || path.Base(s.key) == fixturesFile) {
		return true
	}
	_, rel, _ := strings.Cut(s.key, "/")
	if rel, isCompat := strings.CutPrefix(rel, compatFolder+"/"); isCompat {
		name, _, _ := strings.Cut(rel, "/")
		return !s.isTest() && (slices.Contains(o.Compat, name) || slices.Contains(o.Only, name))
	}
	return o.Builtin
}

// CompatNames lists the policies of the shipped compat folder, which are loaded
// only on request.
func CompatNames(shipped fs.FS) []string {
	entries, err := fs.ReadDir(shipped, compatFolder)
	if err != nil {
		return nil // a set without such a folder has none
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// readModules reads every .rego file of a folder. Folders whose name begins
// with a dot are left out: a mounted ConfigMap holds its files a second time there.
// It reads no more than an archive may hold.
func readModules(from fs.FS, shown, key string) ([]source, error) {
	var out []source
	total := 0
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".rego":
			return nil
		}
		text, err := readModule(from, name)
		if err != nil {
			return err
		}
		if total += len(text); total > maxBundleUnpacked {
			return fmt.Errorf("together they are larger than %d MiB", maxBundleUnpacked>>20)
		}
		if len(out) == maxBundleFiles {
			return fmt.Errorf("there are more than %d files", maxBundleFiles)
		}
		out = append(out, source{name: path.Join(shown, name), key: key + "/" + name, text: text})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read policies below %s: %w", shown, err)
	}
	return out, nil
}

// readModule reads a plain file, also through a link: a device would have no end,
// and a pipe perhaps no beginning.
func readModule(from fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(from, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file", name)
	}
	f, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(bounded.NewReader(f, maxBundleFile))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}
