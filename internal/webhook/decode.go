package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

const (
	// MaxBody is the largest payload that GitHub sends: 25 MB.
	// https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
	MaxBody = 25 << 20
	// maxDepth bounds the nesting of a payload; live ones stay below 15.
	maxDepth = 64
)

// The structs below name only what is used: metadata (an array in live
// payloads, an object in the description) and body (text or object) are skipped
// whatever they are.
type (
	account      struct{ Login string }
	installation struct {
		ID      int64
		Account lenient[account]
	}
	repository struct{ Owner account }

	// announcement is a package event. What decides whose event it is, and who
	// caused it, is read strictly.
	announcement struct {
		Action       string
		Package      *pkg `json:"package"`
		Registry     *pkg `json:"registry_package"`
		Organization lenient[account]
		Repository   lenient[repository]
		Sender       account
		Installation installation
	}
	pkg struct {
		Name           string
		Type           string  `json:"package_type"`
		Owner          account `json:"owner"`
		Namespace      lenient[string]
		UpdatedAt      lenient[time.Time]      `json:"updated_at"`
		PackageVersion lenient[packageVersion] `json:"package_version"`
	}
	packageVersion struct {
		ID        lenient[int64]
		Version   lenient[string]
		Name      lenient[string]
		Container lenient[struct {
			Tag      struct{ Name, Digest string }
			Manifest lenient[struct{ Digest string }]
		}] `json:"container_metadata"`
	}

	// envelope is what the log wants of any other event.
	envelope struct {
		Action       lenient[string]
		Sender       lenient[account]
		Installation lenient[installation]
	}
)

// lenient reads a T, or leaves it zero where GitHub sends another shape: for
// details whose absence is harmless.
type lenient[T any] struct{ v T }

// UnmarshalJSON never fails on a value of another shape.
func (l *lenient[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.v = v
	}
	return nil
}

// Decode reads the payload of the named event (the X-GitHub-Event header). An
// event or package type that is not ours is no error but KindOther; a payload
// that is no JSON, too large, too deep, or a package event without owner,
// package or action is one.
func Decode(event string, body []byte) (Event, error) {
	if err := checkShape(body); err != nil {
		return Event{}, fmt.Errorf("decode %.64q event: %w", event, err)
	}
	var ev Event
	var err error
	switch event {
	case "package", "registry_package":
		ev, err = decodePackage(event, body)
	case "ping":
		ev, err = decodeOther(event, KindPing, body)
	case "installation", "installation_repositories":
		ev, err = decodeOther(event, KindInstallation, body)
	default:
		ev, err = decodeOther(event, KindOther, body)
	}
	if err != nil {
		return Event{}, fmt.Errorf("decode %.64q event: %w", event, err)
	}
	return ev, nil
}

func decodePackage(event string, body []byte) (Event, error) {
	var a announcement
	if err := json.Unmarshal(body, &a); err != nil {
		return Event{}, err
	}
	p := a.Package
	if event == "registry_package" {
		p = a.Registry
	}
	switch {
	case p == nil:
		return Event{}, fmt.Errorf("the payload has no %s", event)
	case a.Action == "":
		return Event{}, errors.New("the payload has no action")
	case p.Type == "":
		return Event{}, errors.New("the payload has no package_type")
	}
	v := p.PackageVersion.v
	ev := Event{
		Name: event, Kind: KindPackage, Action: a.Action, Owner: ownerOf(a, p), Type: typeOf(p), Package: p.Name,
		VersionID: retention.ID(max(v.ID.v, 0)), Version: firstOf(v.Version.v, v.Name.v), Tag: v.Container.v.Tag.Name,
		Sender: a.Sender.Login, InstallationID: a.Installation.ID,
	}
	if at := p.UpdatedAt.v; at.Year() > 1 {
		ev.UpdatedAt = at.UTC()
	}
	if !ev.Type.Valid() {
		ev.Kind = KindOther
		return ev, nil
	}
	return ev, ev.WorkItem("").Validate()
}

// ownerOf is the package's owner; where the payload leaves it out, the account
// that the event belongs to.
func ownerOf(a announcement, p *pkg) string {
	namespace, _, _ := strings.Cut(p.Namespace.v, "/")
	return firstOf(p.Owner.Login, a.Organization.v.Login, a.Repository.v.Owner.Login, namespace)
}

// typeOf reads the type in whatever case it comes (live payloads have capitals;
// go-github#2033). A container's digest outweighs the type: GitHub's own
// examples call containers npm.
func typeOf(p *pkg) retention.PackageType {
	t := retention.PackageType(strings.ToLower(p.Type))
	if t == "gradle" { // Gradle uses the Maven registry
		t = retention.Maven
	}
	c := p.PackageVersion.v.Container.v
	if t != retention.Docker && (c.Tag.Digest != "" || c.Manifest.v.Digest != "") {
		t = retention.Container
	}
	return t
}

func decodeOther(event string, kind Kind, body []byte) (Event, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return Event{}, err
	}
	in := e.Installation.v
	return Event{
		Name: event, Kind: kind, Action: e.Action.v, Owner: in.Account.v.Login,
		Sender: e.Sender.v.Login, InstallationID: in.ID,
	}, nil
}

// checkShape bounds size and nesting before anything recursive reads the body.
func checkShape(body []byte) error {
	if len(body) > MaxBody {
		return fmt.Errorf("%d bytes: GitHub sends at most %d", len(body), MaxBody)
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func firstOf(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}
