package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pkg builds a package from versions; ids are 1, 2, … in the order given, each a
// day older than the one before, the first 100 days old.
func pkg(typ retention.PackageType, vs ...retention.Version) retention.Inventory {
	for i := range vs {
		if vs[i].ID == 0 {
			vs[i].ID = retention.ID(i + 1)
		}
		if vs[i].State == "" {
			vs[i].State = retention.Active
		}
		if vs[i].CreatedAt.IsZero() {
			vs[i].CreatedAt = now.AddDate(0, 0, -100-i)
		}
		vs[i].UpdatedAt = vs[i].CreatedAt
	}
	retention.SortVersions(vs)
	return retention.Inventory{
		Owner:    retention.Owner{Login: "acme", Kind: retention.Organization, ID: 1},
		Package:  retention.Package{ID: 9, Name: "team/api", Type: typ, State: retention.Active},
		Versions: vs, Complete: true, ReadAt: now,
	}
}

func v(name string, tags ...string) retention.Version {
	t, r := retention.SplitTags(tags)
	return retention.Version{Name: name, Tags: t, Referrers: r}
}

func del(id retention.ID, mods ...func(*retention.Decision)) retention.Decision {
	d := retention.Decision{Policy: "expire", Action: retention.Delete, Target: retention.TargetVersion, Version: id,
		Reason: "old", Severity: "low", Mode: retention.Enforce}
	for _, m := range mods {
		m(&d)
	}
	return d
}

func keep(d *retention.Decision) { d.Action, d.Policy, d.Reason = retention.Keep, "keeper", "wanted" }
func restore(d *retention.Decision) {
	d.Action, d.Policy, d.Reason = retention.Restore, "back", "missed"
}
func observed(d *retention.Decision) { d.Mode = retention.Observe }
func whole(d *retention.Decision)    { d.Target, d.Version = retention.TargetPackage, 0 }

func subject(inv retention.Inventory, ds ...retention.Decision) Subject {
	limits := retention.DefaultLimits()
	limits.PercentOfPackage = 100
	return Subject{Inventory: inv, Judgement: retention.Judgement{EvaluatedAt: now, Decisions: ds}, Limits: limits}
}

// lines renders items as "id action status guard overruled-policies".
func lines(items []retention.Item) []string {
	out := []string{}
	for _, it := range items {
		l := fmt.Sprintf("%s %s %s", it.VersionID, it.Action, it.Status)
		if it.Target == retention.TargetPackage {
			l = "package" + l
		}
		if it.Guard != nil {
			l += " " + string(it.Guard.Code)
		}
		for _, r := range it.Overruled {
			l += " <" + r.Policy
		}
		if len(it.Rules) > 0 && it.Rules[0].CascadeOf != nil {
			l += " with " + it.Rules[0].CascadeOf.String()
		}
		out = append(out, l)
	}
	return out
}

func TestCheckCombinesAndGuards(t *testing.T) {
	three := func() retention.Inventory { return pkg(retention.NPM, v("1.2.0"), v("1.1.0"), v("1.0.0")) }
	tests := map[string]struct {
		subject Subject
		want    []string
	}{
		"no decision, nothing happens": {subject(three()), []string{}},
		"a delete is planned":          {subject(three(), del(3)), []string{"3 delete planned"}},
		"keep beats delete":            {subject(three(), del(3), del(3, keep)), []string{"3 delete kept <keeper"}},
		"keep on the package protects every version": {
			subject(three(), del(3), del(0, keep, whole)), []string{"3 delete kept <keeper"}},
		"an observed delete is only reported": {subject(three(), del(3, observed)), []string{"3 delete observed"}},
		"an observed keep does not protect, and the plan says so": {
			subject(three(), del(3), del(3, keep, observed)), []string{"3 delete planned <keeper"}},
		"an observed delete that a keep covers is kept": {
			subject(three(), del(3, observed), del(3, keep)), []string{"3 delete kept <keeper"}},
		"deleting every version keeps the newest": {
			subject(three(), del(1), del(2), del(3)),
			[]string{"3 delete planned", "2 delete planned", "1 delete blocked last_version"}},
		"a package is deleted only when asked for by name": {
			subject(three(), del(0, whole)), []string{"package delete planned"}},
		"a keep on one version saves the package": {
			subject(three(), del(0, whole), del(2, keep)), []string{"package delete kept <keeper"}},
		"deleting the package takes the place of deleting its versions": {
			subject(three(), del(0, whole), del(3)), []string{"package delete planned"}},
		"a keep of the package keeps the package": {
			subject(three(), del(0, whole), del(0, whole, keep)), []string{"package delete kept <keeper"}},
		"delete of a deleted version is nothing": {
			subject(pkg(retention.NPM, v("2"), retention.Version{Name: "1", State: retention.Deleted}), del(2)), []string{}},
		"restore of an active version is nothing": {subject(three(), del(1, restore)), []string{}},
		"restore in time": {
			subject(pkg(retention.NPM, v("2"), retention.Version{Name: "1", State: retention.Deleted, DeletedAt: now.AddDate(0, 0, -29)}), del(2, restore)),
			[]string{"2 restore planned"}},
		"restores come oldest first, children before their index": {
			subject(pkg(retention.Container, v("x"), retention.Version{Name: "index", State: retention.Deleted}, retention.Version{Name: "child", State: retention.Deleted}), del(2, restore), del(3, restore)),
			[]string{"3 restore planned", "2 restore planned"}},
		"restore too late": {
			subject(pkg(retention.NPM, v("2"), retention.Version{Name: "1", State: retention.Deleted, DeletedAt: now.AddDate(0, 0, -30)}), del(2, restore)),
			[]string{"2 restore blocked restore_window"}},
		"keep on a deleted version does not restore": {
			subject(pkg(retention.NPM, v("2"), retention.Version{Name: "1", State: retention.Deleted}), del(2, keep)), []string{}},
		"young untagged container version is held": {
			subject(pkg(retention.Container, v("sha256:a", "latest"), retention.Version{Name: "sha256:b", CreatedAt: now.Add(-23 * time.Hour)}), del(2)),
			[]string{"2 delete held young_version"}},
		"a day old is old enough": {
			subject(pkg(retention.Container, v("sha256:a", "latest"), retention.Version{Name: "sha256:b", CreatedAt: now.Add(-24 * time.Hour)}), del(2)),
			[]string{"2 delete planned"}},
		"an unknown age is young": {
			subject(func() retention.Inventory {
				inv := pkg(retention.Container, v("sha256:a", "latest"), v("sha256:b"))
				inv.Versions[1].CreatedAt = time.Time{}
				return inv
			}(), del(2)),
			[]string{"2 delete held young_version"}},
		"a young tagged one may go": {
			subject(pkg(retention.Container, v("sha256:a", "latest"), retention.Version{Name: "sha256:b", Tags: []string{"pr-1"}, CreatedAt: now.Add(-time.Hour)}), del(2)),
			[]string{"2 delete planned"}},
		"young npm versions are no images": {
			subject(pkg(retention.NPM, v("2"), retention.Version{Name: "1", CreatedAt: now.Add(-time.Hour)}), del(2)),
			[]string{"2 delete planned"}},
		"last tagged version stays though untagged remain": {
			subject(pkg(retention.Container, v("sha256:a", "v1"), v("sha256:b", "v2"), v("sha256:c")), del(1), del(2)),
			[]string{"2 delete planned", "1 delete blocked last_tagged_version"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(Check(tt.subject).Items())); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckWebhookMayTouchTheVersionItAnnounced(t *testing.T) {
	inv := pkg(retention.Container, v("sha256:a", "latest"),
		retention.Version{Name: "sha256:b", CreatedAt: now.Add(-time.Minute)},
		retention.Version{Name: "sha256:c", CreatedAt: now.Add(-time.Minute)})
	s := subject(inv, del(2), del(3))
	s.Trigger = retention.Trigger{Kind: retention.TriggerWebhook, VersionID: 2}
	want := []string{"2 delete planned", "3 delete held young_version"}
	if diff := cmp.Diff(want, lines(Check(s).Items())); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestCheckNothingOfAnUnreadPackageIsDeleted(t *testing.T) {
	inv := pkg(retention.NPM, v("3"), v("2"), v("1"))
	inv.Complete = false
	inv.Problems = []retention.Problem{{Kind: retention.ProblemIncomplete, Detail: "page 2 of 3 could not be read"}}
	for name, s := range map[string]Subject{
		"a version": subject(inv, del(3)), "the package": subject(inv, del(0, whole)),
	} {
		items := Check(s).Items()
		if len(items) != 1 || items[0].Status != retention.StatusIncomplete || !strings.Contains(items[0].Guard.Detail, "page 2 of 3") {
			t.Errorf("%s: got %v, want incomplete with the reason", name, lines(items))
		}
	}
}

func TestCheckNothingIsDeletedWhenAPolicyFailed(t *testing.T) {
	s := subject(pkg(retention.NPM, v("3"), v("2"), v("1")), del(3), del(2), del(2, keep))
	s.Judgement.Failures = []retention.Problem{{Kind: retention.ProblemPolicy, Policy: "liar", Detail: "unknown id"}}
	want := []string{"3 delete incomplete policy_failed", "2 delete kept <keeper"}
	if diff := cmp.Diff(want, lines(Check(s).Items())); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestCheckRemembersRefusalsAndConflicts(t *testing.T) {
	s := subject(pkg(retention.NPM, v("3"), v("2"), v("1")), del(3), del(2))
	s.Refused = map[retention.ID]string{3: "more than 5000 downloads"}
	s.Undone = map[retention.ID][]retention.Rule{2: {{Policy: "back", Action: retention.Restore}}}
	want := []string{"3 delete blocked downloads", "2 delete conflict undone_by_next_plan <back"}
	if diff := cmp.Diff(want, lines(Check(s).Items())); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestCheckHoldsALargeShareOfThePackage(t *testing.T) {
	inv := pkg(retention.NPM, v("4"), v("3"), v("2"), v("1"))
	s := subject(inv, del(4), del(3))
	s.Limits.PercentOfPackage = 50
	if got := lines(Check(s).Items()); !cmp.Equal(got, []string{"4 delete planned", "3 delete planned"}) {
		t.Errorf("half is not more than half: %v", got)
	}
	s = subject(inv, del(4), del(3), del(2))
	s.Limits.PercentOfPackage = 50
	want := []string{"4 delete held percent_of_package", "3 delete held percent_of_package", "2 delete held percent_of_package"}
	if diff := cmp.Diff(want, lines(Check(s).Items())); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	s = subject(inv, del(0, whole), del(4))
	s.Limits.PercentOfPackage = 50
	want = []string{"4 delete planned", "package delete held percent_of_package"}
	if diff := cmp.Diff(want, lines(Check(s).Items())); diff != "" {
		t.Errorf("a held retirement leaves the versions to their own rules (-want +got):\n%s", diff)
	}
	s = subject(inv, del(4))
	s.Limits.PercentOfPackage = 0
	if got := lines(Check(s).Items()); !cmp.Equal(got, []string{"4 delete held percent_of_package"}) {
		t.Errorf("zero means zero: %v", got)
	}
}
