package ghapp

import (
	"net/http"
	"testing"
	"time"
)

// dated answers with a date, or with none for the zero time.
type dated struct{ at time.Time }

func (d dated) RoundTrip(*http.Request) (*http.Response, error) {
	h := http.Header{}
	if !d.at.IsZero() {
		h.Set("Date", d.at.UTC().Format(http.TimeFormat))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody}, nil
}

func TestMeterTellsHowFarTheClockIsAhead(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		server time.Time
		want   time.Duration
	}{
		"the same time":   {now, 0},
		"an hour ahead":   {now.Add(-time.Hour), time.Hour},
		"a minute behind": {now.Add(time.Minute), -time.Minute},
		"no date at all":  {time.Time{}, 0},
	} {
		m := NewMeter(dated{tt.server}, func() time.Time { return now })
		if m.Skew() != 0 {
			t.Errorf("%s: %s before any answer", name, m.Skew())
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.github.com/user", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := m.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if m.Skew() != tt.want {
			t.Errorf("%s: %s ahead, want %s", name, m.Skew(), tt.want)
		}
	}
}
