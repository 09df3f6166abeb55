package sqlite

import (
	"errors"
	"fmt"
	"strings"
)

var errOnlySelect = errors.New("only one SELECT (or WITH … SELECT) can be run")

// single makes sure that the text is one statement that begins with SELECT or
// WITH. It reads comments, quotes and semicolons as SQLite's tokenizer does.
func single(query string) error {
	if strings.ContainsRune(query, 0) {
		return fmt.Errorf("%w: it holds a NUL character", errOnlySelect)
	}
	first, ended := "", false
	for rest := query; rest != ""; {
		n, meaning := token(rest)
		word := rest[:n]
		rest = rest[n:]
		switch {
		case !meaning:
		case word == ";":
			ended = true
		case ended:
			return fmt.Errorf("%w: there is more after the semicolon", errOnlySelect)
		case first == "":
			first = strings.ToUpper(word)
		}
	}
	if first != "SELECT" && first != "WITH" {
		return fmt.Errorf("%w: it begins with %q", errOnlySelect, first)
	}
	return nil
}

// token returns the length of the first token and whether it means anything:
// blanks and comments don't.
func token(s string) (n int, meaning bool) {
	switch c := s[0]; {
	case strings.IndexByte(" \t\n\f\r", c) >= 0:
		return 1, false
	case strings.HasPrefix(s, "--"):
		return through(s, 2, "\n"), false
	case strings.HasPrefix(s, "/*"):
		return through(s, 2, "*/"), false
	case c == '[':
		return through(s, 1, "]"), true
	case c == '\'' || c == '"' || c == '`':
		// A doubled quote inside reads as two strings side by side, which end
		// at the same place.
		return through(s, 1, string(c)), true
	case isWord(c):
		n = 1
		for n < len(s) && isWord(s[n]) {
			n++
		}
		return n, true
	}
	return 1, true
}

// through returns where end is over, looked for from start on; the whole length
// when it never comes.
func through(s string, start int, end string) int {
	if i := strings.Index(s[start:], end); i >= 0 {
		return start + i + len(end)
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
