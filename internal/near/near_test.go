package near

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	known := []string{"age_days", "idle_days", "rank", "rank_root", "Tags", "id"}
	tests := map[string][]string{
		"age_day": {"age_days"}, "agedays": {"age_days"}, "gae_days": {"age_days", "idle_days"},
		"tags": {"Tags"}, "tgas": {"Tags"}, "rnak": {"rank"}, "rank_rot": {"rank_root"},
		"xyz": nil, "": nil, "age_days": {"idle_days"}, strings.Repeat("a", 65): nil,
	}
	for name, want := range tests {
		if diff := cmp.Diff(want, Names(name, known)); diff != "" {
			t.Errorf("Names(%q) (-want +got):\n%s", name, diff)
		}
	}
	if got := First("iddle_days", known); got != "idle_days" {
		t.Errorf("First = %q", got)
	}
	if got := First("nothing_like_it", known); got != "" {
		t.Errorf("First = %q, want none", got)
	}
}

func TestNamesAreFewAndNearestFirst(t *testing.T) {
	got := strings.Join(Names("rank_taged", []string{"rank", "rank_tagged", "rank_root", "rank_untagged", "rank_target", "tagged", "rank_taged"}), " ")
	if got != "rank_tagged rank_target rank_untagged" {
		t.Errorf("Names = %s", got)
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "", 3}, {"tgged", "tagged", 1},
		{"taged", "tagged", 1}, {"tagegd", "tagged", 1}, {"kitten", "sitting", 3}, {"abc", "xyz", 3},
	} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("from %q to %q: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, `did you mean "a"?`: {"a"}, `did you mean "a" or "b"?`: {"a", "b"},
	} {
		if got := DidYouMean(names); got != want {
			t.Errorf("DidYouMean(%v) = %q, want %q", names, got, want)
		}
	}
}

func TestDistanceIsSymmetricAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringN(0, 12, -1).Draw(t, "a"), rapid.StringN(0, 12, -1).Draw(t, "b")
		d := distance(a, b)
		if d != distance(b, a) || (d == 0) != (string([]rune(a)) == string([]rune(b))) || d > max(len([]rune(a)), len([]rune(b))) {
			t.Errorf("distance(%q, %q) = %d", a, b, d)
		}
	})
}
