package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// MaxExpanded bounds the text of a YAML document whose aliases are written out.
const MaxExpanded = 16 << 20

// CheckExpanded refuses a document that is larger than MaxExpanded, or endless,
// once its aliases are written out. The decoder bounds only how many values there
// are, so that a long text and many aliases of it pass; they become gigabytes when
// the document is written as JSON.
func CheckExpanded(n *yaml.Node) error {
	if expanded(n, map[*yaml.Node]int{}) > MaxExpanded {
		return fmt.Errorf("too large: more than %d MiB, aliases counted each time; repeat less", MaxExpanded>>20)
	}
	return nil
}

// expanded counts the bytes of a node, at least one for each value, up to just
// beyond the limit. Each node is counted once and remembered, so that the count
// takes no longer than reading did; what holds itself is too large.
func expanded(n *yaml.Node, known map[*yaml.Node]int) int {
	if size, ok := known[n]; ok {
		return size
	}
	known[n] = MaxExpanded + 1 // as long as it is not counted: it would hold itself
	size := 1 + len(n.Value)
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		size = expanded(n.Alias, known)
	}
	for _, child := range n.Content {
		size = min(size+expanded(child, known), MaxExpanded+1)
	}
	known[n] = size
	return size
}
