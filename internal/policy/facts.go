package policy

import (
	"slices"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// NewInput computes the document that policies see: ages, ranks, semantic
// versions and the reference graph, once, in Go. It is a pure function of the
// request and does not depend on the order of the versions.
func NewInput(req Request) Input {
	inv := req.Inventory
	owner := InputOwner{Login: inv.Owner.Login, Kind: string(inv.Owner.Kind), ID: inv.Owner.ID.String()}
	in := Input{
		Contract:    Contract,
		EvaluatedAt: formatTime(req.EvaluatedAt),
		Trigger:     newTrigger(req.Trigger),
		Owner:       owner,
		Package:     newPackage(inv.Package, owner, req.EvaluatedAt),
		Complete:    inv.Complete,
		Versions:    make([]InputVersion, len(inv.Versions)),
	}
	versions := inv.Versions
	if !slices.IsSortedFunc(versions, newestFirst) {
		versions = slices.Clone(versions)
		slices.SortStableFunc(versions, newestFirst)
	}
	ids := activeIDs(inv)
	for i, v := range versions {
		in.Versions[i] = newVersion(inv, v, ids, req.EvaluatedAt)
	}
	rankByAge(versions, in.Versions)
	rankBySemver(versions, in.Versions)
	return in
}

func newTrigger(t retention.Trigger) InputTrigger {
	out := InputTrigger{Kind: string(t.Kind)}
	if t.Kind == retention.TriggerWebhook {
		out.Event, out.Action, out.Sender, out.VersionID = t.Event, t.Action, t.Sender, t.VersionID.String()
	}
	return out
}

func newPackage(p retention.Package, owner InputOwner, now time.Time) InputPackage {
	out := InputPackage{
		ID:           p.ID.String(),
		Name:         p.Name,
		PackageType:  string(p.Type),
		Visibility:   p.Visibility,
		VersionCount: p.VersionCount,
		HTMLURL:      p.HTMLURL,
		URL:          p.URL,
		CreatedAt:    timeOrNull(p.CreatedAt),
		UpdatedAt:    timeOrNull(p.UpdatedAt),
		Owner:        owner,
		State:        string(p.State),
		AgeDays:      daysSince(p.CreatedAt, now),
		IdleDays:     daysSince(p.UpdatedAt, now),
	}
	if r := p.Repository; r != nil {
		out.Repository = &InputRepository{
			ID: r.ID.String(), Name: r.Name, FullName: r.FullName, Private: r.Private, HTMLURL: r.HTMLURL,
		}
	}
	return out
}

func newVersion(inv retention.Inventory, v retention.Version, ids map[string]string, now time.Time) InputVersion {
	out := InputVersion{
		ID:          v.ID.String(),
		Name:        v.Name,
		CreatedAt:   timeOrNull(v.CreatedAt),
		UpdatedAt:   timeOrNull(v.UpdatedAt),
		DeletedAt:   timeOrNull(v.DeletedAt),
		HTMLURL:     textOrNull(v.HTMLURL),
		License:     textOrNull(v.License),
		Description: textOrNull(v.Description),
		State:       string(v.State),
		Tags:        orEmpty(v.Tags),
		Tagged:      v.Tagged(),
		AgeDays:     daysSince(v.CreatedAt, now),
		IdleDays:    daysSince(v.UpdatedAt, now),
		Semver:      semverOf(v),
		Root:        inv.IsRoot(v),
	}
	if !v.IsActive() {
		out.DeletedBy = deletedBy(v.DeletedBy)
		out.RestorableDays = restorableDays(v.DeletedAt, now)
		return out
	}
	if inv.Package.Type == retention.Container {
		out.OCI = newOCI(inv.Graph, v.Name, ids)
	}
	return out
}

// newOCI is nil while the manifest is unread: a policy then sees no oci at all.
func newOCI(g retention.Graph, digest string, ids map[string]string) *InputOCI {
	n, ok := g.Node(digest)
	if !ok {
		return nil
	}
	return &InputOCI{
		Kind:         string(n.Kind),
		MediaType:    n.MediaType,
		ArtifactType: textOrNull(n.ArtifactType),
		Children:     idsOf(n.Children, ids),
		Parents:      idsOf(g.Parents(digest), ids),
		Missing:      orEmpty(n.Missing),
		Subject:      textOrNull(n.Subject),
		Platform:     textOrNull(n.Platform),
		SizeBytes:    n.SizeBytes,
	}
}

func deletedBy(d *retention.DeletedBy) *InputDeletedBy {
	if d == nil {
		return &InputDeletedBy{By: "other"}
	}
	return &InputDeletedBy{By: "shelflife", Run: d.Run, Policy: d.Policy}
}

// restorableDays is never negative, and null when nobody knows since when the
// version has been deleted: a comparison with null holds for no "days left".
func restorableDays(deletedAt, now time.Time) *float64 {
	if deletedAt.IsZero() {
		return nil
	}
	left := max(0, days(retention.RestoreWindow-now.Sub(deletedAt)))
	return &left
}

// activeIDs maps the digests of active versions to their ids.
func activeIDs(inv retention.Inventory) map[string]string {
	if inv.Package.Type != retention.Container {
		return nil
	}
	ids := make(map[string]string, len(inv.Versions))
	for _, v := range inv.Versions {
		if v.IsActive() {
			ids[v.Name] = v.ID.String()
		}
	}
	return ids
}

// idsOf keeps the order of the digests and leaves out those that are no active version.
func idsOf(digests []string, ids map[string]string) []string {
	out := make([]string, 0, len(digests))
	for _, d := range digests {
		if id, ok := ids[d]; ok {
			out = append(out, id)
		}
	}
	return out
}

func days(d time.Duration) float64 { return float64(d) / float64(24*time.Hour) }

// daysSince is null without a time: an unknown age must not read as an old one.
func daysSince(t, now time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	d := days(now.Sub(t))
	return &d
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := formatTime(t)
	return &s
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
