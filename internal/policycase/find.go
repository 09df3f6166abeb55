package policycase

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// suffix is what the name of a case file ends with.
const suffix = ".case.yaml"

// source is a case file as it was found.
type source struct {
	shown string // as people see it, below the same root as the policies' files
	place string // where the file is; "" for those in the binary
	text  []byte
}

// found is what a folder holds.
type found struct {
	cases []source
	rego  bool // some .rego file
}

// find reads every case file of a folder. Folders whose name begins with a dot
// are left out, as for policies.
func find(from fs.FS, shown, place string, wanted func(name string) bool) (found, error) {
	var out found
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return nil
		case path.Ext(name) == ".rego":
			out.rego = true
			return nil
		case !strings.HasSuffix(name, suffix) || !wanted(name):
			return nil
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		s := source{shown: path.Join(shown, name), text: text}
		if place != "" {
			s.place = filepath.Join(place, filepath.FromSlash(name))
		}
		out.cases = append(out.cases, s)
		return nil
	})
	if err != nil {
		return found{}, fmt.Errorf("read cases below %s: %w", shown, err)
	}
	return out, nil
}

// inFolder finds the case files of a user's folder.
func inFolder(dir string) (found, error) {
	return find(os.DirFS(dir), filepath.ToSlash(filepath.Clean(dir)), dir, func(string) bool { return true })
}
