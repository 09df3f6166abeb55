package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, f Format, v View, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestEveryViewInEveryFormat(t *testing.T) {
	for name, v := range sampleViews() {
		for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
			got := render(t, f, v, Options{})
			golden(t, name+"."+f.String(), got)
			if f == FormatJSON && !json.Valid([]byte(got)) {
				t.Errorf("%s is not JSON", name)
			}
			if f == FormatTable {
				for line := range strings.Lines(got) {
					if strings.TrimRight(line, "\n") != strings.TrimRight(line, " \n") {
						t.Errorf("%s: a line ends in spaces: %q", name, line)
					}
				}
			}
		}
	}
}

func TestTablesFitTheTerminal(t *testing.T) {
	for name, v := range sampleViews() {
		for _, columns := range []int{80, 100} {
			got := render(t, FormatTable, v, Options{Width: columns})
			switch name {
			case "plan", "packages", "versions", "runs":
				golden(t, name+".table"+map[int]string{80: "80", 100: "100"}[columns], got)
			}
			for line := range strings.Lines(got) {
				isRow := strings.HasPrefix(strings.TrimSpace(line), "delete") || strings.Contains(line, "sha256:")
				if w := width(strings.TrimRight(line, "\n")); isRow && !strings.Contains(line, "! ") && w > columns {
					t.Errorf("%s at %d: %d wide: %s", name, columns, w, line)
				}
			}
		}
	}
}

func TestNarrowTablesNeverCutThePolicy(t *testing.T) {
	for _, columns := range []int{1, 20, 60, 72} {
		got := render(t, FormatTable, samplePlan(), Options{Width: columns})
		for _, policy := range []string{"expire_pull_requests (+1): ", "expire_untagged: ", "restore_protected: ", "retire_package/idle: "} {
			if !strings.Contains(got, policy) {
				t.Errorf("at %d columns, %q is missing:\n%s", columns, policy, got)
			}
		}
	}
}

func TestColorIsOnlyThereWhenAsked(t *testing.T) {
	v := samplePlan()
	colored, bare := render(t, FormatTable, v, Options{Color: true}), render(t, FormatTable, v, Options{})
	if strings.Contains(bare, "\x1b") {
		t.Error("colours without being asked")
	}
	if !strings.Contains(colored, "\x1b[31mdelete\x1b[0m") {
		t.Errorf("a planned delete is not red:\n%s", colored)
	}
	for _, code := range []string{"31", "32", "33", "2", "0"} {
		colored = strings.ReplaceAll(colored, "\x1b["+code+"m", "")
	}
	if diff := cmp.Diff(bare, colored); diff != "" {
		t.Errorf("colour changes the layout (-without +with):\n%s", diff)
	}
	set := func(string) string { return "1" }
	unset := func(string) string { return "" }
	if UseColor(true, set) || UseColor(false, unset) || !UseColor(true, unset) {
		t.Error("UseColor does not follow NO_COLOR and what was asked")
	}
}

func TestThePlansOwnDocumentIsWrittenAsItIs(t *testing.T) {
	p := samplePlan()
	p.Document = sealed("{\n  \"signature\": {\n    \"alg\": \"HS256\",\n    \"value\": \"\u202e\"\n  }\n}\n")
	want := strings.ReplaceAll(string(p.Document.(sealed)), "\u202e", `\u202e`)
	if diff := cmp.Diff(want, render(t, FormatJSON, p, Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	g := Grid{Document: []int{1}}
	if got := render(t, FormatJSON, g, Options{}); got != "[\n  1\n]\n" {
		t.Errorf("grid: %s", got)
	}
}

// sealed is a document that writes itself byte by byte, so that characters come in parts.
type sealed string

func (s sealed) WriteJSON(w io.Writer) error {
	for i := range len(s) {
		if _, err := w.Write([]byte{s[i]}); err != nil {
			return err
		}
	}
	return nil
}

func TestShowingAPlanDoesNotChangeIt(t *testing.T) {
	p := samplePlan()
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown, FormatHTML} {
		render(t, f, p, Options{Width: 60})
	}
	if diff := cmp.Diff(samplePlan(), p); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestEveryItemIsShownOnce(t *testing.T) {
	root, absent := retention.ID(1), retention.ID(99)
	of := func(id retention.ID, cascade *retention.ID) retention.Item {
		it := item(id, id.String(), retention.StatusPlanned)
		it.Rules = []retention.Rule{{Policy: "p", CascadeOf: cascade}}
		return it
	}
	items := []retention.Item{of(2, &root), of(3, &absent), of(1, nil), of(1, nil), of(4, &root), of(5, nil)}
	type shown struct {
		ID    retention.ID
		Child bool
	}
	var got []shown
	eachUnit(items, func(it retention.Item, child bool) bool {
		got = append(got, shown{it.VersionID, child})
		return true
	})
	want := []shown{{3, false}, {1, false}, {2, true}, {4, true}, {1, false}, {5, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormats(t *testing.T) {
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown, FormatHTML} {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%v: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("yaml"); err == nil || !strings.Contains(err.Error(), "table, json, markdown, html") {
		t.Errorf("unknown format: %v", err)
	}
	if err := Write(&bytes.Buffer{}, Format(9), samplePlan(), Options{}); err == nil {
		t.Error("an invalid format is written")
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown, FormatHTML} {
		if err := Write(full{}, f, samplePlan(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%v: %v", f, err)
		}
	}
	if err := JSON(&bytes.Buffer{}, Rows{Columns: []string{"f"}, Rows: [][]any{{func() {}}}}); err == nil || !strings.Contains(err.Error(), "column f") {
		t.Errorf("a value that JSON cannot hold: %v", err)
	}
}
