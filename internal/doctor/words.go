package doctor

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/ghapp"
	"github.com/shelflife-dev/shelflife/internal/packages"
)

// The table knows the next step of these better than whoever met the error, who
// saw one call: it says what is wrong and what to do, the error only what was seen.
var tableKnows = []Code{
	AppUnknown, ClockAhead, ClockBehind, InstallationForeign, APIFailing, OwnerUnknown, RegistryUnreachable, RegistryDenied,
}

// Errors of these name the next step themselves, and a more exact one.
var errorKnows = []Code{ConfigUnnamed, CredentialMissing, AppKeyUnusable}

// words are the text of an error for a person, and whether it ends with the next
// step already.
func words(code Code, err error, text string) (detail string, complete bool) {
	if slices.Contains(tableKnows, code) {
		return condition(code).What + ": " + seen(err, text), false
	}
	_, paused := errors.AsType[*ghapp.PausedError](err)
	return text, paused || slices.Contains(errorKnows, code) || nextOf(err) != ""
}

// seen is an error's text without its own next step.
func seen(err error, text string) string {
	if e, ok := errors.AsType[*ghapp.ForeignOwnerError](err); ok {
		return fmt.Sprintf("it is %q's, not %q's", e.Asked, e.Bound)
	}
	next := nextOf(err)
	if next == "" {
		return text
	}
	text = strings.TrimRight(strings.TrimSuffix(text, next), ";: ")
	if e, ok := errors.AsType[*ghapp.AuthError](err); ok && e.Skew.Abs() > MaxSkew {
		text += fmt.Sprintf(" (by %s)", e.Skew.Abs().Round(time.Second))
	}
	return text
}

// nextOf is the next step that an error ends with, if it is known to.
func nextOf(err error) string {
	if e, ok := errors.AsType[*packages.Error](err); ok {
		return e.Next
	}
	if e, ok := errors.AsType[*ghapp.AuthError](err); ok {
		return e.Next
	}
	var step interface{ NextStep() string }
	if errors.As(err, &step) {
		return step.NextStep()
	}
	return ""
}

// particulars are what tells problems of one kind apart: the package type, the
// digest, and GitHub's id of the request.
var particulars = regexp.MustCompile(`\(request [^)]*\)|sha256:[0-9a-f]+|\b(container|docker|maven|npm|nuget|rubygems)\b`)

// grouped puts problems that differ in their particulars only together, in their
// order. What only counts further ones belongs to those before it.
func grouped(problems []string) [][]string {
	var out [][]string
	at := map[string]int{}
	for _, p := range problems {
		kind := particulars.ReplaceAllString(p, "")
		i, known := at[kind]
		switch {
		case known:
		case counted(p) > 0 && len(out) > 0:
			i = len(out) - 1
		default:
			i = len(out)
			at[kind], out = i, append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}

// counted is how many further problems a text stands for ("and 14 manifests more").
func counted(problem string) int {
	var n int
	if _, err := fmt.Sscanf(problem, "and %d manifests more", &n); err != nil {
		return 0
	}
	return n
}

// more says how many problems there are besides the first.
func more(problems []string) string {
	n := 0
	for _, p := range problems[1:] {
		n += max(1, counted(p))
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more like it)", n)
}
