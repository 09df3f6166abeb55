package metrics_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/metrics"
)

func TestALineIsWhatCloudWatchReads(t *testing.T) {
	var out bytes.Buffer
	e := metrics.New(&out, "enforcer", func() time.Time { return time.UnixMilli(1_700_000_000_123) })
	for _, owner := range []string{"", "Acme"} {
		if err := e.Emit(owner, metrics.Of(metrics.Deleted, 3), metrics.Metric{Name: metrics.PausedSeconds, Unit: metrics.Seconds, Value: 1.5}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Emit("acme"); err != nil {
		t.Fatal(err)
	}
	line := func(owner string, dimensions ...any) map[string]any {
		out := map[string]any{
			"_aws": map[string]any{"Timestamp": 1_700_000_000_123.0, "CloudWatchMetrics": []any{map[string]any{
				"Namespace": "Shelflife", "Dimensions": dimensions,
				"Metrics": []any{map[string]any{"Name": "Deleted", "Unit": "Count"}, map[string]any{"Name": "PausedSeconds", "Unit": "Seconds"}},
			}}},
			"service": "enforcer", "Deleted": 3.0, "PausedSeconds": 1.5,
		}
		if owner != "" {
			out["owner"] = owner
		}
		return out
	}
	want := []map[string]any{line("", []any{"service"}), line("acme", []any{"service"}, []any{"service", "owner"})}
	var got []map[string]any
	dec := json.NewDecoder(&out)
	for dec.More() {
		var m map[string]any
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got)\n%s", diff)
	}
}
