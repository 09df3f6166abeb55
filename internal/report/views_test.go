package report

import (
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func rule(policy, reason string, a retention.Action, m retention.Mode) retention.Rule {
	return retention.Rule{Policy: policy, Action: a, Reason: reason, Severity: "low", Mode: m}
}

func item(id retention.ID, version string, status retention.Status, rules ...retention.Rule) retention.Item {
	return retention.Item{Owner: "acme", PackageType: retention.Container, Package: "team/api", VersionID: id, Version: version,
		Action: retention.Delete, Target: retention.TargetVersion, Status: status, Rules: rules, Cost: 1,
		CreatedAt: at("2026-10-13T00:00:00Z"), UpdatedAt: at("2026-10-13T00:00:00Z")}
}

// samplePlan has an item of every status, a unit whose parts are apart, and
// problems.
func samplePlan() Plan {
	root := retention.ID(1042)
	old := rule("expire_pull_requests", "pull request image, 40 days old", retention.Delete, retention.Enforce)
	untagged := rule("expire_untagged", "untagged for 40 days", retention.Delete, retention.Enforce)
	cascade := old
	cascade.CascadeOf = &root

	first := item(root, digest("a"), retention.StatusPlanned, old, untagged)
	first.Tags = []string{"pr-7", "pr-8"}
	first.Overruled = []retention.Rule{rule("keep_tags", "matches pr-*", retention.Keep, retention.Observe)}
	part := item(1043, digest("b"), retention.StatusPlanned, cascade)
	kept := item(1050, digest("c"), retention.StatusKept, untagged)
	kept.Overruled = []retention.Rule{rule("keep_newest", "one of the newest 5", retention.Keep, retention.Enforce)}
	held := item(1051, digest("d"), retention.StatusHeld, untagged)
	held.Guard = &retention.GuardNote{Code: retention.GuardDeletesPerRun, Detail: "the run's 2 deletes are used up (limits.deletes_per_run); the next run takes it up"}
	held2 := held
	held2.VersionID, held2.Version = 1052, digest("e")
	restore := item(9, "1.4.0", retention.StatusPlanned, rule("restore_protected", "somebody deleted it although keep_releases covers it", retention.Restore, retention.Enforce))
	restore.PackageType, restore.Package, restore.Action = retention.NPM, "left-pad", retention.Restore
	retire := item(0, "", retention.StatusObserved, retention.Rule{Policy: "retire_package", Rule: "idle", Action: retention.Delete, Reason: "idle for 400 days"})
	retire.PackageType, retire.Package, retire.Target, retire.CreatedAt = retention.NPM, "right-pad", retention.TargetPackage, time.Time{}

	return Plan{
		ID: "01JD9Z0000000000000000PLAN", CreatedAt: at("2026-11-22T00:00:05Z"), ExpiresAt: at("2026-11-23T00:00:05Z"), EvaluatedAt: at("2026-11-22T00:00:00Z"),
		Mode: retention.Enforce, Bundle: Bundle{Revision: "builtin-1", Digest: digest("f")}, InventoryDigest: digest("0"),
		Owners:  []OwnerCounts{{Login: "acme", Packages: 3, Versions: 420, Calls: CallCounts{REST: 12, Registry: 9}}},
		Items:   []retention.Item{first, kept, held, part, held2, restore, retire},
		Summary: retention.Summary{Delete: 2, Restore: 1, Keep: 415, Held: 2, Observed: 1},
		Problems: []retention.Problem{
			{Owner: "acme", Package: "acme/container/team/web", Kind: retention.ProblemIncomplete, Detail: "page 3 of the versions could not be read (502); the next run tries again"},
			{Owner: "acme", Package: "acme/npm/left-pad", Kind: retention.ProblemPolicy, Policy: "my_policy", Detail: "no reason given; repair the policy"},
		},
	}
}

func sampleRun() Run {
	p := samplePlan()
	done, changed, failed, left := p.Items[0], p.Items[3], p.Items[2], p.Items[4]
	done.Outcome, done.RequestID = retention.OutcomeDone, "AAAA:1"
	changed.Outcome, changed.Detail = retention.OutcomeChanged, "its tags are not those of the plan any more; plan again"
	failed.Outcome, failed.Detail, failed.RequestID, failed.Guard = retention.OutcomeFailed, "GitHub answered 500; the next run tries again", "BBBB:2", nil
	left.Status, left.Guard = retention.StatusPlanned, nil
	return Run{
		Run: retention.Run{ID: p.ID, Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, Trigger: retention.Trigger{Kind: retention.TriggerCLI},
			Actor: "jane", StartedAt: at("2026-11-22T01:00:00Z"), FinishedAt: at("2026-11-22T01:00:42Z"), Planned: 4},
		Items: []retention.Item{done, changed, failed, left}, Resumed: true, StoppedBy: "the hourly quota is used up; apply the plan again after 02:00Z",
	}
}

// sampleViews has one view of each kind, and the empty ones.
func sampleViews() map[string]View {
	run := sampleRun()
	crashed := retention.Run{ID: "01JD9ZCRASHED", Owner: "acme", Kind: retention.RunUndo, Undoes: run.Run.ID, StartedAt: at("2026-11-21T01:00:00Z"), Planned: 7, Trigger: retention.Trigger{Kind: retention.TriggerSchedule}}
	finished := run.Run
	finished.Outcomes = map[retention.Outcome]int{retention.OutcomeDone: 2, retention.OutcomeFailed: 1}
	return map[string]View{
		"plan": samplePlan(),
		"run":  run,
		"runs": Runs{finished, crashed},
		"ledger": Verifications{{Owner: "acme", Records: 12, Runs: 2, Actions: 5, Open: 1, Head: digest("9")},
			{Owner: "other", Records: 3, Broken: "record 2 does not follow record 1; restore the file from a backup"}},
		"policies": Policies{
			{Name: "expire_untagged", Title: "Expire untagged images", Description: "Untagged versions.", Mode: retention.Enforce, Severity: "low", Params: map[string]any{"older_than_days": 30}, Source: "builtin"},
			{Name: "mine", Title: "Mine", Mode: retention.Observe, Severity: "info", Source: "policies/mine.rego"}},
		"packages": Packages{
			{"acme", retention.Package{ID: 1, Name: "team/api", Type: retention.Container, Visibility: "private", VersionCount: 412, URL: "https://api.github.com/orgs/acme/packages/container/team%2Fapi",
				HTMLURL: "https://github.com/orgs/acme/packages/container/package/team%2Fapi", CreatedAt: at("2024-01-02T00:00:00Z"), UpdatedAt: at("2026-11-20T10:00:00Z"),
				Repository: &retention.Repository{FullName: "acme/api"}}},
			{"acme", retention.Package{ID: 2, Name: "left-pad", Type: retention.NPM, Visibility: "public", VersionCount: 8, CreatedAt: at("2023-01-02T00:00:00Z"), UpdatedAt: at("2023-01-02T00:00:00Z")}}},
		"versions": Versions{Package: retention.PackageRef{Owner: "acme", Type: retention.Container, Name: "team/api"}, Now: at("2026-11-22T00:00:00Z"), Versions: []retention.Version{
			{ID: 1042, Name: digest("a"), CreatedAt: at("2026-11-21T23:15:00Z"), UpdatedAt: at("2026-11-21T23:15:00Z"), State: retention.Active, Tags: []string{"latest", "v1"}},
			{ID: 1000, Name: digest("b"), CreatedAt: at("2026-11-21T02:15:00Z"), UpdatedAt: at("2026-11-21T02:15:00Z"), State: retention.Deleted, DeletedAt: at("2026-11-21T12:00:00Z"), DeletedBy: &retention.DeletedBy{Run: "R1", Policy: "expire_untagged"}}}},
		"rows": Rows{Columns: []string{"name", "n", "n", "blob", "when", "none"}, Rows: [][]any{{"a<b", int64(3), 0.5, []byte("raw"), at("2026-11-21T12:00:00Z"), nil}, {"short"}}},
		"grid": Grid{Title: "What the credential can do", Columns: []string{"CHECK", "RESULT"}, Rows: [][]string{{"list packages", "ok"}, {"read manifests", "denied"}},
			Notes: []string{"read manifests: grant read:packages to the token"}, Summary: "1 of 2 passed"},
		"plan-empty":     Plan{ID: "P"},
		"run-empty":      Run{},
		"runs-empty":     Runs(nil),
		"ledger-empty":   Verifications(nil),
		"policies-empty": Policies(nil),
		"packages-empty": Packages(nil),
		"versions-empty": Versions{},
		"rows-empty":     Rows{Columns: []string{"a"}},
		"grid-empty":     Grid{Empty: "Nothing to show."},
	}
}
