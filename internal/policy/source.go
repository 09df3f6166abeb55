package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The files beside the modules in the shipped folder.
const (
	schemaFile       = "schemas/input.json"
	capabilitiesFile = "capabilities.json"
	dataFile         = "data.json"
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

// readFiles reads the shipped folder and, when there is one, the user's. Of
// the shipped modules only the library is read when the shipped policies are
// not wanted.
func readFiles(shipped fs.FS, builtin bool, userPath string) (files, error) {
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
		if builtin || s.isLibrary() && !s.isTest() {
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

// readModules reads every .rego file of a folder. Folders whose name begins
// with a dot are left out: a mounted ConfigMap holds its files a second time there.
func readModules(from fs.FS, shown, key string) ([]source, error) {
	var out []source
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".rego":
			return nil
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		out = append(out, source{name: path.Join(shown, name), key: key + "/" + name, text: text})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read policies below %s: %w", shown, err)
	}
	return out, nil
}
