package packages

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

const maxMessage = 500

// errorWords is what GitHub says in an error body:
// {"message":…, "documentation_url":…, "status":"403", "errors":[{"message":…}]}.
type errorWords struct{ message, documentationURL string }

// parseErrorBody reads an error body field by field, so that a truncated one
// still gives what came before the break, and one with fields of odd types what
// can be read. HTML and anything else gives nothing: the status has to do.
func parseErrorBody(raw []byte) errorWords {
	var w errorWords
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return w
	}
	var details []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			break
		}
		switch key {
		case "message":
			w.message = plainText(value)
		case "documentation_url":
			w.documentationURL = plainText(value)
		case "errors":
			details = errorDetails(value)
		}
	}
	if len(details) > 0 {
		w.message = clean(strings.TrimPrefix(w.message+": "+strings.Join(details, "; "), ": "))
	}
	return w
}

// errorDetails reads "errors": a string, or a list of strings or of objects
// with a message.
func errorDetails(raw json.RawMessage) []string {
	if s := plainText(raw); s != "" {
		return []string{s}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		var object struct {
			Message json.RawMessage `json:"message"`
		}
		s := plainText(item)
		if s == "" && json.Unmarshal(item, &object) == nil {
			s = plainText(object.Message)
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// plainText reads a JSON string; anything else is "".
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return clean(s)
}

// clean makes a remote text fit to be printed: one line, no control characters
// (a terminal obeys them), at most 500 characters.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if rs := []rune(s); len(rs) > maxMessage {
		s = string(rs[:maxMessage]) + "…"
	}
	return s
}
