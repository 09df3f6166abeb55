package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Kind says what a delivery is about.
type Kind int

// The kinds of event. Only KindPackage leads to work.
const (
	KindOther        Kind = iota // an event or package type that is not ours
	KindPing                     // GitHub tries the webhook
	KindInstallation             // the App was installed, removed or given other repositories
	KindPackage                  // a package version was published or updated
)

// Event is what matters of a delivery. Of events other than package events only
// Name, Kind and what could be read of Action, Owner, Sender and InstallationID
// are set, for the log.
type Event struct {
	Name   string // the X-GitHub-Event header
	Kind   Kind
	Action string
	Owner  string // login of the package's owner, or of the installation's account
	Type   retention.PackageType
	// Package is the full name, which may hold slashes.
	Package   string
	VersionID retention.ID // zero when the payload names no version
	Version   string       // digest or version string
	Tag       string       // container tag; "" for an untagged manifest
	Sender    string
	// InstallationID is zero where the payload names none, as webhooks of
	// organizations and repositories don't.
	InstallationID int64
	UpdatedAt      time.Time // of the package; zero when absent or year 1
}

// WorkItem asks for a look at the package. The delivery id is X-GitHub-Delivery.
func (e Event) WorkItem(delivery string) retention.WorkItem {
	ref := retention.PackageRef{Owner: e.Owner, Type: e.Type, Name: e.Package}
	trigger := retention.Trigger{
		Kind: retention.TriggerWebhook, Event: e.Name, Action: e.Action, Sender: e.Sender, VersionID: e.VersionID,
	}
	return retention.NewPackageWork(ref, trigger, e.change(delivery))
}

// change identifies what happened: GitHub announces one push as package and as
// registry_package, in two deliveries with ids of their own, so it is made of
// what both say. Two pushes differ in their version, tag or time. Without a
// time (year 1 is common in live payloads) a change can't be told from the next
// one, so the delivery stands in: a second look is cheap, a lost change is not.
func (e Event) change(delivery string) string {
	when := e.UpdatedAt.UTC().Format(time.RFC3339Nano)
	if e.UpdatedAt.IsZero() {
		when = "delivery " + delivery
	}
	h := sha256.New()
	for _, part := range []string{
		strings.ToLower(e.Owner), string(e.Type), e.Package, e.VersionID.String(), e.Version, e.Tag, e.Action, when,
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
