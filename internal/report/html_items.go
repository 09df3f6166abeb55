package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/report/html"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// itemsSection lists items. They are encoded one by one: what repeats (packages,
// rules, sets of rules, notes, words) is written once, after the rows that point
// at it.
func itemsSection(id string, items []retention.Item, now time.Time) html.Section {
	return html.Section{ID: id, Kind: html.KindItems, Heading: "Items", Data: func(e *html.Encoder) {
		enc := newItemEncoder()
		order := unitOrder(items)
		e.Object(
			html.Values("now", func() any { return unix(now) }),
			html.Field{Name: "rows", Write: func(e *html.Encoder) {
				e.List(len(order), func(i int) { enc.row(e, items[order[i]]) })
			}},
			html.Values("words", func() any { return enc.words.list }),
			html.Values("packages", func() any { return enc.packages.list }),
			html.Values("rules", func() any { return enc.rules.list }),
			html.Values("sets", func() any { return enc.sets.list }),
			html.Values("notes", func() any { return enc.notes.list }),
		)
	}}
}

// seen numbers distinct values in the order in which they come. What is kept of
// each is shown, not the value itself.
type seen[K comparable, V any] struct {
	at   map[K]int64
	list []V
}

func newSeen[K comparable, V any]() *seen[K, V] {
	return &seen[K, V]{at: map[K]int64{}, list: []V{}}
}

func (s *seen[K, V]) number(k K, shown func() V) int64 {
	n, ok := s.at[k]
	if !ok {
		n = int64(len(s.list))
		s.at[k] = n
		s.list = append(s.list, shown())
	}
	return n
}

// htmlRule is a rule as the page shows it. Which root a cascade comes from is
// seen by the unit.
type htmlRule struct {
	Policy   string `json:"policy"`
	Rule     string `json:"rule"`
	Action   string `json:"action"`
	Reason   string `json:"reason"`
	Severity string `json:"severity"`
	Mode     string `json:"mode"`
}

type htmlNote struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type itemEncoder struct {
	words    *seen[string, string]
	packages *seen[retention.PackageRef, [3]string]
	rules    *seen[retention.Rule, htmlRule]
	sets     *seen[string, []int64]
	notes    *seen[retention.GuardNote, htmlNote]
}

func newItemEncoder() *itemEncoder {
	enc := &itemEncoder{
		words: newSeen[string, string](), packages: newSeen[retention.PackageRef, [3]string](), rules: newSeen[retention.Rule, htmlRule](),
		sets: newSeen[string, []int64](), notes: newSeen[retention.GuardNote, htmlNote](),
	}
	enc.word("") // 0 is none, of words, notes and sets
	enc.note(&retention.GuardNote{})
	enc.set(nil)
	return enc
}

// row writes one item. The program names the places in rows.js.
func (enc *itemEncoder) row(e *html.Encoder, it retention.Item) {
	ref := it.Ref()
	pkg := enc.packages.number(ref, func() [3]string { return [3]string{clean(ref.Owner), clean(string(ref.Type)), clean(ref.Name)} })
	tags := make([]string, len(it.Tags))
	for i, t := range it.Tags {
		tags[i] = clean(t)
	}
	whole := int64(0)
	if it.Target == retention.TargetPackage {
		whole = 1
	}
	values := []any{
		pkg, int64(it.VersionID), clean(it.Version), tags, enc.word(it.Action.String()), whole, enc.word(string(it.Status)),
		enc.set(it.Rules), enc.set(it.Overruled), enc.note(it.Guard), unix(it.CreatedAt), unix(it.UpdatedAt), int64(it.Unit()),
		enc.word(string(it.Outcome)), clean(it.RequestID), enc.word(it.Detail),
	}
	e.List(len(values), func(i int) {
		if n, ok := values[i].(int64); ok {
			e.Int(n)
		} else {
			e.Value(values[i])
		}
	})
}

func (enc *itemEncoder) word(s string) int64 {
	return enc.words.number(s, func() string { return clean(s) })
}

func (enc *itemEncoder) note(n *retention.GuardNote) int64 {
	if n == nil {
		return 0
	}
	return enc.notes.number(*n, func() htmlNote { return htmlNote{clean(string(n.Code)), clean(n.Detail)} })
}

func (enc *itemEncoder) rule(r retention.Rule) int64 {
	r.CascadeOf = nil
	return enc.rules.number(r, func() htmlRule {
		return htmlRule{clean(r.Policy), clean(r.Rule), r.Action.String(), clean(r.Reason), clean(string(r.Severity)), r.Mode.String()}
	})
}

func (enc *itemEncoder) set(rules []retention.Rule) int64 {
	numbers := make([]int64, len(rules))
	key := make([]byte, 0, 4*len(rules))
	for i, r := range rules {
		numbers[i] = enc.rule(r)
		key = append(key, byte(numbers[i]), byte(numbers[i]>>8), byte(numbers[i]>>16), byte(numbers[i]>>24))
	}
	return enc.sets.number(string(key), func() []int64 { return numbers })
}

// unix is an instant in seconds; 0 when unknown.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// unitOrder returns the numbers of the items in the order in which eachUnit
// visits them: by package, each root followed by what goes with it.
func unitOrder(items []retention.Item) []int {
	type unit struct {
		ref  retention.PackageRef
		root retention.ID
	}
	packages, roots := map[retention.PackageRef]int{}, map[unit]int{}
	for i, it := range items {
		if _, ok := packages[it.Ref()]; !ok {
			packages[it.Ref()] = i
		}
		if it.Unit() == it.VersionID {
			if _, ok := roots[unit{it.Ref(), it.VersionID}]; !ok {
				roots[unit{it.Ref(), it.VersionID}] = i
			}
		}
	}
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	place := func(i int) (pkg, root, child int) {
		it := items[i]
		at, ok := roots[unit{it.Ref(), it.Unit()}]
		if !ok || it.Unit() == it.VersionID {
			return packages[it.Ref()], i, 0
		}
		return packages[it.Ref()], at, 1
	}
	slices.SortFunc(order, func(a, b int) int {
		pa, ra, ca := place(a)
		pb, rb, cb := place(b)
		return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(ra, rb), cmp.Compare(ca, cb), cmp.Compare(a, b))
	})
	return order
}
