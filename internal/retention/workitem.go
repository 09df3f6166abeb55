package retention

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WorkItemVersion is the version of the format that this build writes and reads.
const WorkItemVersion = 1

// Bounds on what a work item may hold, in bytes. They keep a deduplication id
// within the 128 characters and a body far below the 256 KiB that SQS takes.
const (
	maxWorkItem = 16 << 10
	maxLogin    = 100
	maxName     = 512
	maxCursor   = 1024
	maxRun      = 80
	maxWord     = 64
)

// WorkKind says what a work item asks for.
type WorkKind string

// The kinds of work.
const (
	WorkSweep   WorkKind = "sweep"   // go on with an owner's sweep from its cursor
	WorkPackage WorkKind = "package" // look at one package now
)

// WorkItem is one message of the queue. It holds references only, never state
// or decisions: the worker reads and decides everything anew, so a late or
// repeated item costs a reading and nothing else.
type WorkItem struct {
	V     int      `json:"v"`
	Kind  WorkKind `json:"kind"`
	Run   string   `json:"run,omitempty"` // sweep
	Owner string   `json:"owner"`         // login, in the case that it came in
	// Cursor is where the sweep goes on; "" is its start.
	Cursor  string      `json:"cursor,omitempty"`
	Type    PackageType `json:"type,omitempty"` // package
	Name    string      `json:"name,omitempty"` // package; may hold slashes
	Trigger Trigger     `json:"trigger,omitzero"`
	// Change identifies the change that GitHub announced. Both events that
	// announce it (package and registry_package) bear the same; "" means unknown.
	Change string `json:"change,omitempty"`
	// Revision is the build that sent the item, "" where there are no builds to
	// tell apart. It is no part of what the item asks for.
	Revision string `json:"revision,omitempty"`
}

// NewSweepWork asks for the next slice of an owner's sweep.
func NewSweepWork(run, owner, cursor string) WorkItem {
	return WorkItem{V: WorkItemVersion, Kind: WorkSweep, Run: run, Owner: owner, Cursor: cursor}
}

// NewPackageWork asks for a look at one package because of a change.
func NewPackageWork(ref PackageRef, trigger Trigger, change string) WorkItem {
	return WorkItem{
		V: WorkItemVersion, Kind: WorkPackage, Owner: ref.Owner, Type: ref.Type, Name: ref.Name,
		Trigger: trigger, Change: change,
	}
}

// Ref names the package of a package item; of a sweep only the owner is set.
func (w WorkItem) Ref() PackageRef {
	return PackageRef{Owner: w.Owner, Type: w.Type, Name: w.Name}
}

// GroupID is the queue's message group: the owner's key, so that one owner's
// items are worked one after the other however its login is written.
func (w WorkItem) GroupID() string { return strings.ToLower(w.Owner) }

// DeduplicationID is the queue's deduplication id, at most 128 printable ASCII
// characters as SQS demands: run#cursor for a sweep, the change for a package.
// A package item without one is told apart by what it names, event aside.
func (w WorkItem) DeduplicationID() string {
	if w.Kind == WorkPackage {
		if w.Change != "" {
			return w.Change
		}
		t := w.Trigger
		return fingerprint(w.GroupID(), string(w.Type), w.Name, string(t.Kind), t.Action, t.Sender, t.VersionID.String())
	}
	id := w.Run + "#" + w.Cursor
	if len(id) <= 128 && isGraphicASCII(id) {
		return id
	}
	return w.Run + "#~" + fingerprint(w.Cursor)
}

// Validate reports what is wrong with the item: another version, a field out of
// bounds, missing, or of the other kind.
func (w WorkItem) Validate() error {
	switch {
	case w.V != WorkItemVersion:
		return fmt.Errorf("work item of version %d: this build reads version %d; deploy the functions together", w.V, WorkItemVersion)
	case !isOwner(w.Owner):
		return fmt.Errorf("work item: owner %.120q is not a login", w.Owner)
	case w.Revision != "" && !isToken(w.Revision, maxWord):
		return fmt.Errorf("work item: revision is not up to %d letters, digits or marks of -_.: alone", maxWord)
	case w.Kind == WorkSweep:
		return w.validateSweep()
	case w.Kind == WorkPackage:
		return w.validatePackage()
	}
	return fmt.Errorf("work item: kind %.120q is neither sweep nor package", string(w.Kind))
}

func (w WorkItem) validateSweep() error {
	switch {
	case w.Type != "" || w.Name != "" || w.Trigger != Trigger{} || w.Change != "":
		return errors.New("work item: a sweep names no package")
	case !isToken(w.Run, maxRun):
		return fmt.Errorf("work item: run %.120q is not 1 to %d letters, digits or marks of -_.: alone", w.Run, maxRun)
	case len(w.Cursor) > maxCursor || !isText(w.Cursor):
		return fmt.Errorf("work item: cursor is not up to %d bytes of text", maxCursor)
	}
	return nil
}

func (w WorkItem) validatePackage() error {
	switch {
	case w.Run != "" || w.Cursor != "":
		return errors.New("work item: a package belongs to no sweep")
	case !w.Type.Valid():
		return fmt.Errorf("work item: %.120q is not a package type", string(w.Type))
	case w.Name == "" || len(w.Name) > maxName || !isText(w.Name):
		return fmt.Errorf("work item: package name is not 1 to %d bytes of text", maxName)
	case w.Change != "" && !isToken(w.Change, maxWord):
		return fmt.Errorf("work item: change is not up to %d letters, digits or marks of -_.: alone", maxWord)
	}
	return w.Trigger.validate()
}

func (t Trigger) validate() error {
	switch t.Kind {
	case TriggerWebhook:
	case TriggerSchedule, TriggerCLI:
		if t != (Trigger{Kind: t.Kind}) {
			return fmt.Errorf("work item: only a webhook trigger has details, not %s", t.Kind)
		}
	default:
		return fmt.Errorf("work item: trigger %.120q is none of schedule, webhook, cli", string(t.Kind))
	}
	for _, s := range []string{t.Event, t.Action, t.Sender} {
		if len(s) > maxLogin || !isText(s) {
			return fmt.Errorf("work item: a detail of the trigger is not up to %d bytes of text", maxLogin)
		}
	}
	if t.VersionID < 0 {
		return fmt.Errorf("work item: version id %d is negative", t.VersionID)
	}
	return nil
}

// EncodeWorkItem writes a valid item as the queue carries it.
func EncodeWorkItem(w WorkItem) ([]byte, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// DecodeWorkItem reads one item of the queue. It refuses what this build would
// not have written: unknown fields, another version, anything out of bounds.
func DecodeWorkItem(body []byte) (WorkItem, error) {
	if len(body) > maxWorkItem {
		return WorkItem{}, fmt.Errorf("work item of %d bytes: at most %d", len(body), maxWorkItem)
	}
	if !utf8.Valid(body) {
		return WorkItem{}, errors.New("work item: not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var w WorkItem
	if err := dec.Decode(&w); err != nil {
		return WorkItem{}, fmt.Errorf("work item: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return WorkItem{}, errors.New("work item: something follows it")
	}
	if err := w.Validate(); err != nil {
		return WorkItem{}, err
	}
	return w, nil
}

// fingerprint joins parts so that no two lists give the same, in 43 characters.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// isOwner accepts GitHub's logins, those of managed users (with an underscore)
// included, and @me, the authenticated user.
func isOwner(s string) bool {
	return s == "@me" || (len(s) <= maxLogin && s != "" && strings.IndexFunc(s, func(r rune) bool { return !isAlnum(r) && r != '-' && r != '_' }) < 0)
}

func isToken(s string, limit int) bool {
	return s != "" && len(s) <= limit && strings.IndexFunc(s, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("-_.:", r) }) < 0
}

func isAlnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func isGraphicASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// isText accepts UTF-8 without control characters.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0 }
