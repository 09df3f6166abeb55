package policycase

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// defaultNow is the instant of a case that names none: a Monday.
var defaultNow = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// world is a case as the policies and guards see it.
type world struct {
	req  policy.Request
	keys map[retention.ID]string // what the case calls its versions
	ids  map[string]retention.ID
}

// build makes the inventory of a case, over the defaults of its file.
func build(f *File, c *caseSpec) (*world, error) {
	now := defaultNow
	if !f.Now.IsZero() {
		now = f.Now.UTC()
	}
	if !c.Now.IsZero() {
		now = c.Now.UTC()
	}
	p := merge(f.Package, c.Package)
	w := &world{keys: map[retention.ID]string{}, ids: map[string]retention.ID{}}
	b := builder{now: now, container: cmp.Or(p.Type, string(retention.Container)) == string(retention.Container), digests: map[string]string{}}
	inv := retention.Inventory{
		Owner: retention.Owner{
			Login: f.Owner.login(), Kind: retention.OwnerKind(cmp.Or(f.Owner.Kind, string(retention.Organization))),
			ID: retention.ID(cmp.Or(f.Owner.ID, 1)),
		},
		Complete: c.Complete == nil || *c.Complete, ReadAt: now, DeletedListed: true,
	}
	if err := b.versions(c.Versions, w, &inv); err != nil {
		return nil, err
	}
	pkg, err := newPackage(p, inv, now)
	if err != nil {
		return nil, fmt.Errorf("%d: %w", c.line, err)
	}
	inv.Package = pkg
	if !inv.Complete && len(inv.Problems) == 0 {
		inv.Problems = []retention.Problem{{Owner: inv.Owner.Login, Package: inv.Ref().String(), Kind: retention.ProblemIncomplete, Detail: "the case says that it is not complete"}}
	}
	retention.SortVersions(inv.Versions)
	trigger, err := newTrigger(merge(f.Trigger, c.Trigger), w)
	if err != nil {
		return nil, fmt.Errorf("%d: %w", c.line, err)
	}
	w.req = policy.Request{Inventory: inv, EvaluatedAt: now, Trigger: trigger}
	return w, nil
}

func (o ownerSpec) login() string { return cmp.Or(o.Login, "acme") }

func newPackage(p packageSpec, inv retention.Inventory, now time.Time) (retention.Package, error) {
	typ := retention.PackageType(cmp.Or(p.Type, string(retention.Container)))
	if !typ.Valid() {
		return retention.Package{}, fmt.Errorf("package type %q is none of %v", typ, retention.PackageTypes())
	}
	name := "left-pad"
	if typ == retention.Container || typ == retention.Docker {
		name = "team/api"
	}
	out := retention.Package{
		ID: retention.ID(cmp.Or(p.ID, 7)), Name: cmp.Or(p.Name, name), Type: typ, Visibility: cmp.Or(p.Visibility, "private"),
		VersionCount: inv.Active(), State: retention.State(cmp.Or(p.State, string(retention.Active))),
	}
	if out.State != retention.Active && out.State != retention.Deleted {
		return retention.Package{}, fmt.Errorf("state %q is none of active, deleted", out.State)
	}
	if p.VersionCount != nil {
		out.VersionCount = *p.VersionCount
	}
	out.CreatedAt, out.UpdatedAt = now, time.Time{}
	for _, v := range inv.Versions {
		if !v.CreatedAt.IsZero() && v.CreatedAt.Before(out.CreatedAt) {
			out.CreatedAt = v.CreatedAt
		}
		if v.UpdatedAt.After(out.UpdatedAt) {
			out.UpdatedAt = v.UpdatedAt
		}
	}
	if out.UpdatedAt.IsZero() {
		out.UpdatedAt = now
	}
	out.CreatedAt, out.UpdatedAt = p.Age.before(now, out.CreatedAt), p.Idle.before(now, out.UpdatedAt)
	path := strings.ReplaceAll(out.Name, "/", "%2F")
	out.URL = "https://api.github.com/orgs/" + inv.Owner.Login + "/packages/" + string(typ) + "/" + path
	out.HTMLURL = "https://github.com/orgs/" + inv.Owner.Login + "/packages/" + string(typ) + "/package/" + path
	repository := inv.Owner.Login + "/api"
	if p.Repository != nil {
		repository = *p.Repository
	}
	if repository != "" {
		owner, short, ok := strings.Cut(repository, "/")
		if !ok {
			return retention.Package{}, fmt.Errorf("repository %q is not OWNER/NAME", repository)
		}
		out.Repository = &retention.Repository{
			ID: 70, Name: short, FullName: owner + "/" + short, HTMLURL: "https://github.com/" + repository,
			Private: out.Visibility != "public",
		}
		if p.RepoPrivate != nil {
			out.Repository.Private = *p.RepoPrivate
		}
	}
	return out, nil
}

func newTrigger(t triggerSpec, w *world) (retention.Trigger, error) {
	out := retention.Trigger{Kind: retention.TriggerKind(cmp.Or(t.Kind, string(retention.TriggerSchedule)))}
	switch out.Kind {
	case retention.TriggerSchedule, retention.TriggerCLI:
		if t.Event+t.Action+t.Sender+t.Version != "" {
			return out, fmt.Errorf("a %s trigger has no event, action, sender or version; write kind: webhook", out.Kind)
		}
		return out, nil
	case retention.TriggerWebhook:
	default:
		return out, fmt.Errorf("trigger %q is none of schedule, webhook, cli", t.Kind)
	}
	out.Event, out.Action, out.Sender = cmp.Or(t.Event, "package"), cmp.Or(t.Action, "published"), cmp.Or(t.Sender, "octocat")
	if t.Version != "" {
		id, ok := w.ids[t.Version]
		if !ok {
			return out, fmt.Errorf("the trigger names version %q, which is none of the case's", t.Version)
		}
		out.VersionID = id
	}
	return out, nil
}

// builder makes versions and their manifests.
type builder struct {
	now       time.Time
	container bool
	digests   map[string]string // by key
}

func (b *builder) versions(specs []versionSpec, w *world, inv *retention.Inventory) error {
	for i := range specs {
		s := &specs[i]
		first := ""
		if len(s.Tags) > 0 {
			first = s.Tags[0]
		}
		s.Key = cmp.Or(s.Key, s.Name, first)
		id := retention.ID(cmp.Or(s.ID, int64(1000+len(specs)-i))) // the first is the newest of the same age
		switch {
		case s.Key == "" || s.Key == wholePackage:
			return fmt.Errorf("%d: a version needs a key (or a name, or a tag) that is not %q", s.line, wholePackage)
		case w.ids[s.Key] != 0:
			return fmt.Errorf("%d: there are two versions %q; give one of them a key", s.line, s.Key)
		case w.keys[id] != "":
			return fmt.Errorf("%d: versions %q and %q have the same id", s.line, s.Key, w.keys[id])
		}
		w.ids[s.Key], w.keys[id] = id, s.Key
		if b.container {
			b.digests[s.Key] = cmp.Or(s.Name, digestOf(s.Key))
		}
	}
	var nodes []retention.Node
	for i := range specs {
		v, node, err := b.version(&specs[i], w)
		if err != nil {
			return fmt.Errorf("%d: version %s: %w", specs[i].line, specs[i].Key, err)
		}
		inv.Versions = append(inv.Versions, v)
		if node == nil {
			continue
		}
		if specs[i].Unread {
			inv.Complete = false
			inv.Problems = append(inv.Problems, retention.Problem{Owner: inv.Owner.Login, Kind: retention.ProblemIncomplete, Detail: "the manifest of " + specs[i].Key + " could not be read"})
			continue
		}
		nodes = append(nodes, *node)
	}
	inv.Graph = retention.NewGraph(nodes)
	return nil
}

func (b *builder) version(s *versionSpec, w *world) (retention.Version, *retention.Node, error) {
	created := s.Age.before(b.now, b.now.Add(-day))
	if !s.CreatedAt.IsZero() {
		created = s.CreatedAt.UTC()
	}
	updated := s.Idle.before(b.now, created)
	if !s.UpdatedAt.IsZero() {
		updated = s.UpdatedAt.UTC()
	}
	v := retention.Version{
		ID: w.ids[s.Key], Name: cmp.Or(s.Name, s.Key), CreatedAt: created, UpdatedAt: updated, State: retention.Active,
		License: s.License, Description: s.Description,
	}
	v.Tags, v.Referrers = retention.SplitTags(s.Tags)
	if s.Deleted.set {
		v.State, v.DeletedAt = retention.Deleted, s.Deleted.before(b.now, b.now)
		if s.DeletedBy != "" && s.DeletedBy != "other" {
			v.DeletedBy = &retention.DeletedBy{Run: "run-1", Policy: s.DeletedBy}
		}
	} else if s.DeletedBy != "" {
		return v, nil, fmt.Errorf("it has deleted_by but not deleted; say since when, such as deleted: 2d")
	}
	if !b.container {
		if s.Index != nil || s.Subject+s.SignatureOf+s.AttestationOf+s.SBOMOf+s.Platform+s.Kind != "" {
			return v, nil, fmt.Errorf("only containers have manifests; leave out index, platform, kind and what refers to a subject")
		}
		return v, nil, nil
	}
	if s.Name != "" && !strings.HasPrefix(s.Name, "sha256:") {
		return v, nil, fmt.Errorf("the name of a container version is its digest; call it by key, or give it tags")
	}
	v.Name = b.digests[s.Key]
	node, err := b.node(s, &v)
	if err != nil || !v.IsActive() {
		return v, nil, err
	}
	return v, node, nil
}

// node is the manifest of a version. A referrer by tag gives the version its tag.
func (b *builder) node(s *versionSpec, v *retention.Version) (*retention.Node, error) {
	n := &retention.Node{
		Digest: v.Name, Kind: retention.KindImage, MediaType: cmp.Or(s.MediaType, "application/vnd.oci.image.manifest.v1+json"),
		ArtifactType: s.ArtifactType, Platform: s.Platform, SizeBytes: cmp.Or(s.Size, 1000),
	}
	switch {
	case s.Index != nil:
		n.Kind, n.MediaType = retention.KindIndex, cmp.Or(s.MediaType, "application/vnd.oci.image.index.v1+json")
		for _, key := range slices.Concat(*s.Index, s.Missing) {
			if _, ok := b.digests[key]; !ok && !slices.Contains(s.Missing, key) {
				return nil, fmt.Errorf("its index lists %q, which is no version of the case; list it in missing if it is gone", key)
			}
			n.Children = append(n.Children, b.digest(key))
		}
		for _, key := range s.Missing {
			n.Missing = append(n.Missing, b.digest(key))
		}
	case len(s.Missing) > 0:
		return nil, fmt.Errorf("only an index has missing children; write index: [] beside it")
	case s.Subject != "":
		n.Kind, n.Subject = retention.KindArtifact, b.digest(s.Subject)
	case s.SignatureOf != "":
		b.attach(n, v, retention.KindSignature, s.SignatureOf, ".sig")
	case s.AttestationOf != "":
		b.attach(n, v, retention.KindAttestation, s.AttestationOf, ".att")
	case s.SBOMOf != "":
		b.attach(n, v, retention.KindArtifact, s.SBOMOf, ".sbom")
	}
	if n.Kind == retention.KindImage {
		n.Platform = cmp.Or(s.Platform, "linux/amd64")
	}
	if s.Kind != "" {
		n.Kind = retention.ManifestKind(s.Kind)
	}
	kinds := []retention.ManifestKind{retention.KindIndex, retention.KindImage, retention.KindAttestation, retention.KindSignature, retention.KindArtifact, retention.KindUnknown}
	if !slices.Contains(kinds, n.Kind) {
		return nil, fmt.Errorf("kind %q is none of %v", n.Kind, kinds)
	}
	return n, nil
}

func (b *builder) attach(n *retention.Node, v *retention.Version, kind retention.ManifestKind, of, suffix string) {
	n.Kind, n.Subject = kind, b.digest(of)
	v.Referrers = append(v.Referrers, strings.Replace(n.Subject, ":", "-", 1)+suffix)
}

// digest is that of a key; of one that is no version, that of something gone.
func (b *builder) digest(key string) string {
	if strings.HasPrefix(key, "sha256:") {
		return key
	}
	if d, ok := b.digests[key]; ok {
		return d
	}
	return digestOf(key)
}

func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}
