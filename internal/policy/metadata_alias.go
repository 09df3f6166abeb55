package policy

import (
	"bytes"
	"regexp"
)

// An anchor and an alias of YAML. An anchor begins a value, so no letter is before it.
var (
	yamlAnchor = regexp.MustCompile(`(?:^|[^0-9A-Za-z_])&([0-9A-Za-z_-]+)`)
	yamlAlias  = regexp.MustCompile(`\*([0-9A-Za-z_-]+)`)
)

const noAliases = `METADATA must not use YAML anchors and aliases (here "*%s"); write the value out`

// aliasInComments finds the first alias of an anchor in a module's comments, and
// its line; 0 when there is none. OPA parses METADATA with the module, aliases
// included, and a few kilobytes of those become gigabytes: it has to be looked for
// in the text. What follows any # is taken for a comment, which is more than
// comments, so that this needs to know nothing of how OPA finds them.
func aliasInComments(text []byte) (name string, line int) {
	if !bytes.Contains(text, []byte("METADATA")) {
		return "", 0
	}
	anchors := map[string]bool{}
	for l := range bytes.Lines(text) {
		for _, m := range yamlAnchor.FindAllSubmatch(comment(l), -1) {
			anchors[string(m[1])] = true
		}
	}
	if len(anchors) == 0 {
		return "", 0
	}
	n := 0
	for l := range bytes.Lines(text) {
		n++
		for _, m := range yamlAlias.FindAllSubmatch(comment(l), -1) {
			if anchors[string(m[1])] {
				return string(m[1]), n
			}
		}
	}
	return "", 0
}

func comment(line []byte) []byte {
	_, text, _ := bytes.Cut(line, []byte("#"))
	return text
}
