package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/shelflife-dev/shelflife/internal/report/html"
)

// Views are several views that belong together: one page in HTML, and one after
// the other in every other format.
type Views []View

func (vs Views) value() any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v.value()
	}
	return out
}

func (vs Views) document() document {
	if len(vs) == 0 {
		return document{}
	}
	return vs[0].document()
}

// paged is a view whose page is more than its document. The ids of its sections
// begin with prefix.
type paged interface {
	page(prefix string) html.Page
}

// HTML writes a view as one page that holds everything and loads nothing.
func HTML(w io.Writer, v View, o Options) error {
	p := pageOf(v)
	p.Home = o.Home
	if err := html.Write(w, p); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}

// HTMLPolicy is the Content-Security-Policy of a view's page, for a server to
// send with it.
func HTMLPolicy(v View) string { return html.Policy(pageOf(v)) }

func pageOf(v View) html.Page {
	several, ok := v.(Views)
	if !ok {
		several = Views{v}
	}
	var p html.Page
	for i, v := range several {
		next := onePage(v, fmt.Sprintf("v%d-", i))
		if i == 0 {
			p = next
			continue
		}
		// What the title said of the page is the heading of the part now.
		if len(next.Sections) > 0 && next.Subject != "" {
			s := &next.Sections[0]
			s.Heading, s.Code = next.Title+" "+next.Subject, false
		}
		p.Facts = append(p.Facts, next.Facts...)
		p.Notices = append(p.Notices, next.Notices...)
		p.Sections = append(p.Sections, next.Sections...)
	}
	p.Title = cmp.Or(p.Title, "Report")
	return p
}

func onePage(v View, prefix string) html.Page {
	if p, ok := v.(paged); ok {
		return p.page(prefix)
	}
	p := documentPage(v.document(), prefix)
	p.Title = cmp.Or(p.Title, titleOf(v))
	return p
}

// titleOf names what lists carry no title for.
func titleOf(v View) string {
	switch v.(type) {
	case Runs:
		return "Runs"
	case Policies:
		return "Policies"
	case Packages:
		return "Packages"
	case Versions:
		return "Versions"
	case Verifications:
		return "Ledgers"
	case Rows:
		return "Rows"
	}
	return ""
}

// documentPage shows a document as it is: its tables as sections.
func documentPage(d document, prefix string) html.Page {
	p := documentHead(d)
	for i, t := range d.tables {
		p.Sections = append(p.Sections, tableSection(fmt.Sprintf("%st%d", prefix, i), t))
	}
	return p
}

// documentHead is what stands above the tables.
func documentHead(d document) html.Page {
	p := html.Page{Title: clean(d.title), Subject: clean(d.subject), Message: clean(d.summary)}
	for _, f := range d.facts {
		p.Facts = append(p.Facts, html.Fact{Name: clean(f.name), Value: clean(f.value)})
	}
	for _, n := range d.notes {
		p.Notices = append(p.Notices, clean(n))
	}
	if len(d.tables) == 0 && d.empty != "" {
		p.Message = clean(d.empty)
	}
	return p
}

// htmlCell is a cell as the page's program reads it: a string, or this.
type htmlCell struct {
	Lead string    `json:"lead,omitempty"`
	Text string    `json:"text"`
	Tone html.Tone `json:"tone,omitempty"`
	More []any     `json:"more,omitempty"`
}

func toneOf(t tone) html.Tone {
	return map[tone]html.Tone{bad: html.Bad, good: html.Good, doubtful: html.Doubtful, faint: html.Faint}[t]
}

func cellOf(c cell) any {
	if c.lead == "" && c.tone == plain && len(c.more) == 0 {
		return clean(c.branch + c.text)
	}
	out := htmlCell{Lead: clean(c.lead), Text: clean(c.branch + c.text), Tone: toneOf(c.tone)}
	for _, m := range c.more {
		out.More = append(out.More, cellOf(m))
	}
	return out
}

func tableSection(id string, t table) html.Section {
	s := html.Section{ID: id, Kind: html.KindTable, Heading: clean(t.heading), Code: true}
	for _, n := range t.notes {
		s.Notes = append(s.Notes, clean(n))
	}
	type htmlColumn struct {
		Name  string `json:"name"`
		Right bool   `json:"right,omitempty"`
		Code  bool   `json:"code,omitempty"`
		Tree  bool   `json:"tree,omitempty"`
	}
	rows := slices.Collect(t.each())
	tree := false // the order of a tree means something: it is not sorted
	columns := make([]htmlColumn, len(t.columns))
	for i, c := range t.columns {
		columns[i] = htmlColumn{Name: sentence(clean(c.name)), Right: c.right, Code: c.code}
		for _, row := range rows {
			columns[i].Tree = columns[i].Tree || row[i].branch != ""
		}
		tree = tree || columns[i].Tree
	}
	s.Data = func(e *html.Encoder) {
		e.Object(
			html.Values("caption", func() any { return cmp.Or(s.Heading, "Rows") }),
			html.Values("fixed", func() any { return tree }),
			html.Values("columns", func() any { return columns }),
			html.Field{Name: "rows", Write: func(e *html.Encoder) {
				e.List(len(rows), func(i int) {
					row := rows[i]
					e.List(len(row), func(j int) { e.Value(cellOf(row[j])) })
				})
			}},
		)
	}
	return s
}

// sentence writes a column's name in capitals as a page does: Only the first is one.
func sentence(name string) string {
	out := []byte(name)
	for i, b := range out {
		if b >= 'a' && b <= 'z' {
			return name // as a query named it
		}
		if i > 0 && b >= 'A' && b <= 'Z' {
			out[i] = b + 'a' - 'A'
		}
	}
	return string(out)
}
