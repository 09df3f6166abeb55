package packages

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	perPage = 100
	// ceilingPages is how far GitHub pages packages: page × per_page ≤ 10,000.
	ceilingPages = 10_000 / perPage
	// maxPages bounds a listing without such a ceiling: a million entries. A Link
	// header that promises more is not believed.
	maxPages = 10_000
	// settleReadings is how often a list is read at most that has to agree with itself.
	settleReadings = 6
)

// List is what a listing read. Its zero value is incomplete. An empty complete
// list says that GitHub showed nothing, which is also what a credential without
// access gets to see.
type List[T any] struct {
	Items     []T       // in GitHub's order, each id once
	Pages     int       // pages that Items come from
	Complete  bool      // everything the Link headers promised arrived, without contradiction
	Shortfall string    // why it is not complete
	ReadAt    time.Time // when the reading began that Items are of
}

// PackageList is a listing of packages.
type PackageList = List[retention.Package]

// VersionList is a listing of versions.
type VersionList = List[retention.Version]

// listing is one paged query.
type listing[T any] struct {
	client *Client
	op     operation
	path   string
	query  url.Values
	decode func([]byte) ([]T, error)
	id     func(T) retention.ID
	// gap says what an item lacks for the list to be whole, "" for nothing.
	gap     func(T) string
	ceiling int // pages that GitHub serves at most, 0 for no such limit
	// expect is how many items there may be, 0 for unknown: so many pages are asked
	// for at once, before the first one says how many there are.
	expect int
	// settled asks for readings until two in a row agree.
	settled bool
	// splits says that the caller asks in narrower queries when the ceiling is
	// reached, so that reading up to it would be in vain.
	splits bool
}

// page is one page of a reading.
type page[T any] struct {
	answer
	items []T
	read  bool
}

// reading is one walk over all pages.
type reading[T any] struct {
	pages []page[T] // index is page number - 1
	began time.Time
	// ceiling says that there may be more than GitHub serves.
	ceiling bool
	// moved says how the pages contradict each other or the Link headers, "" if
	// they don't: the list changed while it was read, or part of it is hidden.
	moved string
}

// all reads the list; once more when it moved while being read.
func (l listing[T]) all(ctx context.Context) (list List[T], atCeiling bool, err error) {
	read := l.twice
	if l.settled {
		read = l.settle
	}
	r, items, err := read(ctx)
	list = List[T]{Items: items, ReadAt: r.began}
	for _, p := range r.pages {
		if p.read {
			list.Pages++
		}
	}
	switch {
	case err != nil:
		list.Shortfall = "a page could not be read"
	case r.moved != "":
		list.Shortfall = r.moved
	case r.ceiling:
		list.Shortfall = fmt.Sprintf("GitHub serves only the first %d entries of one query", l.ceiling*perPage)
	default:
		list.Shortfall = l.gaps(r, list.Items)
	}
	list.Complete = list.Shortfall == ""
	return list, r.ceiling, err
}

// twice reads the list, once more when it moved while being read.
func (l listing[T]) twice(ctx context.Context) (reading[T], []T, error) {
	r, items, err := l.walk(ctx)
	if err == nil && r.moved != "" {
		return l.walk(ctx)
	}
	return r, items, err
}

// settle reads the list until two readings show the same entries, or the later one
// a few more in front of them.
//
// The pages of one reading are of different moments. Where an entry is deleted or
// added between two of them, another one may move from a page that is still to be
// read to one that was read already, and is then on neither. Not every such move
// shows in the pages. But what was deleted meanwhile is in that reading and not in
// the next; and what was hidden by an addition is no longer at the end of its page
// when the next reading begins, unless a whole page of entries was added since.
func (l listing[T]) settle(ctx context.Context) (r reading[T], items []T, err error) {
	var before []T
	for range settleReadings {
		r, items, err = l.walk(ctx)
		switch {
		case err != nil, r.ceiling, r.moved == "" && len(r.pages) == 1: // one answer is of one moment
			return r, items, err
		case r.moved == "" && before != nil && l.follows(before, items):
			return r, items, nil
		case r.moved == "":
			before = items
		}
		l.expect = len(items)
	}
	r.moved = cmp.Or(r.moved, "the list keeps changing while it is read")
	return r, items, nil
}

// follows reports whether a reading shows what the one before it did, and less than
// a page of new entries in front.
func (l listing[T]) follows(before, now []T) bool {
	added := len(now) - len(before)
	same := func(a, b T) bool { return l.id(a) == l.id(b) }
	return added >= 0 && added < perPage && slices.EqualFunc(before, now[added:], same)
}

// gaps finds what is missing although every page arrived.
func (l listing[T]) gaps(r reading[T], items []T) string {
	for _, p := range r.pages {
		if p.partial != "" {
			return "GitHub left out what needs a SAML single sign-on session (" + clean(p.partial) + "): authorize the token for it"
		}
	}
	if l.gap == nil {
		return ""
	}
	for _, it := range items {
		if g := l.gap(it); g != "" {
			return g
		}
	}
	return ""
}

// walk reads page 1, and with it those that are expected to follow, then what it
// promises, and joins what it read; with an error, what was read until then.
func (l listing[T]) walk(ctx context.Context) (r reading[T], items []T, err error) {
	r.began = l.client.now()
	r.pages = make([]page[T], max(1, min((l.expect+perPage-1)/perPage, l.client.parallel)))
	if err := l.fetchAll(ctx, &r); err != nil {
		return r, l.merge(&r), err
	}
	switch first := r.pages[0]; {
	case first.oddLink:
		r.pages = r.pages[:1]
		r.moved = "page 1 has a next page whose number can't be read"
	case first.last > 1:
		err = l.parallel(ctx, &r, first.last)
	case first.next > 0:
		r.pages = r.pages[:1]
		err = l.sequential(ctx, &r)
	default:
		r.end(1)
	}
	items = l.merge(&r)
	return r, items, err
}

// end drops the pages behind the last one, which were asked for in vain. An entry
// there means that the list moved while it was read.
func (r *reading[T]) end(last int) {
	for i := last; i < len(r.pages); i++ {
		if len(r.pages[i].items) > 0 {
			r.moved = fmt.Sprintf("page 1 promises %d pages, and page %d holds entries", last, i+1)
		}
	}
	r.pages = r.pages[:min(last, len(r.pages))]
}

// parallel reads what was not read yet of the pages up to last, several at a time.
func (l listing[T]) parallel(ctx context.Context, r *reading[T], last int) error {
	if l.ceiling == 0 && last > maxPages {
		r.moved = fmt.Sprintf("the Link header promises %d pages, more than can be", last)
		return nil
	}
	if l.ceiling > 0 && last > l.ceiling {
		r.ceiling = true
		if l.splits {
			return nil
		}
		last = l.ceiling
	}
	if r.end(last); r.moved != "" {
		return nil
	}
	r.pages = append(r.pages, make([]page[T], last-len(r.pages))...)
	if last == l.ceiling && !r.ceiling {
		// The last page tells whether the list ends here or only what is served of it.
		if err := l.fetch(ctx, r, last); err != nil {
			return err
		}
		if end := r.pages[last-1]; len(end.items) >= perPage || end.next > 0 {
			r.ceiling = true
			if l.splits {
				return nil
			}
		}
	}
	if err := l.fetchAll(ctx, r); err != nil {
		return err
	}
	r.moved = contradiction(r.pages, r.ceiling)
	return nil
}

// fetchAll reads the pages that were not read yet, several at a time.
func (l listing[T]) fetchAll(ctx context.Context, r *reading[T]) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(l.client.parallel)
	for i := range r.pages {
		if !r.pages[i].read {
			group.Go(func() error { return l.fetch(gctx, r, i+1) })
		}
	}
	return group.Wait()
}

func (l listing[T]) fetch(ctx context.Context, r *reading[T], n int) error {
	if err := ctx.Err(); err != nil {
		return l.client.noAnswer(l.op, err, false)
	}
	p, err := l.page(ctx, n)
	if err != nil {
		return err
	}
	r.pages[n-1] = p
	return nil
}

// sequential follows rel=next where the answer doesn't say which page is the last.
func (l listing[T]) sequential(ctx context.Context, r *reading[T]) error {
	for n := 2; ; n++ {
		switch before := r.pages[n-2]; {
		case before.oddLink || before.next != 0 && before.next != n:
			r.moved = fmt.Sprintf("page %d names another page than %d as the next", n-1, n)
			return nil
		case l.ceiling > 0 && n > l.ceiling && (before.next == n || len(before.items) >= perPage):
			r.ceiling = true
			return nil
		case before.next == 0:
			r.moved = contradiction(r.pages, r.ceiling)
			return nil
		case n > maxPages:
			r.moved = fmt.Sprintf("there are more than %d pages", maxPages)
			return nil
		}
		p, err := l.page(ctx, n)
		if err != nil {
			return err
		}
		r.pages = append(r.pages, p)
	}
}

// contradiction checks the pages against each other: each but the last is full,
// the last is not empty and is the last, and all promise the same number.
func contradiction[T any](pages []page[T], ceiling bool) string {
	last := len(pages)
	if last < 2 {
		return ""
	}
	promised := pages[0].last
	for i, p := range pages {
		switch n := i + 1; {
		case n < last && len(p.items) < perPage:
			return fmt.Sprintf("page %d of %d holds %d entries instead of %d", n, last, len(p.items), perPage)
		case n == last && len(p.items) == 0:
			return fmt.Sprintf("page %d of %d is empty", n, last)
		case n == last && p.next > 0 && !ceiling:
			return fmt.Sprintf("page %d was to be the last and names another", n)
		case p.last > 0 && promised > 0 && p.last != promised:
			return fmt.Sprintf("page 1 promises %d pages, page %d promises %d", promised, n, p.last)
		}
	}
	return ""
}

// page reads page n.
func (l listing[T]) page(ctx context.Context, n int) (page[T], error) {
	q := url.Values{}
	for k, v := range l.query {
		q[k] = v
	}
	q.Set("per_page", strconv.Itoa(perPage))
	q.Set("page", strconv.Itoa(n))
	op := l.op
	op.text += fmt.Sprintf(", page %d", n)
	a, err := l.client.get(ctx, op, l.path, q)
	if err != nil {
		return page[T]{}, err
	}
	items, err := l.decode(a.body)
	if err != nil {
		return page[T]{}, unreadable(op, a, err)
	}
	a.body = nil
	return page[T]{answer: a, items: items, read: true}, nil
}

// merge joins the pages in order, each id once. An id that shows up twice means
// that the list moved, and then something else may have been skipped.
func (l listing[T]) merge(r *reading[T]) []T {
	seen := map[retention.ID]bool{}
	var out []T
	for i, p := range r.pages {
		for _, it := range p.items {
			id := l.id(it)
			if seen[id] {
				if r.moved == "" {
					r.moved = fmt.Sprintf("id %s shows up again on page %d: the list changed while it was read", id, i+1)
				}
				continue
			}
			seen[id] = true
			out = append(out, it)
		}
	}
	return out
}
