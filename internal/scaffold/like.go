package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	modeLine    = regexp.MustCompile(`(?m)^(#\s+mode: )(observe|enforce)$`)
	caseMode    = regexp.MustCompile(`\bmode: (observe|enforce),`)
	outcomeLine = regexp.MustCompile(`(?m)^ +outcome: \{.*\n`)
)

// Like returns a copy of a shipped policy, its tests and its cases under another
// name, with the given mode unless that is "". It is how a policy that observes
// by itself is made to enforce.
func Like(shipped fs.FS, like, name, mode string) ([]File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if CheckName(like) != nil {
		return nil, fmt.Errorf("there is no shipped policy %q; shelflife policy list shows them", like)
	}
	for _, kind := range []string{"retention", "compat"} {
		folder := path.Join(kind, like)
		entries, err := fs.ReadDir(shipped, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("copy policy %s: %w", like, err)
		}
		return copied(shipped, folder, entries, like, name, mode)
	}
	return nil, fmt.Errorf("there is no shipped policy %q; shelflife policy list shows them", like)
}

func copied(shipped fs.FS, folder string, entries []fs.DirEntry, like, name, mode string) ([]File, error) {
	word := regexp.MustCompile(`\b` + like + `(_test)?\b`)
	var out []File
	for _, e := range entries {
		text, err := fs.ReadFile(shipped, path.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("copy policy %s: %w", like, err)
		}
		text = word.ReplaceAll(text, []byte(name+"$1"))
		if mode != "" {
			text = modeLine.ReplaceAll(text, []byte("${1}"+mode))
			// What an expectation says of the mode follows; outcomes depend on it.
			text = caseMode.ReplaceAll(text, []byte("mode: "+mode+","))
			text = outcomeLine.ReplaceAll(text, nil)
		}
		out = append(out, File{Name: name + "/" + strings.Replace(e.Name(), like, name, 1), Text: text})
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
