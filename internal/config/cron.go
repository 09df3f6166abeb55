package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cron is a schedule of five cron fields: minute, hour, day of month, month and
// day of week. Each is *, a number, a range a-b, a step */n or a-b/n, or a list
// of these; months and weekdays may be named (JAN, MON), and Sunday is 0 or 7.
// Where both days are restricted, either one is enough, as in cron. The zero
// Cron names no time.
type Cron struct {
	expr                          string
	minute, hour, dom, month, dow uint64 // one bit for each value
	anyDayOfMonth, anyDayOfWeek   bool
}

type cronField struct {
	name     string
	from, to int
	names    []string // names[i] stands for from+i
}

func cronFields() [5]cronField {
	return [5]cronField{
		{"minute", 0, 59, nil},
		{"hour", 0, 23, nil},
		{"day of month", 1, 31, nil},
		{"month", 1, 12, strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
		{"day of week", 0, 7, strings.Fields("sun mon tue wed thu fri sat")},
	}
}

// ParseCron reads five cron fields. Its errors say which field is wrong.
func ParseCron(expr string) (Cron, error) {
	parts := strings.Fields(expr)
	if len(parts) != 5 {
		return Cron{}, fmt.Errorf(`a schedule has five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *"; this has %d`, len(parts))
	}
	var sets [5]uint64
	for i, field := range cronFields() {
		set, err := field.parse(parts[i])
		if err != nil {
			return Cron{}, err
		}
		sets[i] = set
	}
	if sets[4]&(1<<7) != 0 {
		sets[4] |= 1 // 7 is Sunday as well
	}
	c := Cron{
		expr: strings.Join(parts, " "), minute: sets[0], hour: sets[1], dom: sets[2], month: sets[3], dow: sets[4],
		anyDayOfMonth: strings.HasPrefix(parts[2], "*"), anyDayOfWeek: strings.HasPrefix(parts[4], "*"),
	}
	if c.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Cron{}, fmt.Errorf("the schedule names a day that no month has; change its day of month or month")
	}
	return c, nil
}

func (f cronField) parse(s string) (uint64, error) {
	var set uint64
	for _, part := range strings.Split(s, ",") {
		span, step, stepped := strings.Cut(part, "/")
		n := 1
		if stepped {
			var err error
			if n, err = strconv.Atoi(step); err != nil || n < 1 || n > f.to {
				return 0, fmt.Errorf("%s of the schedule: step %s is not a number from 1 to %d", f.name, quote(step), f.to)
			}
		}
		from, to, err := f.span(span)
		if err != nil {
			return 0, err
		}
		if stepped && from == to {
			return 0, fmt.Errorf("%s of the schedule: a step needs a range, such as %d-%d/%d or */%d", f.name, from, f.to, n, n)
		}
		for v := from; v <= to; v += n {
			set |= 1 << v
		}
	}
	return set, nil
}

func (f cronField) span(s string) (from, to int, err error) {
	if s == "*" {
		return f.from, f.to, nil
	}
	low, high, ranged := strings.Cut(s, "-")
	if from, err = f.number(low); err != nil {
		return 0, 0, err
	}
	if !ranged {
		return from, from, nil
	}
	if to, err = f.number(high); err != nil {
		return 0, 0, err
	}
	if to < from {
		return 0, 0, fmt.Errorf("%s of the schedule: range %s runs backwards; write it from low to high", f.name, quote(s))
	}
	return from, to, nil
}

func (f cronField) number(s string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, s) {
			return f.from + i, nil
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < f.from || n > f.to || strings.HasPrefix(s, "+") {
		return 0, fmt.Errorf("%s of the schedule: %s is not a number from %d to %d", f.name, quote(s), f.from, f.to)
	}
	return n, nil
}

// Next returns the first minute after t that the schedule names, in the
// location of t, or the zero time when there is none within eight years. A
// local time that a clock change skips is moved by the change.
func (c Cron) Next(t time.Time) time.Time {
	if c.IsZero() {
		return time.Time{}
	}
	year, month, date := t.Date()
	for day := range 8*366 + 1 {
		noon := time.Date(year, month, date+day, 12, 0, 0, 0, t.Location())
		if !c.onDay(noon) {
			continue
		}
		if at := c.firstOn(noon, t); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

func (c Cron) onDay(t time.Time) bool {
	if c.month&(1<<int(t.Month())) == 0 {
		return false
	}
	dom, dow := c.dom&(1<<t.Day()) != 0, c.dow&(1<<int(t.Weekday())) != 0
	if c.anyDayOfMonth || c.anyDayOfWeek {
		return dom && dow
	}
	return dom || dow
}

func (c Cron) firstOn(day, after time.Time) time.Time {
	y, m, d := day.Date()
	for h := range 24 {
		if c.hour&(1<<h) == 0 {
			continue
		}
		for minute := range 60 {
			if c.minute&(1<<minute) == 0 {
				continue
			}
			if at := time.Date(y, m, d, h, minute, 0, 0, day.Location()); at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}

// IsZero reports whether there is no schedule.
func (c Cron) IsZero() bool { return c.expr == "" }

// String returns the five fields.
func (c Cron) String() string { return c.expr }

// Equal reports whether two schedules are written alike.
func (c Cron) Equal(d Cron) bool { return c.expr == d.expr }

// MarshalText writes the five fields.
func (c Cron) MarshalText() ([]byte, error) { return []byte(c.expr), nil }
