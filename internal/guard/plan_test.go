package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

func header() Header {
	return Header{ID: "p1", Kind: retention.RunApply, CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour), EvaluatedAt: now,
		Trigger: retention.Trigger{Kind: retention.TriggerCLI}, Bundle: Bundle{Revision: "r1", Digest: "sha256:b", ParamsDigest: "sha256:p"}}
}

func limits(perRun, perDay int, percentOfOwner float64) retention.Limits {
	return retention.Limits{DeletesPerRun: perRun, DeletesPerDay: perDay, PercentOfPackage: 100, PercentOfOwner: percentOfOwner}
}

func owner(l retention.Limits, drafts ...Draft) OwnerDraft {
	return OwnerDraft{Owner: retention.Owner{Login: "acme", Kind: retention.Organization, ID: 1}, Mode: retention.Enforce, Limits: l, Drafts: drafts}
}

func npmDraft(ds ...retention.Decision) Draft {
	return Check(subject(pkg(retention.NPM, v("4"), v("3"), v("2"), v("1")), ds...))
}

// imageDraft wants to delete an index with two children (oldest) and a single image.
func imageDraft() Draft {
	return Check(subject(image(
		[]retention.Node{node("x"), node("s"), node("i", "a", "b"), node("a"), node("b")},
		v("x", "x"), v("s", "pr-1"), v("i", "pr-2"), v("a"), v("b")), del(2), del(3)))
}

func TestAssembleBudgets(t *testing.T) {
	tests := map[string]struct {
		owner OwnerDraft
		want  []string
	}{
		"within every budget": {owner(limits(10, 10, 100), npmDraft(del(3), del(4))),
			[]string{"4 delete planned", "3 delete planned"}},
		"the oldest go first": {owner(limits(1, 10, 100), npmDraft(del(3), del(4))),
			[]string{"4 delete planned", "3 delete held deletes_per_run"}},
		"zero means zero": {owner(limits(0, 10, 100), npmDraft(del(4))),
			[]string{"4 delete held deletes_per_run"}},
		"what others spent today counts": {func() OwnerDraft {
			o := owner(limits(10, 10, 100), npmDraft(del(3), del(4)))
			o.SpentToday = 9
			return o
		}(), []string{"4 delete planned", "3 delete held deletes_per_day"}},
		"units go whole, and one too large for any run does not stop the others": {
			owner(limits(2, 10, 100), imageDraft()),
			[]string{"3 delete held deletes_per_run", "5 delete held deletes_per_run", "4 delete held deletes_per_run", "2 delete planned"}},
		"a unit that does not fit any more ends the run": {
			owner(limits(3, 10, 100), imageDraft()),
			[]string{"3 delete planned", "5 delete planned with 3", "4 delete planned with 3", "2 delete held deletes_per_run"}},
		"a large share of the owner is an alarm": {owner(limits(10, 10, 25), npmDraft(del(3), del(4))),
			[]string{"4 delete held percent_of_owner", "3 delete held percent_of_owner"}},
		"lost access stops the owner": {func() OwnerDraft {
			o := owner(limits(10, 10, 100), npmDraft(del(4)))
			o.Problems = []retention.Problem{{Owner: "acme", Kind: retention.ProblemLostAccess, Detail: "had 9 packages, now 1"}}
			return o
		}(), []string{"4 delete held lost_access"}},
		"an observing owner only reports": {func() OwnerDraft {
			o := owner(limits(10, 10, 100), npmDraft(del(4)))
			o.Mode = retention.Observe
			return o
		}(), []string{"4 delete observed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := lines(Assemble(header(), []OwnerDraft{tt.owner}).Items())
			for i := range got { // a held cascade is still named under its root; the table stays short
				if strings.Contains(got[i], " held ") {
					got[i], _, _ = strings.Cut(got[i], " with ")
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAssembleSummaryCountsEveryVersionOnce(t *testing.T) {
	inv := pkg(retention.NPM, v("5"), v("4"), v("3"), v("2"), v("1"))
	d := Check(subject(inv, del(5), del(4), del(4, keep), del(3, observed), del(0, restore, whole)))
	got := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), d)})
	want := retention.Summary{Delete: 1, Keep: 4, Observed: 1}
	if diff := cmp.Diff(want, got.Summary()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if o := got.Owners(); len(o) != 1 || o[0].Versions != 5 || o[0].Packages != 1 {
		t.Errorf("owners = %+v", o)
	}
}

func TestInventoryDigestIgnoresOrderAndSeesContent(t *testing.T) {
	a, b := npmDraft(del(4)), imageDraft()
	one := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), a, b)}).InventoryDigest()
	two := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), b, a)}).InventoryDigest()
	if one != two {
		t.Error("the digest depends on the order of reading")
	}
	if three := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), a)}).InventoryDigest(); three == one {
		t.Error("the digest does not see a package less")
	}
}

var key = HMACKey(bytes.Repeat([]byte{7}, 32))

func sealed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), imageDraft())}).Seal(context.Background(), &b, key); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpenReadsBackExactlyWhatWasSealed(t *testing.T) {
	want := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), imageDraft())})
	got, err := Open(context.Background(), bytes.NewReader(sealed(t)), key, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.doc, got.doc); diff != "" {
		t.Errorf("plan (-sealed +opened):\n%s", diff)
	}
	var pretty bytes.Buffer
	if err := json.Compact(&pretty, sealed(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), &pretty, key, now); err != nil {
		t.Errorf("white space is no change: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			out := bytes.Replace(b, []byte(old), []byte(new), 1)
			if bytes.Equal(out, b) {
				t.Fatalf("the plan has no %s", old)
			}
			return out
		}
	}
	tests := map[string]struct {
		change func([]byte) []byte
		at     time.Time
		key    HMACKey
		want   error
	}{
		"another version id":  {swap(`"version_id": "3"`, `"version_id": "1"`), now, key, ErrTampered},
		"a held item planned": {swap(`"status": "planned"`, `"status": "held"`), now, key, ErrTampered},
		"a later expiry":      {swap(`"expires_at": "2026-11-23`, `"expires_at": "2027-11-23`), now, key, ErrTampered},
		"another algorithm":   {swap(`"HS256"`, `"none"`), now, key, ErrTampered},
		"another key":         {func(b []byte) []byte { return b }, now, HMACKey(bytes.Repeat([]byte{8}, 32)), ErrTampered},
		"something appended":  {func(b []byte) []byte { return append(b, "{}"...) }, now, key, ErrTampered},
		"past its expiry":     {func(b []byte) []byte { return b }, now.Add(24 * time.Hour), key, ErrExpired},
		"no signature":        {swap(`"value": "`, `"value": "", "x": "`), now, key, nil},
		"not a plan":          {func([]byte) []byte { return []byte("[]") }, now, key, nil},
		"another schema":      {swap(Schema, "shelflife.plan/v9"), now, key, nil},
		"cut short":           {func(b []byte) []byte { return b[:len(b)/2] }, now, key, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), bytes.NewReader(tt.change(sealed(t))), tt.key, tt.at)
			if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
	unsigned, err := json.Marshal(Assemble(header(), nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), bytes.NewReader(unsigned), key, now); !errors.Is(err, ErrUnsigned) {
		t.Errorf("unsigned: err = %v", err)
	}
	if err := Assemble(header(), nil).Seal(context.Background(), io.Discard, HMACKey("short")); err == nil {
		t.Error("a short key seals")
	}
}

// FuzzOpen holds that whatever opens under the key is what was sealed with it.
func FuzzOpen(f *testing.F) {
	var b bytes.Buffer
	want := Assemble(header(), []OwnerDraft{owner(limits(9, 9, 100), imageDraft())})
	if err := want.Seal(context.Background(), &b, key); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schema":"shelflife.plan/v1","signature":{"alg":"HS256","value":""}}`))
	other := HMACKey(bytes.Repeat([]byte{9}, 32))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Open(context.Background(), bytes.NewReader(b), other, now); err == nil {
			t.Error("a plan opened that this key never sealed")
		}
		if got, err := Open(context.Background(), bytes.NewReader(b), key, now); err == nil {
			if diff := cmp.Diff(want.doc, got.doc, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("something else than what was sealed opens (-sealed +opened):\n%s", diff)
			}
		}
	})
}
