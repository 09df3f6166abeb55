package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Code   Code   `json:"code,omitempty"` // of what is wrong, "" when nothing is
	Detail string `json:"detail"`         // what was found, without secrets
	Next   string `json:"next,omitempty"` // what to do about it

	complete bool // Detail ends with a next step of its own
}

// Text is the finding in one line, with the next step at its end.
func (f Finding) Text() string {
	if f.complete || f.Next == "" || strings.Contains(f.Detail, f.Next) {
		return f.Detail
	}
	return strings.TrimRight(f.Detail, ". ") + "; " + f.Next
}

// Report collects findings. clean takes secrets out of texts.
type Report struct {
	Findings []Finding
	clean    func(string) string
}

// NewReport returns an empty one.
func NewReport(clean func(string) string) *Report { return &Report{clean: clean} }

// OK notes a check that found everything in order.
func (r *Report) OK(check, format string, args ...any) {
	r.add(Finding{Check: check, Result: OK, Detail: fmt.Sprintf(format, args...)})
}

// Remark notes something that is worth knowing and is no condition.
func (r *Report) Remark(check, format string, args ...any) {
	r.add(Finding{Check: check, Result: Note, Detail: fmt.Sprintf(format, args...)})
}

// Found notes a condition, with what was seen of it. enforcing says that it is one
// of an owner that is acted on.
func (r *Report) Found(check string, code Code, enforcing bool, seen string) {
	c := condition(code)
	f := Finding{Check: check, Result: c.Result, Code: code, Detail: c.What, Next: c.Next}
	if enforcing && c.Enforcing != "" {
		f.Result = c.Enforcing
	}
	if seen != "" {
		f.Detail += ": " + seen
	}
	r.add(f)
}

// Failed notes a condition that an error stands for; text says what is wrong.
func (r *Report) Failed(check string, code Code, err error, text string) {
	detail, complete := words(code, err, text)
	r.add(Finding{Check: check, Result: Fail, Code: code, Detail: detail, Next: condition(code).Next, complete: complete})
}

// Unread notes what was not read. Each problem ends with the next step, as the
// detail of a retention.Problem does; those of one kind are one finding.
func (r *Report) Unread(check string, code Code, problems ...string) {
	c := condition(code)
	if slices.Contains(tableKnows, code) && len(problems) > 0 {
		seen, _, _ := strings.Cut(problems[0], "; ")
		r.add(Finding{Check: check, Result: Fail, Code: code, Detail: c.What + ": " + seen + more(problems), Next: c.Next})
		return
	}
	for _, group := range grouped(problems) {
		r.add(Finding{Check: check, Result: Fail, Code: code, Detail: group[0] + more(group), Next: c.Next, complete: true})
	}
}

func (r *Report) add(f Finding) {
	f.Detail = r.clean(f.Detail)
	r.Findings = append(r.Findings, f)
}

// Failures counts the findings that are failures.
func (r *Report) Failures() int {
	n := 0
	for _, f := range r.Findings {
		if f.Result == Fail {
			n++
		}
	}
	return n
}
