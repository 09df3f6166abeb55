package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/harmless"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":                "plain text",
		"日本語 é 👍":                   "日本語 é 👍",
		"\x1b[31mred":               `\x1b[31mred`,
		"a\nb\r\tc\x00\x7f":         `a\nb\x0d\tc\x00\x7f`,
		"\u009b31m":                 `\u009b31m`,
		"\u202eevil\u2066\u200b":    `\u202eevil\u2066\u200b`,
		"a\u2028b\u0085c\u00a0d":    `a\u2028b\u0085c\u00a0d`,
		"\xff\xc3(":                 `\xff\xc3(`,
		"\ufffd stays":              "\ufffd stays",
		"\u3164\u115f\uffa0\u1160":  `\u3164\u115f\uffa0\u1160`,
		"a\u2800\u034f\ufe0f\u180b": `a\u2800\u034f\ufe0f\u180b`,
		"\U000E0100x":               `\udb40\udd00x`,
		"\U000E0041tag \U0010FFFF":  `\udb40\udc41tag \udbff\udfff`,
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownProseAndCode(t *testing.T) {
	for in, want := range map[string]string{
		"untagged for 40 days":             "untagged for 40 days",
		"a|b":                              "a&#124;b",
		"<img src=x onerror=y>":            "&#60;img src=x onerror=y&#62;",
		"thanks @evil/team for #12":        "thanks `@evil/team` for `#12`",
		"[x](javascript:y) ![z](w)":        `\[x\](javascript:y) \!\[z\](w)`,
		"see https://evil.example www.e.x": "see `https://evil.example` `www.e.x`",
		"GH-12 *b* _i_ ~~s~~ $m$ `c`":      "`GH-12` \\*b\\* \\_i\\_ \\~\\~s\\~\\~ \\$m\\$ &#96;c&#96;",
		"- x\n# y":                         `\- <code>x&#92;n&#35;</code> y`, // the escaped line break is in the word with the #
		"&lt;b&gt;":                        "&#38;lt;b&#38;gt;",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose %q: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"team/api": "`team/api`", "@user <b>": "`@user <b>`", "": "",
		"a`b|c\\": "<code>a&#96;b&#124;c&#92;</code>", " x": "<code> x</code>", "<`>": "<code>&#60;&#96;&#62;</code>",
	} {
		if got := code(in); got != want {
			t.Errorf("code %q: %s, want %s", in, got, want)
		}
	}
}

// hostileViews puts a text wherever a view shows what others wrote.
func hostileViews(s string) map[string]View {
	it := item(7, s, retention.StatusHeld, rule(s, s, retention.Delete, retention.Enforce), rule(s, s, retention.Delete, retention.Enforce))
	it.Package, it.Tags, it.Owner = s, []string{s, s}, s
	it.Guard = &retention.GuardNote{Code: "x", Detail: s}
	it.Overruled = []retention.Rule{rule(s, s, retention.Keep, retention.Enforce)}
	kept := it
	kept.Status, kept.Guard, kept.VersionID = retention.StatusKept, nil, 8
	done := it
	done.Outcome, done.Detail, done.RequestID = retention.OutcomeFailed, s, s
	problems := []retention.Problem{{Owner: s, Package: s, Kind: "incomplete", Policy: s, Detail: s}}
	run := retention.Run{ID: s, Owner: s, Kind: "apply", Undoes: s, Actor: s}
	return map[string]View{
		"plan":     Plan{ID: s, Bundle: Bundle{s, s}, Owners: []OwnerCounts{{Login: s}}, Items: []retention.Item{it, kept}, Problems: problems},
		"run":      Run{Run: run, Items: []retention.Item{done}, Problems: problems, StoppedBy: s},
		"runs":     Runs{run},
		"ledger":   Verifications{{Owner: s, Head: s, Broken: s}},
		"policies": Policies{{Name: s, Title: s, Description: s, Severity: retention.Severity(s), Params: map[string]any{s: s}, Source: s}},
		"packages": Packages{{s, retention.Package{Name: s, Visibility: s, HTMLURL: s, URL: s, Repository: &retention.Repository{FullName: s}}}},
		"versions": Versions{Package: retention.PackageRef{Owner: s, Name: s}, Versions: []retention.Version{{Name: s, Tags: []string{s}, DeletedBy: &retention.DeletedBy{Run: s, Policy: s}}}},
		"rows":     Rows{Columns: []string{s, s}, Rows: [][]any{{s, []byte(s)}}},
		"grid":     Grid{Title: s, Columns: []string{s}, Rows: [][]string{{s}}, Notes: []string{s}, Summary: s},
	}
}

// checkHarmless compares the output for a hostile text with that for a word: no
// more lines, no more cells, nothing that a terminal or GitHub would obey.
func checkHarmless(t interface{ Errorf(string, ...any) }, name string, f Format, hostile, tame View) {
	var got, want bytes.Buffer
	if err := Write(&got, f, hostile, Options{Width: 70}); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := Write(&want, f, tame, Options{Width: 70}); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	out := got.String()
	if !utf8.ValidString(out) {
		t.Errorf("%s as %v: not UTF-8: %q", name, f, out)
	}
	for _, r := range out {
		if r != '\n' && !harmless.Rune(r) {
			t.Errorf("%s as %v: %U reaches the output: %q", name, f, r, out)
			return
		}
	}
	// Columns that find no room are named on a line of their own.
	lines := func(s string) int {
		n := strings.Count(s, "\n")
		return n - strings.Count(s, "(no room for ")
	}
	if lines(out) != lines(want.String()) {
		t.Errorf("%s as %v: %d lines, want %d:\n%s", name, f, lines(out), lines(want.String()), out)
	}
	switch f {
	case FormatJSON:
		if !json.Valid(got.Bytes()) {
			t.Errorf("%s is not JSON: %s", name, out)
		}
	case FormatMarkdown:
		if a, b := strings.Count(out, "|"), strings.Count(want.String(), "|"); a != b {
			t.Errorf("%s: %d cell borders, want %d:\n%s", name, a, b, out)
		}
		if text := outsideCode(out); strings.ContainsAny(text, "@") || strings.Contains(text, "://") || strings.Contains(strings.ReplaceAll(text, "<br>", ""), "<") {
			t.Errorf("%s: markup outside code: %s\n%s", name, text, out)
		}
	}
}

// outsideCode takes code spans and code elements out of Markdown, line by line.
func outsideCode(markdown string) string {
	var out strings.Builder
	for line := range strings.Lines(markdown) {
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				out.WriteString(strings.NewReplacer("<code>", "", "</code>", "").Replace(part))
			}
		}
	}
	return out.String()
}

func TestHostileTextIsHarmlessInEveryFormat(t *testing.T) {
	tame := hostileViews("word")
	for _, s := range []string{
		"\x1b[2J\x1b]0;title\x07", "a\nb\r\nc", "x | y | z", "`code` ``more``", "\\| \\\\| \\`", "<script>alert(1)</script>", "<code>`</code>|",
		"@everyone and @org/team", "[a](https://evil.example)", "![i](https://evil.example/x.png)", "https://evil.example", "\u202egnp.exe", "\u009b31m",
		"\xff\xfe|\n", "| --- |\n# title", "a\u2028b", "\u200b", "--- `|` @x", "</code><b>", "*b* _i_ ~~s~~ #1 GH-1", "$$m$$", "&lt;",
	} {
		for name, v := range hostileViews(s) {
			for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
				checkHarmless(t, name+" of "+s, f, v, tame[name])
			}
		}
	}
}

func TestAnyTextIsHarmlessInEveryFormat(t *testing.T) {
	tame := hostileViews("word")
	alphabet := []rune("ab |`\\<>@#&*_[]()!:/.-\"'\n\r\t\x1b\x07\u009b\u202e\u200b\u2028\u00a0é漢👍\U000E0041")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom(alphabet), 1, 40, -1).Draw(t, "text")
		if strings.TrimSpace(s) == "" {
			t.Skip("nothing to show")
		}
		for name, v := range hostileViews(s) {
			for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
				checkHarmless(t, name, f, v, tame[name])
			}
		}
	})
}

func TestJSONKeepsHostileTextExactly(t *testing.T) {
	const s = "a\x1b\u009b\u202e\U000E0041<&>\u007f\n\"\\"
	out := render(t, FormatJSON, Rows{Columns: []string{"v"}, Rows: [][]any{{s}}}, Options{})
	var got []map[string]string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]string{{"v": s}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(out, "<&>") {
		t.Errorf("HTML is escaped: %s", out)
	}
}
