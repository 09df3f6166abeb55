package preview

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/enforce"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// history is what was read of one package, day by day.
type history []retention.Inventory

func (h history) Past(_ context.Context, owner string) iter.Seq2[retention.PackageRef, error] {
	return func(yield func(retention.PackageRef, error) bool) { yield(h[0].Ref(), nil) }
}

func (h history) Readings(context.Context, retention.PackageRef) ([]retention.Reading, error) {
	var out []retention.Reading
	for i, inv := range h {
		out = append(out, retention.Reading{Since: inv.ReadAt, Until: inv.ReadAt, Digest: []byte{byte(i)}, Present: i == len(h)-1})
	}
	return out, nil
}

func (h history) ReadingOf(_ context.Context, _ retention.PackageRef, r retention.Reading) (retention.Inventory, error) {
	return h[r.Digest[0]], nil
}

// day is a reading of a package as it was some days after start: ages are those
// at start, and change is what had become of it.
func reading(days int, change func(v *retention.Version)) retention.Inventory {
	inv := npm("p", 1, 20, 28.5, 40)
	inv.ReadAt = start.AddDate(0, 0, days)
	for i := range inv.Versions {
		if change != nil {
			change(&inv.Versions[i])
		}
	}
	return inv
}

func TestABacktestFindsWhatWasNeededLater(t *testing.T) {
	is := func(name string, f func(v *retention.Version)) func(v *retention.Version) {
		return func(v *retention.Version) {
			if v.Name == name {
				f(v)
			}
		}
	}
	deleted := func(v *retention.Version) {
		v.State, v.DeletedAt, v.DeletedBy = retention.Deleted, start.AddDate(0, 0, 2), &retention.DeletedBy{Run: "r", Policy: "p"}
	}
	tagged := func(v *retention.Version) { v.Tags = []string{"prod"} }
	for name, tc := range map[string]struct {
		past     history
		deployed map[retention.ID]string
		restored map[retention.ID]time.Time
		want     []string
	}{
		"nothing happened since":      {past: history{reading(-1, nil)}, want: []string{"11-22 v3", "11-24 v2"}},
		"known from the third day on": {past: history{reading(2, nil)}, want: []string{"11-24 v3", "11-24 v2"}},
		"it was deleted and brought back": {
			past: history{reading(-1, nil), reading(2, is("v3", deleted)), reading(4, nil)},
			want: []string{"11-22 v3 restored 11-26", "11-24 v2"},
		},
		"it was deleted before, and stayed so":         {past: history{reading(-1, is("v3", deleted))}, want: []string{"11-24 v2"}},
		"it was given a tag before it would have gone": {past: history{reading(-1, nil), reading(1, tagged)}, want: []string{"11-22 v3 retagged 11-23", "11-24 v2"}},
		"it was given a tag later":                     {past: history{reading(-1, nil), reading(6, is("v2", tagged))}, want: []string{"11-22 v3", "11-24 v2 retagged 11-28"}},
		"it is deployed":                               {past: history{reading(-1, nil)}, deployed: map[retention.ID]string{3: "listed"}, want: []string{"11-22 v3", "11-24 v2 deployed 12-02"}},
		"this system restored it": {
			past: history{reading(-1, nil)}, restored: map[retention.ID]time.Time{4: start.AddDate(0, 0, 5), 3: start.AddDate(0, 0, 1)},
			want: []string{"11-22 v3 restored 11-27", "11-24 v2"}, // that of v2 was before it would have gone
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := LookBack(t.Context(), BacktestRequest{
				Engine: load(t, map[string]string{"older": older, "keep_first": keepFirst}, nil), Owners: []Owner{acme(nil, unlimited())},
				Past: tc.past, From: start, To: start.AddDate(0, 0, 10), Progress: enforce.Silent{},
				Deployed: func(context.Context, retention.Inventory) (map[retention.ID]string, error) { return tc.deployed, nil },
				Restored: func(context.Context, retention.PackageRef, time.Time) (map[retention.ID]time.Time, error) {
					return tc.restored, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			missed := 0
			for _, it := range b.Items {
				if it.Version == "v1" {
					continue // the tenth day: it is 30 days old then
				}
				line := fmt.Sprintf("%s %s", it.At.Format("01-02"), it.Version)
				for _, u := range it.Uses {
					line += fmt.Sprintf(" %s %s", u.Kind, u.At.Format("01-02"))
				}
				if len(it.Uses) > 0 {
					missed++
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if b.Summary.Missed != missed || !b.Oldest.Equal(tc.past[0].ReadAt) {
				t.Errorf("%+v, oldest %s", b.Summary, b.Oldest)
			}
		})
	}
}

func TestABacktestNeedsAPast(t *testing.T) {
	_, err := LookBack(t.Context(), BacktestRequest{
		Engine: load(t, map[string]string{"older": older}, nil), Owners: []Owner{acme(nil, unlimited())},
		Past: history{reading(100, nil)}, From: start, To: start.AddDate(0, 0, 10), Progress: enforce.Silent{},
	})
	if !errors.Is(err, ErrNoPast) {
		t.Errorf("%v", err)
	}
}
