package html

import (
	"bufio"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"sync"
)

// Page is one report. Its strings are shown as text.
type Page struct {
	Title    string
	Subject  string // what the title is about: an id, a name
	Home     string // address that leads back; "" in a file
	Facts    []Fact
	Tiles    []Tile
	Notices  []string // what a reader must not miss
	Message  string   // said when there is nothing to list, or in one line what there is
	Sections []Section
}

// Fact is one line below the title.
type Fact struct{ Name, Value string }

// Tile is one number of the summary. With a Filter it leads to the rows that it
// counts.
type Tile struct {
	Name   string
	Value  int
	Tone   Tone
	Filter string // of the items, such as status=held
	Hint   string
}

// Number is the value with its thousands set apart.
func (t Tile) Number() string {
	s := strconv.Itoa(t.Value)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Tone is what a colour says besides the words.
type Tone string

// The tones. The zero Tone is plain.
const (
	Plain    Tone = ""
	Bad      Tone = "bad"
	Good     Tone = "good"
	Doubtful Tone = "doubt"
	Faint    Tone = "faint"
)

// Kind says how a section is shown.
type Kind string

// The kinds of section.
const (
	KindItems  Kind = "items" // the lines of a plan or run, see Items
	KindTable  Kind = "table" // see Table
	KindChart  Kind = "chart" // see Chart
	KindGraphs Kind = "graphs"
)

// Section is one part of a page. What Data writes is its value in the page's data
// block; a section of drawings has none.
type Section struct {
	ID       string // of the element, unique in the page: letters, digits, hyphens
	Kind     Kind
	Heading  string
	Code     bool // the heading is a name
	Lead     string
	Notes    []string
	Drawings []Drawing
	Data     func(*Encoder)
}

//go:embed page.tmpl
var pageTemplate string

//go:embed assets vendor/uplot
var files embed.FS

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageTemplate))
})

// Write writes the page. Rows are encoded one by one as they are asked for; the
// error is the first of w, or of a value that JSON cannot hold.
func Write(w io.Writer, p Page) error {
	out := bufio.NewWriterSize(w, 1<<16)
	a := assetsFor(p)
	head := struct {
		Page
		Policy string
	}{p, a.policy()}
	if err := templates().ExecuteTemplate(out, "head", head); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	// The bytes between the tags are what the policy's digests are of.
	fmt.Fprintf(out, "<style>%s</style>\n", a.style)
	if err := templates().ExecuteTemplate(out, "body", head); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	if err := writeData(out, p.Sections); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	fmt.Fprintf(out, "<script>%s</script>\n</body>\n</html>\n", a.program)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// writeData writes the data block: an object with a value for each section.
func writeData(out *bufio.Writer, sections []Section) error {
	e := &Encoder{w: out}
	e.raw(`<script type="application/json" id="data">` + "{")
	first := true
	for _, s := range sections {
		if s.Data == nil {
			continue
		}
		if !first {
			e.raw(",")
		}
		first = false
		e.raw("\n")
		e.String(s.ID)
		e.raw(":")
		s.Data(e)
	}
	e.raw("}</script>\n")
	return e.err
}
