package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/shelflife-dev/shelflife/internal/harmless"
)

// clean makes text harmless for a terminal and keeps it on one line: control
// characters, escape sequences, line breaks, characters that are invisible or
// turn the direction of writing, and broken UTF-8 are shown as escapes.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case harmless.Rune(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteString(harmless.Escape(r))
		}
		i += size
	}
	return b.String()
}

// Lines makes text of several lines harmless for a terminal, each line as tables do:
// what others wrote (names, tags, answers of servers) can't move the cursor, colour,
// or pass for a line of ours.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = clean(strings.TrimSuffix(lines[i], "\r"))
	}
	return strings.Join(lines, "\n")
}

func isClean(s string) bool {
	for i, r := range s {
		if !harmless.Rune(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}

// Visible is text as every format for people shows it: on one line, without
// anything that a terminal or a reader could be misled by.
func Visible(s string) string { return clean(s) }
