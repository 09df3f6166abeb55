package githubsim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// When is an instant in a seed: an RFC 3339 time, or an age relative to the
// simulator's clock at its start such as "-40d", "-36h", "-1d12h" or "+5m"
// (days, then Go durations). The zero When is absent.
type When struct {
	at     time.Time
	offset time.Duration
	set    bool
}

// At is a fixed instant.
func At(t time.Time) When { return When{at: t, set: true} }

// Ago is an age relative to the simulator's clock.
func Ago(d time.Duration) When { return When{offset: -d, set: true} }

// IsZero reports whether w is absent.
func (w When) IsZero() bool { return !w.set }

// resolve returns the instant, to the second as GitHub gives it, or the
// fallback when w is absent.
func (w When) resolve(now, fallback time.Time) time.Time {
	switch {
	case !w.set:
		return fallback
	case w.at.IsZero():
		return now.Add(w.offset).UTC().Truncate(time.Second)
	}
	return w.at.UTC().Truncate(time.Second)
}

// MarshalText writes RFC 3339 or the relative form.
func (w When) MarshalText() ([]byte, error) {
	switch {
	case !w.set:
		return nil, nil
	case !w.at.IsZero():
		return w.at.MarshalText()
	case w.offset > 0:
		return []byte("+" + w.offset.String()), nil
	case w.offset == 0:
		return []byte("-0s"), nil
	}
	return []byte(w.offset.String()), nil
}

// UnmarshalText reads both forms. The empty text is the zero When.
func (w *When) UnmarshalText(b []byte) error {
	s := string(b)
	if s == "" {
		*w = When{}
		return nil
	}
	if s[0] == '-' || s[0] == '+' {
		d, err := parseOffset(s[1:])
		if err != nil {
			return fmt.Errorf("%q is no age; write one such as -40d, -36h or -1d12h", s)
		}
		if s[0] == '-' {
			d = -d
		}
		*w = When{offset: d, set: true}
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		return fmt.Errorf("%q is neither an RFC 3339 time nor an age such as -40d", s)
	}
	*w = At(t)
	return nil
}

func parseOffset(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	var days time.Duration
	if n, rest, ok := strings.Cut(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, err
		}
		if days = time.Duration(count) * day; rest == "" {
			return days, nil
		}
		s = rest
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, err
	}
	if d < 0 {
		return 0, fmt.Errorf("negative duration %q", s)
	}
	return days + d, nil
}

// Duration is a time.Duration written as text, such as "20ms".
type Duration time.Duration

// MarshalText writes Go's form of a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's form of a duration, which must not be negative.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return err
	}
	if v < 0 {
		return fmt.Errorf("duration %q is negative", b)
	}
	*d = Duration(v)
	return nil
}
