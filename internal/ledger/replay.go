package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// replay walks a chain from its first record and works out what it amounts to.
// It holds a few hundred bytes for each action, not the action itself.
type replay struct {
	owner    string
	head     Head
	runs     map[string]*runState
	intents  map[string]*intentState
	counters map[string]int
	expect   string // a hash that the chain must hold, or ""
	found    bool
}

type runState struct {
	run     retention.Run
	seq     int64 // its last record
	intents int
}

type intentState struct {
	intent [sha256.Size]byte // of the intent's body
	action Action            // without the Intent
	run    string
}

func newReplay(owner, expect string) *replay {
	return &replay{
		owner: owner, expect: expect, found: expect == "",
		head: Head{Hash: genesis}, runs: map[string]*runState{}, intents: map[string]*intentState{}, counters: map[string]int{},
	}
}

func (p *replay) broken(seq int64, format string, args ...any) error {
	return &BrokenError{Owner: p.owner, Seq: seq, Detail: fmt.Sprintf(format, args...)}
}

// add takes the next record. Any error is a *BrokenError.
func (p *replay) add(r Record) error {
	want := p.head.Seq + 1
	switch {
	case r.Seq != want:
		return p.broken(want, "record %d is where %d belongs", r.Seq, want)
	case r.V != Format:
		return p.broken(want, "format %d is not known: a newer shelflife wrote it", r.V)
	case r.Owner != p.owner:
		return p.broken(want, "it belongs to %s", r.Owner)
	case r.Prev != p.head.Hash:
		return p.broken(want, "it does not follow the record before it")
	case r.Hash != r.Sum():
		return p.broken(want, "its hash does not fit its content")
	}
	if err := p.apply(r); err != nil {
		return p.broken(want, "%v", err)
	}
	p.head = Head{Seq: r.Seq, Hash: r.Hash}
	p.found = p.found || r.Hash == p.expect
	return nil
}

func (p *replay) apply(r Record) error {
	switch r.Kind {
	case KindRunStarted:
		return p.runStarted(r)
	case KindIntent:
		return p.intentBegun(r)
	case KindOutcome:
		return p.outcome(r)
	case KindRunFinished:
		return p.runFinished(r)
	case KindNote:
		return strict(r.Body, &noteBody{})
	}
	return fmt.Errorf("kind %q is not known", r.Kind)
}

func (p *replay) runStarted(r Record) error {
	var run retention.Run
	if err := strict(r.Body, &run); err != nil {
		return err
	}
	switch {
	case run.ID != r.Run || OwnerKey(run.Owner) != p.owner:
		return fmt.Errorf("run %s of %s does not belong here", run.ID, run.Owner)
	case p.runs[run.ID] != nil:
		return fmt.Errorf("run %s started twice", run.ID)
	}
	p.runs[run.ID] = &runState{run: run, seq: r.Seq}
	return nil
}

func (p *replay) intentBegun(r Record) error {
	var in Intent
	if err := strict(r.Body, &in); err != nil {
		return err
	}
	run := p.runs[r.Run]
	switch {
	case run == nil:
		return fmt.Errorf("intent %s has no run", in.ID)
	case !run.run.FinishedAt.IsZero():
		return fmt.Errorf("intent %s came after its run was finished", in.ID)
	case in.ID != IntentID(in) || !in.At.Equal(r.At):
		return fmt.Errorf("intent %s does not bear its own id and time", in.ID)
	case p.intents[in.ID] != nil:
		return fmt.Errorf("intent %s is there twice", in.ID)
	}
	if err := in.check(run.run); err != nil {
		return err
	}
	run.intents++
	if n := in.spends(); n > 0 {
		p.counters[runCounter(in.Run)] += n
		p.counters[dayCounter(r.At)] += n
	}
	p.intents[in.ID] = &intentState{intent: sha256.Sum256(r.Body), action: Action{Seq: r.Seq}, run: r.Run}
	return nil
}

func (p *replay) outcome(r Record) error {
	var b outcomeBody
	if err := strict(r.Body, &b); err != nil {
		return err
	}
	in := p.intents[b.Intent]
	switch {
	case in == nil || in.run != r.Run:
		return fmt.Errorf("outcome %s has no intent", b.Outcome)
	case !mayFollow(in.action.Outcome, b.Outcome):
		return fmt.Errorf("outcome %q can't follow %q", b.Outcome, in.action.Outcome)
	}
	in.action = in.action.finished(b, r)
	return nil
}

func (p *replay) runFinished(r Record) error {
	var b finishedBody
	if err := strict(r.Body, &b); err != nil {
		return err
	}
	run := p.runs[r.Run]
	switch {
	case run == nil:
		return fmt.Errorf("run %s was not started", r.Run)
	case !run.run.FinishedAt.IsZero():
		return fmt.Errorf("run %s finished twice", r.Run)
	}
	run.run.FinishedAt, run.run.Outcomes, run.seq = r.At, b.Outcomes, r.Seq
	return nil
}

// open counts the intents without an outcome.
func (p *replay) open() int {
	n := 0
	for _, in := range p.intents {
		if in.action.Outcome == "" {
			n++
		}
	}
	return n
}

// strict reads a body that must hold nothing but what is known.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("its body can't be read: %w", err)
	}
	return nil
}
