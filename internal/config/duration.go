package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration that is not negative: Go's form ("36h",
// "90m"), with days before it if need be ("7d", "1d12h"). A day is 24 hours. "0"
// is zero; every other number needs its unit.
func ParseDuration(s string) (time.Duration, error) {
	var days time.Duration
	rest := s
	if number, after, ok := strings.Cut(s, "d"); ok {
		const most = 100 * 365
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > most {
			return 0, badDuration(s)
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" && rest != s {
		return days, nil
	}
	if _, err := strconv.ParseFloat(rest, 64); err == nil && rest != "0" {
		return 0, fmt.Errorf("%s has no unit; write such as 24h, 90m or 7d", quote(s))
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, badDuration(s)
	}
	if d < 0 || days+d < days {
		return 0, errors.New("a duration cannot be negative; write such as 24h or 7d")
	}
	return days + d, nil
}

func badDuration(s string) error {
	return fmt.Errorf("%s is not a duration; write such as 24h, 90m or 7d", quote(s))
}
