package policy

import (
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// terms makes the terms of one document. They are cut from slabs, since a
// document has dozens for each version and they all go at once.
type terms struct {
	slab []ast.Term
	// clocked writes ages so that they can be told from other numbers.
	clocked bool
}

const slabSize = 512

func (b *terms) term(v ast.Value) *ast.Term {
	if len(b.slab) == 0 {
		b.slab = make([]ast.Term, slabSize)
	}
	t := &b.slab[0]
	b.slab = b.slab[1:]
	t.Value = v
	return t
}

func (b *terms) object(keys, values []*ast.Term) *ast.Term { return b.term(newObject(keys, values)) }

func (b *terms) text(s string) *ast.Term {
	if s == "" {
		return ast.InternedEmptyString
	}
	return b.term(ast.String(s))
}

// textIfAny is no term at all for the empty text: the field is left out.
func (b *terms) textIfAny(s string) *ast.Term {
	if s == "" {
		return nil
	}
	return b.text(s)
}

func (b *terms) nullableText(s *string) *ast.Term {
	if s == nil {
		return ast.InternedNullTerm
	}
	return b.text(*s)
}

func (b *terms) texts(list []string) *ast.Term {
	if len(list) == 0 {
		return ast.InternedEmptyArray
	}
	elements := make([]*ast.Term, len(list))
	for i, s := range list {
		elements[i] = b.text(s)
	}
	return b.term(ast.NewArray(elements...))
}

func (b *terms) integer(n int64) *ast.Term {
	return b.term(ast.Number(strconv.FormatInt(n, 10)))
}

func (b *terms) unsigned(n uint64) *ast.Term {
	return b.term(ast.Number(strconv.FormatUint(n, 10)))
}

func (b *terms) nullableInt(n *int) *ast.Term {
	if n == nil {
		return ast.InternedNullTerm
	}
	return ast.InternedTerm(*n)
}

func (b *terms) nullableFloat(f *float64) *ast.Term {
	if f == nil {
		return ast.InternedNullTerm
	}
	return b.term(ast.Number(strconv.FormatFloat(*f, 'f', -1, 64)))
}

// age is a number of days that grows with time.
func (b *terms) age(f *float64) *ast.Term {
	if f == nil || !b.clocked {
		return b.nullableFloat(f)
	}
	return b.term(ast.Number(strconv.FormatFloat(*f, 'f', -1, 64) + growing))
}

// left is a number of days that shrinks with time, and stays at nothing.
func (b *terms) left(f *float64) *ast.Term {
	if f == nil || !b.clocked || *f <= 0 {
		return b.nullableFloat(f)
	}
	return b.term(ast.Number(strconv.FormatFloat(*f, 'f', -1, 64) + shrinking))
}

func boolean(v bool) *ast.Term { return ast.InternedTerm(v) }

// words are the terms of the texts that nearly every version has.
var words = wordTerms(
	string(retention.Active), string(retention.Deleted),
	string(retention.KindIndex), string(retention.KindImage), string(retention.KindAttestation),
	string(retention.KindSignature), string(retention.KindArtifact), string(retention.KindUnknown),
	"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
)

func wordTerms(list ...string) map[string]*ast.Term {
	out := make(map[string]*ast.Term, len(list))
	for _, s := range list {
		out[s] = ast.StringTerm(s)
	}
	return out
}

func (b *terms) word(s string) *ast.Term {
	if t, ok := words[s]; ok {
		return t
	}
	return b.text(s)
}
