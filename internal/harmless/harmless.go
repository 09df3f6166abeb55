// Package harmless says which characters a person can be shown as they are, and
// writes JSON without the others. It changes no JSON's meaning.
package harmless

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

const blankBraille = '\u2800'

// Rune reports whether a terminal shows r as one visible character, or as part of
// one. Spaces other than the plain one could pass for it. Fillers, variation
// selectors and the blank Braille pattern are letters, marks and symbols to
// Unicode, yet nothing is seen of them: two names that differ would look alike.
func Rune(r rune) bool {
	if r < 0x7F {
		return r >= ' '
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != blankBraille &&
		!unicode.In(r, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Escape writes r as JSON does, in UTF-16 units.
func Escape(r rune) string {
	if r > 0xFFFF {
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xD800+(r>>10), 0xDC00+(r&0x3FF))
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// JSON is a writer for what encoding/json writes. It escapes what that leaves in
// strings although it is not harmless: DEL, the C1 controls, and invisible or
// direction-turning characters. Outside strings, JSON is ASCII.
type JSON struct {
	w    io.Writer
	part []byte // the beginning of a character whose rest is not there yet
}

// NewJSON returns a writer to w.
func NewJSON(w io.Writer) *JSON { return &JSON{w: w} }

// Write implements io.Writer.
func (j *JSON) Write(b []byte) (int, error) {
	text := append(j.part, b...)
	j.part = nil
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if text[0] < 0x7F {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		if !utf8.FullRune(text) {
			j.part = text
			break
		}
		r, size := utf8.DecodeRune(text)
		if Rune(r) {
			out = append(out, text[:size]...)
		} else {
			out = append(out, Escape(r)...)
		}
		text = text[size:]
	}
	if _, err := j.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flush writes what is left of a character that never came whole.
func (j *JSON) Flush() error {
	_, err := j.w.Write(j.part)
	j.part = nil
	return err
}
