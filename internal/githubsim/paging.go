package githubsim

import (
	"net/http"
	"strconv"
	"strings"
)

const (
	defaultPerPage = 30
	maxPerPage     = 100
)

// page is one page of a listing; number counts from one.
type page struct{ number, size int }

// pageOf reads page and per_page as GitHub does: what makes no sense is the
// default, and more than 100 a page is 100.
func pageOf(q *request) page {
	query := q.r.URL.Query()
	p := page{number: 1, size: defaultPerPage}
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n > 0 {
		p.number = n
	}
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil && n > 0 {
		p.size = min(n, maxPerPage)
	}
	return p
}

// listAnswer renders one page of all and the Link header.
func listAnswer[T any](q *request, p page, all []T, render func(T) any) answer {
	out := []any{}
	if p.number <= 1+len(all)/p.size {
		from := min((p.number-1)*p.size, len(all))
		for _, item := range all[from:min(from+p.size, len(all))] {
			out = append(out, render(item))
		}
	}
	a := jsonAnswer(http.StatusOK, out)
	if link := linkHeader(q, p, (len(all)+p.size-1)/p.size); link != "" {
		a.header.Set("Link", link)
	}
	return a
}

// linkHeader holds prev, next, last and first, in GitHub's order; there is none
// when everything fits on one page.
func linkHeader(q *request, p page, last int) string {
	if last <= 1 && p.number == 1 {
		return ""
	}
	var links []string
	add := func(rel string, number int) {
		query := q.r.URL.Query()
		query.Set("page", strconv.Itoa(number))
		links = append(links, "<"+q.base+q.path+"?"+query.Encode()+`>; rel="`+rel+`"`)
	}
	if p.number > 1 {
		add("prev", max(min(p.number-1, last), 1))
	}
	if p.number < last {
		add("next", p.number+1)
		add("last", last)
	}
	if p.number > 1 {
		add("first", 1)
	}
	return strings.Join(links, ", ")
}
