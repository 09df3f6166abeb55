package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
		case isHarmless(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteString(escapeRune(r))
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
		if !isHarmless(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}

// isHarmless reports whether a terminal shows r as one visible character, or
// as part of one. Spaces other than the plain one could pass for it. Fillers,
// variation selectors and the blank Braille pattern are letters, marks and symbols
// to Unicode, yet nothing is seen of them: two names that differ would look alike.
func isHarmless(r rune) bool {
	if r < 0x7F {
		return r >= ' '
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != blankBraille &&
		!unicode.In(r, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

const blankBraille = '\u2800'

// escapeRune writes r as JSON does, in UTF-16 units.
func escapeRune(r rune) string {
	if r > 0xFFFF {
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xD800+(r>>10), 0xDC00+(r&0x3FF))
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Visible is text as every format for people shows it: on one line, without
// anything that a terminal or a reader could be misled by.
func Visible(s string) string { return clean(s) }
