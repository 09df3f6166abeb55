package githubsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decodeStrict decodes one JSON document: no unknown fields, no key twice in an
// object, nothing after it. Errors name the line.
func decodeStrict(raw []byte, into any) error {
	if err := checkDuplicateKeys(raw); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return atLine(raw, offsetOf(raw, err, dec), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return atLine(raw, dec.InputOffset(), errors.New("something follows the document"))
	}
	return nil
}

// offsetOf finds where decoding failed. For errors that carry no offset (an
// unknown field, a text that a type refuses) it is the first place in the
// document where the text that the error quotes stands.
func offsetOf(raw []byte, err error, dec *json.Decoder) int64 {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset
	case errors.As(err, &typ):
		return typ.Offset
	}
	_, quoted, _ := strings.Cut(err.Error(), `"`)
	quoted, _, _ = strings.Cut(quoted, `"`)
	if i := bytes.Index(raw, []byte(`"`+quoted+`"`)); i >= 0 {
		return int64(i)
	}
	return dec.InputOffset()
}

func atLine(raw []byte, offset int64, err error) error {
	offset = min(max(offset, 0), int64(len(raw)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(raw[:offset], []byte("\n")), err)
}

// checkDuplicateKeys refuses an object that holds one key twice: encoding/json
// would silently take the last.
func checkDuplicateKeys(raw []byte) error {
	type frame struct {
		seen  map[string]bool // nil in an array
		value bool            // the next token is a value
	}
	var stack []frame
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return atLine(raw, offsetOf(raw, err, dec), err)
		}
		top := len(stack) - 1
		if key, ok := tok.(string); ok && top >= 0 && stack[top].seen != nil && !stack[top].value {
			if stack[top].seen[key] {
				return atLine(raw, dec.InputOffset(), fmt.Errorf("key %q is there twice", key))
			}
			stack[top].seen[key], stack[top].value = true, true
			continue
		}
		if delim, ok := tok.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:top]
			continue
		}
		if top >= 0 {
			stack[top].value = false
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, frame{seen: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, frame{})
		}
	}
}
