package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

func ptr[T any](v T) *T { return &v }

func version(id retention.ID, name string, age time.Duration, tags ...string) retention.Version {
	at := evaluatedAt.Add(-age)
	return retention.Version{ID: id, Name: name, CreatedAt: at, UpdatedAt: at, State: retention.Active, Tags: tags}
}

func inventoryOf(kind retention.PackageType, versions ...retention.Version) retention.Inventory {
	return retention.Inventory{
		Owner:    retention.Owner{Login: "acme", Kind: retention.Organization, ID: 7},
		Package:  retention.Package{ID: 9, Name: "team/api", Type: kind, Visibility: "private", State: retention.Active},
		Versions: versions, Complete: true,
	}
}

func TestInputDocumentOfAWholePackage(t *testing.T) {
	const manifest, index = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
	gone := version(4, "sha256:old", 40*day)
	gone.State, gone.DeletedAt = retention.Deleted, evaluatedAt.Add(-10*day)
	gone.DeletedBy = &retention.DeletedBy{Run: "run-1", Policy: "expire_untagged"}
	other := version(5, "sha256:older", 50*day)
	other.State, other.DeletedAt = retention.Deleted, evaluatedAt.Add(-31*day)
	inv := inventoryOf(retention.Container,
		version(1, "sha256:index", 36*time.Hour, "latest", "v1.2.3", "v1.2.4-rc.1"),
		version(2, "sha256:amd64", 48*time.Hour),
		version(3, "sha256:sig", 12*time.Hour),
		gone, other,
	)
	inv.Versions[0].HTMLURL, inv.Versions[0].License, inv.Versions[0].Description = "https://page", "MIT", "an API"
	inv.Package.Repository = &retention.Repository{ID: 3, Name: "api", FullName: "acme/api", Private: true, HTMLURL: "https://repo"}
	inv.Package.CreatedAt, inv.Package.UpdatedAt = evaluatedAt.Add(-100*day), evaluatedAt.Add(-12*time.Hour)
	inv.Graph = retention.NewGraph([]retention.Node{
		{Digest: "sha256:index", Kind: retention.KindIndex, MediaType: index, SizeBytes: 10, Children: []string{"sha256:amd64", "sha256:arm64"}, Missing: []string{"sha256:arm64"}},
		{Digest: "sha256:amd64", Kind: retention.KindImage, MediaType: manifest, SizeBytes: 20, Platform: "linux/amd64"},
		{Digest: "sha256:sig", Kind: retention.KindSignature, MediaType: manifest, ArtifactType: "application/x", SizeBytes: 30, Subject: "sha256:index"},
	})
	got := policy.NewInput(policy.Request{Inventory: inv, EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{
		Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "octocat", VersionID: 1,
	}})

	owner := policy.InputOwner{Login: "acme", Kind: "organization", ID: "7"}
	at := func(age time.Duration) *string { return ptr(evaluatedAt.Add(-age).Format(time.RFC3339)) }
	want := policy.Input{
		Contract:    "v1",
		EvaluatedAt: "2026-11-22T12:00:00Z",
		Trigger:     policy.InputTrigger{Kind: "webhook", Event: "package", Action: "published", Sender: "octocat", VersionID: "1"},
		Owner:       owner,
		Package: policy.InputPackage{
			ID: "9", Name: "team/api", PackageType: "container", Visibility: "private", Owner: owner, State: "active",
			CreatedAt: at(100 * day), UpdatedAt: at(12 * time.Hour), AgeDays: ptr(100.0), IdleDays: ptr(0.5),
			Repository: &policy.InputRepository{ID: "3", Name: "api", FullName: "acme/api", Private: true, HTMLURL: "https://repo"},
		},
		Complete: true,
		Versions: []policy.InputVersion{
			{
				ID: "3", Name: "sha256:sig", CreatedAt: at(12 * time.Hour), UpdatedAt: at(12 * time.Hour), State: "active", Tags: []string{},
				AgeDays: ptr(0.5), IdleDays: ptr(0.5), Rank: ptr(0),
				OCI: &policy.InputOCI{Kind: "signature", MediaType: manifest, ArtifactType: ptr("application/x"), Children: []string{}, Parents: []string{}, Missing: []string{}, Subject: ptr("sha256:index"), SizeBytes: 30},
			},
			{
				ID: "1", Name: "sha256:index", CreatedAt: at(36 * time.Hour), UpdatedAt: at(36 * time.Hour), State: "active",
				Tags: []string{"latest", "v1.2.3", "v1.2.4-rc.1"}, Tagged: true, HTMLURL: ptr("https://page"), License: ptr("MIT"), Description: ptr("an API"),
				AgeDays: ptr(1.5), IdleDays: ptr(1.5), Rank: ptr(1), RankTagged: ptr(0), RankRoot: ptr(0), RankPrerelease: ptr(0), Root: true,
				Semver: &policy.InputSemver{Version: "1.2.4-rc.1", Major: 1, Minor: 2, Patch: 4, Prerelease: "rc.1"},
				OCI:    &policy.InputOCI{Kind: "index", MediaType: index, Children: []string{"2"}, Parents: []string{}, Missing: []string{"sha256:arm64"}, SizeBytes: 10},
			},
			{
				ID: "2", Name: "sha256:amd64", CreatedAt: at(2 * day), UpdatedAt: at(2 * day), State: "active", Tags: []string{},
				AgeDays: ptr(2.0), IdleDays: ptr(2.0), Rank: ptr(2),
				OCI: &policy.InputOCI{Kind: "image", MediaType: manifest, Children: []string{}, Parents: []string{"1"}, Missing: []string{}, Platform: ptr("linux/amd64"), SizeBytes: 20},
			},
			{
				ID: "4", Name: "sha256:old", CreatedAt: at(40 * day), UpdatedAt: at(40 * day), DeletedAt: at(10 * day), State: "deleted", Tags: []string{},
				AgeDays: ptr(40.0), IdleDays: ptr(40.0), Root: true, RestorableDays: ptr(20.0),
				DeletedBy: &policy.InputDeletedBy{By: "shelflife", Run: "run-1", Policy: "expire_untagged"},
			},
			{
				ID: "5", Name: "sha256:older", CreatedAt: at(50 * day), UpdatedAt: at(50 * day), DeletedAt: at(31 * day), State: "deleted", Tags: []string{},
				AgeDays: ptr(50.0), IdleDays: ptr(50.0), Root: true, RestorableDays: ptr(0.0),
				DeletedBy: &policy.InputDeletedBy{By: "other"},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

func TestTriggerFieldsAreLeftOutOutsideWebhooks(t *testing.T) {
	got := policy.NewInput(policy.Request{EvaluatedAt: evaluatedAt, Trigger: retention.Trigger{
		Kind: retention.TriggerSchedule, Event: "package", Sender: "octocat", VersionID: 4,
	}}).Trigger
	if diff := cmp.Diff(policy.InputTrigger{Kind: "schedule"}, got); diff != "" {
		t.Errorf("trigger (-want +got):\n%s", diff)
	}
}

func TestUnknownTimesNeverReadAsOld(t *testing.T) {
	unknown := retention.Version{ID: 1, Name: "1.0.0", State: retention.Active}
	deleted := retention.Version{ID: 2, Name: "2.0.0", State: retention.Deleted}
	got := policy.NewInput(requestFor(inventoryOf(retention.NPM, version(3, "3.0.0", time.Hour), unknown, deleted))).Versions
	type fact struct {
		ID              string
		Age, Idle, Left *float64
		Rank            *int
	}
	var facts []fact
	for _, v := range got {
		facts = append(facts, fact{v.ID, v.AgeDays, v.IdleDays, v.RestorableDays, v.Rank})
	}
	hour := 1.0 / 24
	want := []fact{{ID: "2"}, {ID: "1", Rank: ptr(0)}, {ID: "3", Age: &hour, Idle: &hour, Rank: ptr(1)}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestAgesAreFractionalAndStrict(t *testing.T) {
	for name, tc := range map[string]struct {
		age    time.Duration
		beyond bool
	}{
		"thirty days to the second are not more than thirty": {30 * day, false},
		"a second more is":  {30*day + time.Second, true},
		"a second less not": {30*day - time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := policy.NewInput(requestFor(inventoryOf(retention.NPM, version(1, "1.0.0", tc.age))))
			if got := *in.Versions[0].AgeDays > 30; got != tc.beyond {
				t.Errorf("age of %v days > 30 is %t", *in.Versions[0].AgeDays, got)
			}
		})
	}
}

func TestRanksGoByAgeThenByTheHigherID(t *testing.T) {
	gone := version(6, "sha256:f", 0)
	gone.State = retention.Deleted
	inv := inventoryOf(retention.Container,
		version(2, "sha256:b", 2*day, "b"), version(10, "sha256:a", 2*day, "a"), version(9, "sha256:c", 2*day),
		version(11, "sha256:d", day), version(12, "sha256:e", 0), gone)
	inv.Graph = retention.NewGraph([]retention.Node{
		{Digest: "sha256:a", Kind: retention.KindIndex, Children: []string{"sha256:d"}}, {Digest: "sha256:d", Kind: retention.KindImage},
	})
	got := map[string][4]int{}
	orNone := func(n *int) int {
		if n == nil {
			return -1
		}
		return *n
	}
	for _, v := range policy.NewInput(requestFor(inv)).Versions {
		got[v.ID] = [4]int{orNone(v.Rank), orNone(v.RankTagged), orNone(v.RankUntagged), orNone(v.RankRoot)}
	}
	want := map[string][4]int{
		"6": {-1, -1, -1, -1}, "12": {0, -1, 0, 0}, "11": {1, -1, -1, -1},
		"10": {2, 0, -1, 1}, "9": {3, -1, 1, 2}, "2": {4, 1, -1, 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rank, rank_tagged, rank_untagged, rank_root (-want +got):\n%s", diff)
	}
}

func TestSemver(t *testing.T) {
	for name, tc := range map[string]struct {
		version string
		tags    []string
		want    *policy.InputSemver
	}{
		"the name":                           {"1.2.3", nil, &policy.InputSemver{Version: "1.2.3", Major: 1, Minor: 2, Patch: 3}},
		"a leading v":                        {"v1.2.3-rc.1+b7", nil, &policy.InputSemver{Version: "1.2.3-rc.1+b7", Major: 1, Minor: 2, Patch: 3, Prerelease: "rc.1", Build: "b7"}},
		"the name beats the tags":            {"1.0.0", []string{"9.0.0"}, &policy.InputSemver{Version: "1.0.0", Major: 1}},
		"the highest tag by precedence":      {"sha256:a", []string{"v1.9.0", "1.10.0", "1.10.0-rc.1"}, &policy.InputSemver{Version: "1.10.0", Major: 1, Minor: 10}},
		"the lesser text on equal tags":      {"sha256:a", []string{"1.0.0+b", "1.0.0+a"}, &policy.InputSemver{Version: "1.0.0+a", Major: 1, Build: "a"}},
		"a line is no version":               {"sha256:a", []string{"1", "1.2", "v1"}, nil},
		"only one v":                         {"vv1.2.3", nil, nil},
		"no leading zeros":                   {"01.2.3", nil, nil},
		"words are no versions":              {"latest", []string{"stable"}, nil},
		"nothing is no version":              {"v", []string{""}, nil},
		"a date is a version all the same":   {"2026.11.22", nil, &policy.InputSemver{Version: "2026.11.22", Major: 2026, Minor: 11, Patch: 22}},
		"a digest-like name is no version":   {"sha256:123", nil, nil},
		"numbers too large to hold are none": {"99999999999999999999.0.0", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := policy.NewInput(requestFor(inventoryOf(retention.NPM, version(1, tc.version, day, tc.tags...))))
			if diff := cmp.Diff(tc.want, in.Versions[0].Semver); diff != "" {
				t.Errorf("semver (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSemverRanksReleasesAndPrereleasesApart(t *testing.T) {
	gone := version(7, "9.0.0", 0)
	gone.State = retention.Deleted
	inv := inventoryOf(retention.NPM,
		version(1, "1.0.0", 9*day), version(2, "1.10.0", 8*day), version(3, "1.9.0", day), version(4, "2.0.0-rc.2", day),
		version(5, "2.0.0-rc.10", 2*day), version(6, "nightly", 0), gone, version(8, "1.10.0+build", 2*day))
	got := map[string][2]*int{}
	for _, v := range policy.NewInput(requestFor(inv)).Versions {
		got[v.ID] = [2]*int{v.RankSemver, v.RankPrerelease}
	}
	want := map[string][2]*int{
		"8": {ptr(0), nil}, "2": {ptr(1), nil}, "3": {ptr(2), nil}, "1": {ptr(3), nil},
		"5": {nil, ptr(0)}, "4": {nil, ptr(1)}, "6": {}, "7": {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rank_semver, rank_prerelease (-want +got):\n%s", diff)
	}
}
