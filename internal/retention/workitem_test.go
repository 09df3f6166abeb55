package retention_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func pushed(event string) retention.Trigger {
	return retention.Trigger{Kind: retention.TriggerWebhook, Event: event, Action: "published", Sender: "octocat", VersionID: 42}
}

func api(owner string) retention.PackageRef {
	return retention.PackageRef{Owner: owner, Type: retention.Container, Name: "team/api"}
}

func TestWorkItemWireFormat(t *testing.T) {
	tests := []struct {
		name string
		item retention.WorkItem
		want string
	}{
		{"sweep at its start", retention.NewSweepWork("r1", "Acme", ""), `{"v":1,"kind":"sweep","run":"r1","owner":"Acme"}`},
		{"sweep going on", retention.NewSweepWork("r1", "acme", "npm/ui"), `{"v":1,"kind":"sweep","run":"r1","owner":"acme","cursor":"npm/ui"}`},
		{"package of a webhook", retention.NewPackageWork(api("acme"), pushed("package"), "abc"),
			`{"v":1,"kind":"package","owner":"acme","type":"container","name":"team/api","trigger":{"kind":"webhook","event":"package","action":"published","sender":"octocat","version_id":"42"},"change":"abc"}`},
		{"package of a tick", retention.NewPackageWork(api("@me"), retention.Trigger{Kind: retention.TriggerSchedule}, ""),
			`{"v":1,"kind":"package","owner":"@me","type":"container","name":"team/api","trigger":{"kind":"schedule"}}`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b, err := retention.EncodeWorkItem(tc.item)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(b)); diff != "" {
				t.Error(diff)
			}
			got, err := retention.DecodeWorkItem(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.item, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeWorkItemRefuses(t *testing.T) {
	const trigger = `"trigger":{"kind":"webhook"}`
	tests := map[string]struct{ body, want string }{
		"nothing":                 {``, "EOF"},
		"no object":               {`[]`, "cannot unmarshal"},
		"a later version":         {`{"v":2,"kind":"sweep","run":"r","owner":"acme"}`, "version 2"},
		"no version":              {`{"kind":"sweep","run":"r","owner":"acme"}`, "version 0"},
		"an unknown field":        {`{"v":1,"kind":"sweep","run":"r","owner":"acme","mode":"enforce"}`, `unknown field "mode"`},
		"a second document":       {`{"v":1,"kind":"sweep","run":"r","owner":"acme"}{}`, "something follows"},
		"an unknown kind":         {`{"v":1,"kind":"purge","owner":"acme"}`, `kind "purge"`},
		"no owner":                {`{"v":1,"kind":"sweep","run":"r"}`, `owner ""`},
		"an owner with a slash":   {`{"v":1,"kind":"sweep","run":"r","owner":"a/b"}`, `owner "a/b"`},
		"an owner beyond ASCII":   {`{"v":1,"kind":"sweep","run":"r","owner":"acme\u212a"}`, "is not a login"},
		"a sweep without run":     {`{"v":1,"kind":"sweep","owner":"acme"}`, `run ""`},
		"a run with a hash":       {`{"v":1,"kind":"sweep","run":"a#b","owner":"acme"}`, `run "a#b"`},
		"a cursor with a newline": {`{"v":1,"kind":"sweep","run":"r","owner":"acme","cursor":"a\nb"}`, "cursor"},
		"an endless cursor":       {`{"v":1,"kind":"sweep","run":"r","owner":"acme","cursor":"` + strings.Repeat("a", 1025) + `"}`, "cursor"},
		"a sweep of a package":    {`{"v":1,"kind":"sweep","run":"r","owner":"acme","name":"api"}`, "names no package"},
		"a package of a sweep":    {`{"v":1,"kind":"package","run":"r","owner":"acme","type":"npm","name":"api",` + trigger + `}`, "belongs to no sweep"},
		"an unknown package type": {`{"v":1,"kind":"package","owner":"acme","type":"CONTAINER","name":"api",` + trigger + `}`, `"CONTAINER"`},
		"no package name":         {`{"v":1,"kind":"package","owner":"acme","type":"npm",` + trigger + `}`, "package name"},
		"an endless package name": {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"` + strings.Repeat("a", 513) + `",` + trigger + `}`, "package name"},
		"no trigger":              {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"api"}`, `trigger ""`},
		"a schedule with sender":  {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"api","trigger":{"kind":"schedule","sender":"x"}}`, "only a webhook trigger"},
		"an endless sender":       {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"api","trigger":{"kind":"webhook","sender":"` + strings.Repeat("a", 101) + `"}}`, "detail of the trigger"},
		"a negative version":      {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"api","trigger":{"kind":"webhook","version_id":"-1"}}`, "not a positive"},
		"a change with a space":   {`{"v":1,"kind":"package","owner":"acme","type":"npm","name":"api",` + trigger + `,"change":"a b"}`, "change"},
		"a body beyond bounds":    {`{"v":1` + strings.Repeat(" ", 16<<10) + `}`, "at most 16384"},
		"bytes that are no UTF-8": {"{\"v\":1,\"kind\":\"sweep\",\"run\":\"r\",\"owner\":\"acme\",\"cursor\":\"\xff\"}", "not UTF-8"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := retention.DecodeWorkItem([]byte(tc.body))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if diff := cmp.Diff(retention.WorkItem{}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodeWorkItemRefusesWhatDecodeWould(t *testing.T) {
	trigger := pushed("package")
	trigger.VersionID = -1
	if b, err := retention.EncodeWorkItem(retention.NewPackageWork(api("acme"), trigger, "")); err == nil {
		t.Errorf("wrote %s", b)
	}
}

func TestOneGroupPerOwnerWhateverTheCase(t *testing.T) {
	a, b := retention.NewSweepWork("r", "ACME", ""), retention.NewPackageWork(api("Acme"), pushed("package"), "c")
	if diff := cmp.Diff([]string{"acme", "acme"}, []string{a.GroupID(), b.GroupID()}); diff != "" {
		t.Error(diff)
	}
}

func TestDeduplicationID(t *testing.T) {
	plain := func(event string) string {
		return retention.NewPackageWork(api("acme"), pushed(event), "").DeduplicationID()
	}
	other := pushed("package")
	other.VersionID++
	if plain("package") != plain("registry_package") {
		t.Error("both events of one change have to give one id")
	}
	if plain("package") == retention.NewPackageWork(api("acme"), other, "").DeduplicationID() {
		t.Error("another version has to give another id")
	}
	if got := retention.NewPackageWork(api("acme"), pushed("package"), "abc").DeduplicationID(); got != "abc" {
		t.Errorf("%q is not the change", got)
	}
	if got := retention.NewSweepWork("r1", "acme", "npm/ui#2").DeduplicationID(); got != "r1#npm/ui#2" {
		t.Errorf("%q is not run#cursor", got)
	}
	long := strings.Repeat("a", 200)
	ids := map[string]bool{}
	for _, cursor := range []string{"", "a", "a b", "é", long, long + "a"} {
		ids[retention.NewSweepWork("r1", "acme", cursor).DeduplicationID()] = true
	}
	if len(ids) != 6 {
		t.Errorf("6 cursors gave %d ids", len(ids))
	}
}

// genItem draws items within the bounds.
func genItem(t *rapid.T) retention.WorkItem {
	owner := rapid.StringMatching(`@me|[A-Za-z0-9_-]{1,100}`).Draw(t, "owner")
	if rapid.Bool().Draw(t, "sweep") {
		return retention.NewSweepWork(rapid.StringMatching(`[A-Za-z0-9_.:-]{1,80}`).Draw(t, "run"), owner, rapid.StringMatching(`[ -~é]{0,300}`).Draw(t, "cursor"))
	}
	ref := retention.PackageRef{Owner: owner, Type: rapid.SampledFrom(retention.PackageTypes()).Draw(t, "type"), Name: rapid.StringMatching(`[ -~é]{1,200}`).Draw(t, "name")}
	trigger := retention.Trigger{Kind: rapid.SampledFrom([]retention.TriggerKind{retention.TriggerSchedule, retention.TriggerCLI, retention.TriggerWebhook}).Draw(t, "trigger")}
	if trigger.Kind == retention.TriggerWebhook {
		trigger = pushed(rapid.SampledFrom([]string{"package", "registry_package", ""}).Draw(t, "event"))
		trigger.VersionID = retention.ID(rapid.Int64Min(0).Draw(t, "version"))
	}
	return retention.NewPackageWork(ref, trigger, rapid.StringMatching(`[A-Za-z0-9_-]{0,43}`).Draw(t, "change"))
}

func TestEveryItemSurvivesTheQueueAndFitsSQS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genItem(t)
		b, err := retention.EncodeWorkItem(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := retention.DecodeWorkItem(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		checkSQS(t, got)
	})
}

// checkSQS holds SQS's rules for both ids: 1 to 128 letters, digits, punctuation.
func checkSQS(t interface{ Errorf(string, ...any) }, w retention.WorkItem) {
	for _, id := range []string{w.GroupID(), w.DeduplicationID()} {
		if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("SQS would refuse the id %q", id)
		}
	}
}

func FuzzDecodeWorkItem(f *testing.F) {
	for _, w := range []retention.WorkItem{retention.NewSweepWork("r1", "acme", "npm/ui"), retention.NewPackageWork(api("acme"), pushed("package"), "abc")} {
		b, err := json.Marshal(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := retention.DecodeWorkItem(body)
		if err != nil {
			return
		}
		checkSQS(t, w)
		b, err := retention.EncodeWorkItem(w)
		if err != nil {
			t.Fatalf("read but cannot write %+v: %v", w, err)
		}
		again, err := retention.DecodeWorkItem(b)
		if err != nil || again != w {
			t.Errorf("%+v became %+v (%v)", w, again, err)
		}
	})
}

func TestAWorkItemThatIsTooLargeIsNotRead(t *testing.T) {
	if _, err := retention.DecodeWorkItem(make([]byte, 16<<10+1)); err == nil || !strings.Contains(err.Error(), "at most 16384") {
		t.Errorf("got %v", err)
	}
}
