package report

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/guard"
	"github.com/shelflife-dev/shelflife/internal/preview"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// change is a version that begins to be deleted.
func change(pkg, version string, tags ...string) preview.Change {
	return preview.Change{
		Kind: preview.Added, Owner: "acme", PackageType: retention.NPM, Package: pkg, Target: retention.TargetVersion, VersionID: 7, Version: version, Tags: tags,
		CreatedAt: at("2026-10-13T00:00:00Z"),
		A:         preview.Verdict{Status: retention.StatusKept, Action: retention.Delete, Rules: []retention.Rule{rule("expire", "old", retention.Delete, retention.Enforce)}, Overruled: []retention.Rule{rule("keep_newest", "among the newest 5", retention.Keep, retention.Enforce)}},
		B:         preview.Verdict{Status: retention.StatusPlanned, Action: retention.Delete, Rules: []retention.Rule{rule("expire", "old", retention.Delete, retention.Enforce)}},
	}
}

func sampleDiff() Diff {
	held := change("widgets", "2.0.0")
	held.Kind, held.B.Status, held.B.Guard = preview.Held, retention.StatusHeld, &retention.GuardNote{Code: retention.GuardPercentOfPackage, Detail: "more than 50 %"}
	removed := change("widgets", "3.0.0")
	removed.Kind, removed.A, removed.B = preview.Removed, removed.B, preview.Verdict{}
	whole := change("gadgets", "")
	whole.Target, whole.VersionID = retention.TargetPackage, 0
	return Diff{preview.Diff{
		Schema: preview.DiffSchema, A: preview.Policies{Name: "main", Bundle: guard.Bundle{Digest: digest("1")}}, B: preview.Policies{Name: "./policies", Bundle: guard.Bundle{Digest: digest("2")}},
		EvaluatedAt: at("2026-11-22T00:00:00Z"), Summary: preview.DiffSummary{Added: 2, Removed: 1, Held: 1},
		Owners:   []preview.OwnerDiff{{Login: "acme", Packages: 3, Versions: 40, DeletesA: 1, DeletesB: 2, Alarm: "2 of 40 versions are more than 1 %"}},
		Policies: []preview.PolicyDiff{{Policy: "expire", Added: 3, Removed: 1}, {Policy: "keep_newest", Frees: 2}},
		Packages: []preview.PackageDiff{
			{Owner: "acme", PackageType: retention.NPM, Package: "gadgets", Versions: 3, DeletesB: 3, Added: 1},
			{Owner: "acme", PackageType: retention.NPM, Package: "widgets", Versions: 9, DeletesA: 1, DeletesB: 1, Added: 2, Removed: 1},
		},
		Changes:  []preview.Change{whole, change("widgets", "1.0.0", "next", "beta"), held, removed},
		Problems: []preview.SideProblem{{Side: "b", Problem: retention.Problem{Package: "acme/npm/broken", Kind: retention.ProblemPolicy, Policy: "expire", Detail: "it fails"}}},
		Notes:    []string{"main does not know the configured params.new, so it was left out there"},
	}}
}

func sampleDue() preview.Due {
	return preview.Due{
		At: at("2026-11-23T03:00:00Z"), Since: at("2026-11-22T03:00:00Z"), Owner: "acme", PackageType: retention.NPM, Package: "widgets", Target: retention.TargetVersion,
		VersionID: 7, Version: "1.0.0", Tags: []string{"next"}, CreatedAt: at("2026-10-13T00:00:00Z"), Action: retention.Delete, Cost: 1,
		Rules: []retention.Rule{rule("expire", "old", retention.Delete, retention.Enforce)}, HeldBy: retention.GuardDeletesPerRun,
	}
}

func sampleOwners() []preview.OwnerForecast {
	return []preview.OwnerForecast{{Login: "acme", Mode: retention.Observe, Limits: retention.DefaultLimits(), Packages: 2, Versions: 40, Runs: []preview.ForecastRun{
		{At: at("2026-11-22T03:00:00Z"), Held: 1, HeldBy: map[retention.GuardCode]int{retention.GuardDeletesPerRun: 1}, Remaining: 40},
		{At: at("2026-11-23T03:00:00Z"), Deleted: 1, Remaining: 39, ByPolicy: map[string]int{"expire": 1}},
	}}}
}

func sampleSeries() []preview.Day {
	return []preview.Day{
		{Date: "2026-11-22", Runs: 1, Held: 1, Remaining: 40, ByPolicy: map[string]int{}},
		{Date: "2026-11-23", Runs: 1, Deleted: 1, Remaining: 39, ByPolicy: map[string]int{"expire": 1}},
		{Date: "2026-11-24", Runs: 1, Remaining: 39, ByPolicy: map[string]int{}},
	}
}

func sampleForecast() Forecast {
	return Forecast{preview.Forecast{
		Schema: preview.ForecastSchema, Policies: preview.Policies{Name: "builtin", Bundle: guard.Bundle{Digest: digest("1")}}, From: at("2026-11-22T00:00:00Z"), Until: at("2026-11-25T00:00:00Z"), Days: 3,
		Summary: preview.ForecastSummary{Deleted: 1, Packages: 1, Remaining: 39}, Owners: sampleOwners(), Series: sampleSeries(), Items: []preview.Due{sampleDue()},
		Problems: []retention.Problem{{Package: "acme/npm/broken", Kind: retention.ProblemPolicy, Policy: "expire", Detail: "it fails"}},
	}}
}

func sampleBacktest() Backtest {
	needed := preview.Looked{Due: sampleDue(), Uses: []preview.Use{{Kind: preview.UseRestored, At: at("2026-11-24T03:00:00Z"), Detail: "it was deleted, and is there again"}}}
	return Backtest{preview.Backtest{
		Schema: preview.BacktestSchema, Policies: preview.Policies{Name: "./policies"}, From: at("2026-11-22T00:00:00Z"), To: at("2026-11-25T00:00:00Z"), Oldest: at("2026-11-21T00:00:00Z"),
		Summary: preview.BacktestSummary{Deleted: 2, Packages: 1, Missed: 1, Restored: 1}, Owners: sampleOwners(), Series: sampleSeries(),
		Items: []preview.Looked{needed, {Due: sampleDue(), Uses: []preview.Use{}}}, Problems: []retention.Problem{}, Notes: []string{"nothing is known of what is deployed"},
	}}
}

// hostilePreviews puts a text wherever a preview shows what others wrote.
func hostilePreviews(s string) map[string]View {
	d, f, b := sampleDiff(), sampleForecast(), sampleBacktest()
	d.A.Name, d.Owners[0].Alarm, d.Owners[0].Login, d.Notes[0], d.Policies[0].Policy, d.Problems[0].Detail, d.Problems[0].Package = s, s, s, s, s, s, s
	for i := range d.Packages {
		d.Packages[i].Package = s + fmt.Sprint(i)
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		c.Package, c.Version, c.Tags, c.A.Rules, c.B.Rules = s+"1", s, []string{s}, []retention.Rule{rule(s, s, retention.Delete, retention.Enforce)}, []retention.Rule{rule(s, s, retention.Delete, retention.Enforce)}
		if c.B.Guard != nil {
			c.B.Guard.Detail = s
		}
	}
	due := &f.Items[0]
	due.Package, due.Version, due.Tags, due.Rules = s, s, []string{s}, []retention.Rule{rule(s, s, retention.Delete, retention.Enforce)}
	f.Policies.Name, f.Series[1].ByPolicy, f.Problems[0].Detail, f.Owners[0].Login = s, map[string]int{s: 1}, s, s
	b.Items[0].Due, b.Items[0].Uses[0].Detail, b.Policies.Name, b.Notes[0] = *due, s, s, s
	return map[string]View{"diff": d, "forecast": f, "backtest": b}
}

func TestHostileTextIsHarmlessInPreviews(t *testing.T) {
	tame := hostilePreviews("word")
	for _, s := range []string{
		"\x1b[2J", "a\nb", "x | y", "`code` ``more``", "<script>alert(1)</script>", "</summary></details><img src=x>", "<details>", "@everyone #1", "[a](https://evil.example)",
		"![i](https://evil.example/x.png)", "\u202egnp.exe", "\xff\xfe|\n", "</code><b>", "| --- |\n# title",
	} {
		for name, v := range hostilePreviews(s) {
			for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
				checkHarmless(t, name+" of "+s, f, folded{v}, folded{tame[name]})
			}
			got, want := outsideCode(render(t, FormatMarkdown, v, Options{})), outsideCode(render(t, FormatMarkdown, tame[name], Options{}))
			for _, tag := range []string{"<details>", "</details>", "<summary>", "</summary>", "<"} {
				if a, b := strings.Count(got, tag), strings.Count(want, tag); a != b {
					t.Errorf("%s of %q: %d times %s, want %d\n%s", name, s, a, tag, b, got)
				}
			}
		}
	}
}

// folded is a view without its folds, whose markup is our own.
type folded struct{ View }

func (f folded) document() document {
	d := f.View.document()
	d.most = 0
	return d
}

func TestACommentStaysWithinWhatGitHubTakes(t *testing.T) {
	for name, size := range map[string]struct{ packages, versions int }{"one large package": {1, 5000}, "many packages": {3000, 2}, "both": {200, 100}} {
		t.Run(name, func(t *testing.T) {
			d := sampleDiff()
			d.Packages, d.Changes, d.Policies = nil, nil, nil
			for p := range size.packages {
				pkg := fmt.Sprintf("p%d", p)
				d.Packages = append(d.Packages, preview.PackageDiff{Owner: "acme", PackageType: retention.NPM, Package: pkg, Versions: size.versions, Added: size.versions})
				for v := range size.versions {
					d.Changes = append(d.Changes, change(pkg, fmt.Sprintf("1.0.%d", v), strings.Repeat("tag ", 200)))
				}
			}
			for range 100 {
				d.Problems = append(d.Problems, d.Problems[0])
			}
			got := render(t, FormatMarkdown, d, Options{})
			if len(got) > CommentBytes || len(got) < CommentBytes/2 {
				t.Errorf("%d bytes, want nearly %d", len(got), CommentBytes)
			}
			if !strings.Contains(got, "**Left out for length: ") || strings.Count(got, "<details>") != strings.Count(got, "</details>") {
				t.Errorf("nothing is said of what was left out, or a fold is open:\n%s", got[len(got)-600:])
			}
			shown := strings.Count(got, "| \\+ delete |")
			var left, whole int
			for line := range strings.Lines(got) {
				var n int
				if k, _ := fmt.Sscanf(line, "**Left out for length: %d rows, among them all of %d tables", &n, &whole); k > 0 {
					left = n
				}
			}
			if shown+left != size.packages*size.versions {
				t.Errorf("%d rows shown and %d left out (all of %d packages), of %d", shown, left, whole, size.packages*size.versions)
			}
		})
	}
}

func TestPreviewsInEveryFormat(t *testing.T) {
	views := map[string]View{"diff": sampleDiff(), "forecast": sampleForecast(), "backtest": sampleBacktest()}
	maps.Copy(views, map[string]View{"diff-empty": Diff{}, "forecast-empty": Forecast{}, "backtest-empty": Backtest{}})
	for name, v := range views {
		for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown} {
			golden(t, name+"."+f.String(), render(t, f, v, Options{}))
		}
	}
}
