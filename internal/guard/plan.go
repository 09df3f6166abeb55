package guard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Schema names the format of a saved plan.
const Schema = "shelflife.plan/v1"

// Bundle identifies the policies and parameters that decided.
type Bundle struct {
	Revision     string `json:"revision"`
	Digest       string `json:"digest"`
	ParamsDigest string `json:"params_digest"`
}

// Calls counts the requests that planning an owner took, and those that the
// snapshots of unchanged packages made needless.
type Calls struct {
	REST     int `json:"rest"`
	Registry int `json:"registry"`
	Saved    int `json:"saved"`
}

// OwnerSummary says what was looked at in one owner.
type OwnerSummary struct {
	Login    string              `json:"login"`
	Kind     retention.OwnerKind `json:"kind"`
	ID       retention.ID        `json:"id"`
	Mode     retention.Mode      `json:"mode"`
	Packages int                 `json:"packages"`
	Versions int                 `json:"versions"` // active ones
	Calls    Calls               `json:"calls"`
}

// Header is what a plan says of itself.
type Header struct {
	ID          string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	EvaluatedAt time.Time
	// Moved says that EvaluatedAt is not the time of planning (--as-of). Such a
	// plan is for looking at: it can't be applied.
	Moved   bool
	Trigger retention.Trigger
	Bundle  Bundle
	Kind    retention.RunKind
	Undoes  string // for an undo: the run
}

// OwnerDraft is one owner's drafts with what the budgets need to know.
type OwnerDraft struct {
	Owner      retention.Owner
	Mode       retention.Mode
	Limits     retention.Limits
	SpentToday int // deletes already reserved today (UTC) by all workers
	Drafts     []Draft
	// Quiet is how many active versions the owner has in packages that have no draft
	// here, since nothing is done in them. They count for the share of the owner.
	Quiet    int
	Problems []retention.Problem // of the owner as a whole
	Calls    Calls
}

// Plan is what is to be done, item by item, and nothing else. It is immutable;
// Assemble makes it and Open reads it back.
type Plan struct{ doc document }

// document is the plan's JSON, in the order of docs/cli.
type document struct {
	Schema          string              `json:"schema"`
	ID              string              `json:"id"`
	Kind            retention.RunKind   `json:"kind"`
	Undoes          string              `json:"undoes,omitempty"`
	CreatedAt       time.Time           `json:"created_at"`
	ExpiresAt       time.Time           `json:"expires_at"`
	EvaluatedAt     time.Time           `json:"evaluated_at"`
	Moved           bool                `json:"moved_clock,omitempty"`
	Mode            retention.Mode      `json:"mode"`
	Trigger         retention.Trigger   `json:"trigger"`
	Bundle          Bundle              `json:"bundle"`
	InventoryDigest string              `json:"inventory_digest"`
	Owners          []OwnerSummary      `json:"owners"`
	Items           []retention.Item    `json:"items"`
	Summary         retention.Summary   `json:"summary"`
	Problems        []retention.Problem `json:"problems"`
	Signature       *Signature          `json:"signature"`
}

// Assemble applies what concerns owners as a whole (lost access, the share of
// the owner, the two counts, the owner's mode) and makes the plan.
func Assemble(h Header, owners []OwnerDraft) Plan {
	doc := document{
		Schema: Schema, ID: h.ID, Kind: h.Kind, Undoes: h.Undoes,
		CreatedAt: h.CreatedAt.UTC(), ExpiresAt: h.ExpiresAt.UTC(), EvaluatedAt: h.EvaluatedAt.UTC(), Moved: h.Moved,
		Trigger: h.Trigger, Bundle: h.Bundle,
		Owners: []OwnerSummary{}, Items: []retention.Item{}, Problems: []retention.Problem{},
	}
	digests := []string{}
	for _, o := range owners {
		judgeOwner(o)
		sum := OwnerSummary{Login: o.Owner.Login, Kind: o.Owner.Kind, ID: o.Owner.ID, Mode: o.Mode, Packages: len(o.Drafts), Calls: o.Calls}
		doc.Mode = max(doc.Mode, o.Mode)
		doc.Problems = append(doc.Problems, o.Problems...)
		for _, d := range o.Drafts {
			sum.Versions += d.active
			doc.Items = append(doc.Items, d.items...)
			doc.Problems = append(doc.Problems, d.problems...)
			digests = append(digests, d.ref.String()+" "+d.digest)
			doc.Summary.Keep += d.active - cost(d.items)
		}
		doc.Owners = append(doc.Owners, sum)
	}
	count(&doc.Summary, doc.Items)
	doc.InventoryDigest = digestOf(digests)
	return Plan{doc: doc}
}

func judgeOwner(o OwnerDraft) {
	slices.SortFunc(o.Drafts, func(a, b Draft) int { return cmp.Compare(a.ref.String(), b.ref.String()) })
	for _, p := range o.Problems {
		if p.Kind == retention.ProblemLostAccess {
			for _, d := range o.Drafts {
				holdAll(d.items, note(retention.GuardLostAccess, "%s", p.Detail))
			}
		}
	}
	holdLargeShareOfOwner(o.Drafts, o.Quiet, o.Limits.PercentOfOwner)
	cutToBudget(o.Drafts, o.Limits, o.SpentToday)
	if o.Mode == retention.Enforce {
		return
	}
	for _, d := range o.Drafts {
		for i := range d.items {
			if d.items[i].Status == retention.StatusPlanned {
				d.items[i].Status = retention.StatusObserved
			}
		}
	}
}

func count(s *retention.Summary, items []retention.Item) {
	for _, it := range items {
		switch {
		case it.Status == retention.StatusPlanned && it.Action == retention.Delete:
			s.Delete += it.Cost
		case it.Status == retention.StatusPlanned:
			s.Restore++
		case it.Status == retention.StatusHeld, it.Status == retention.StatusIncomplete:
			s.Held += it.Cost
		case it.Status == retention.StatusBlocked:
			s.Blocked++
		case it.Status == retention.StatusConflict:
			s.Conflict++
		case it.Status == retention.StatusObserved:
			s.Observed++
		}
	}
}

// digestOf is order-independent: readings arrive in any order.
func digestOf(lines []string) string {
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		fmt.Fprintln(h, l)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// ID identifies the plan and the run that carries it out.
func (p Plan) ID() string { return p.doc.ID }

// Kind says whether the plan applies policies, undoes a run or does one operation.
func (p Plan) Kind() retention.RunKind { return p.doc.Kind }

// Undoes is the run that an undo plan restores, or "".
func (p Plan) Undoes() string { return p.doc.Undoes }

// CreatedAt is when the plan was made.
func (p Plan) CreatedAt() time.Time { return p.doc.CreatedAt }

// ExpiresAt is when it may no longer be applied.
func (p Plan) ExpiresAt() time.Time { return p.doc.ExpiresAt }

// EvaluatedAt is the instant that all ages were measured from.
func (p Plan) EvaluatedAt() time.Time { return p.doc.EvaluatedAt }

// Moved reports whether EvaluatedAt was moved with --as-of.
func (p Plan) Moved() bool { return p.doc.Moved }

// Mode is the strongest mode among the plan's owners.
func (p Plan) Mode() retention.Mode { return p.doc.Mode }

// Trigger is what the plan was made for.
func (p Plan) Trigger() retention.Trigger { return p.doc.Trigger }

// Bundle identifies the policies that decided.
func (p Plan) Bundle() Bundle { return p.doc.Bundle }

// InventoryDigest identifies what was read.
func (p Plan) InventoryDigest() string { return p.doc.InventoryDigest }

// Owners returns what was looked at, owner by owner.
func (p Plan) Owners() []OwnerSummary { return slices.Clone(p.doc.Owners) }

// Items returns every item in the order in which it would be done.
func (p Plan) Items() []retention.Item { return slices.Clone(p.doc.Items) }

// Each goes over the items without copying them.
func (p Plan) Each() iter.Seq[retention.Item] { return slices.Values(p.doc.Items) }

// Summary counts the items.
func (p Plan) Summary() retention.Summary { return p.doc.Summary }

// Problems returns what kept versions from deletion or was not seen.
func (p Plan) Problems() []retention.Problem { return slices.Clone(p.doc.Problems) }
