// Command bigreport writes the report of a made-up plan, for the browser tests and
// the screenshots: bigreport ROWS [hostile] > report.html; or of made-up runs over
// thirty days: bigreport runs. It asks nothing of anybody.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/shelflife-dev/shelflife/internal/report"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "write: bigreport ROWS [hostile]")
		os.Exit(2)
	}
	if os.Args[1] == "runs" {
		exit(report.HTML(os.Stdout, runs(30), report.Options{}))
	}
	n, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = report.HTML(os.Stdout, plan(n, len(os.Args) > 2), report.Options{})
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bigreport:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runs are nightly runs of some days.
func runs(days int) report.Runs {
	var out report.Runs
	for i := range days {
		at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC).AddDate(0, 0, -i)
		out = append(out, retention.Run{ID: at.Format("20060102T150405Z") + "-00000001", Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce,
			Trigger: retention.Trigger{Kind: retention.TriggerSchedule}, StartedAt: at, FinishedAt: at.Add(4 * time.Minute), Planned: 60 + 7*i%40,
			Outcomes: map[retention.Outcome]int{retention.OutcomeDone: 55 + 7*i%40, retention.OutcomeChanged: i % 6}})
	}
	return out
}

// plan is a plan of n items in packages of a hundred, of every status; some have
// names that would be markup, if they are to be hostile.
func plan(n int, hostile bool) report.Plan {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	p := report.Plan{
		ID: "20261122T000000Z-b1990001", CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour), EvaluatedAt: now, Mode: retention.Enforce,
		Bundle: report.Bundle{Revision: "builtin-1", Digest: "sha256:" + fmt.Sprintf("%064x", 7)},
	}
	owners := []string{"acme", "globex", "initech"}
	for i := range n {
		it := item(i, now, hostile)
		it.Owner = owners[i/100%3]
		p.Items = append(p.Items, it)
		switch it.Status {
		case retention.StatusPlanned:
			p.Summary.Delete++
		case retention.StatusHeld:
			p.Summary.Held++
		case retention.StatusBlocked:
			p.Summary.Blocked++
		case retention.StatusObserved:
			p.Summary.Observed++
		}
	}
	for i, o := range owners {
		p.Owners = append(p.Owners, report.OwnerCounts{Login: o, Packages: n / 300, Versions: 4 * n / 3, Calls: report.CallCounts{REST: 120 + i, Registry: 3400, Saved: 900}})
	}
	p.Summary.Keep = 4*n - p.Summary.Delete
	return p
}

func item(i int, now time.Time, hostile bool) retention.Item {
	pkg := i / 100
	days := 31 + i%330
	it := retention.Item{
		PackageType: retention.Container, Package: fmt.Sprintf("team-%02d/service-%04d", pkg%40, pkg), VersionID: retention.ID(100_000 + i),
		Version: fmt.Sprintf("sha256:%016x%048x", uint64(i+1)*0x9E3779B97F4A7C15, i), Action: retention.Delete, Target: retention.TargetVersion,
		Status: retention.StatusPlanned, CreatedAt: now.AddDate(0, 0, -days), UpdatedAt: now.AddDate(0, 0, -days), Cost: 1,
		Rules: []retention.Rule{{Policy: "expire_untagged", Action: retention.Delete, Reason: fmt.Sprintf("untagged for %d days (limit 30)", days), Severity: "low", Mode: retention.Enforce}},
	}
	switch i % 10 {
	case 3:
		it.Tags = []string{fmt.Sprintf("pr-%d", i)}
		it.Rules = []retention.Rule{{Policy: "expire_pull_requests", Action: retention.Delete, Reason: fmt.Sprintf("a pull request image of %d days (limit 14)", days), Severity: "medium", Mode: retention.Enforce}}
	case 5:
		it.Status = retention.StatusKept
		it.Tags = []string{fmt.Sprintf("v1.%d.0", i%50)}
		it.Overruled = []retention.Rule{{Policy: "keep_newest", Action: retention.Keep, Reason: "among the newest 10 tagged versions", Severity: "info", Mode: retention.Enforce}}
	case 7:
		it.Status = retention.StatusHeld
		it.Guard = &retention.GuardNote{Code: retention.GuardDeletesPerRun, Detail: "the run's 500 deletes are used up (limits.deletes_per_run); the next run takes it up"}
	}
	switch pkg % 25 {
	case 4:
		it.PackageType, it.Package, it.Version, it.Tags = retention.NPM, fmt.Sprintf("widgets-%d", pkg), fmt.Sprintf("1.0.%d", i), nil
		if hostile {
			it.Package, it.Tags = "<script>alert(1)</script>", []string{"</script><img src=x onerror=alert(2)>"}
		}
	case 9:
		it.PackageType, it.Package, it.Version = retention.Maven, fmt.Sprintf("com.example.lib%d", pkg), fmt.Sprintf("2.%d-SNAPSHOT", i)
		it.Status, it.Guard = retention.StatusObserved, nil
	case 14:
		if i%10 == 7 {
			it.Status = retention.StatusBlocked
			it.Guard = &retention.GuardNote{Code: retention.GuardDownloads, Detail: "GitHub refuses to delete a public version with more than 5,000 downloads"}
		}
	}
	return it
}
