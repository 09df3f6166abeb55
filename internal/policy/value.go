package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// Value builds the document as OPA's own values. It equals what OPA would make
// of the document's JSON, without the detour: at a thousand versions the
// detour costs more than the evaluation.
func (in Input) Value() ast.Value { return in.value(&terms{}) }

func (in Input) value(b *terms) ast.Value {
	versions := make([]*ast.Term, len(in.Versions))
	for i := range in.Versions {
		versions[i] = in.Versions[i].term(b)
	}
	return newObject(inputKeys, []*ast.Term{
		b.text(in.Contract), b.text(in.EvaluatedAt), in.Trigger.term(b), in.Owner.term(b),
		in.Package.term(b), boolean(in.Complete), b.term(ast.NewArray(versions...)),
	})
}

// The keys of every object, in the order in which the builders below give the
// values. Terms are never changed, so all documents share them.
var (
	inputKeys     = keys("contract", "evaluated_at", "trigger", "owner", "package", "complete", "versions")
	triggerKeys   = keys("kind", "event", "action", "sender", "version_id")
	ownerKeys     = keys("login", "kind", "id")
	packageKeys   = keys("id", "name", "package_type", "visibility", "version_count", "html_url", "url", "created_at", "updated_at", "owner", "repository", "state", "age_days", "idle_days")
	repoKeys      = keys("id", "name", "full_name", "private", "html_url")
	versionKeys   = keys("id", "name", "created_at", "updated_at", "deleted_at", "html_url", "license", "description", "state", "tags", "tagged", "age_days", "idle_days", "rank", "rank_tagged", "rank_untagged", "rank_root", "semver", "rank_semver", "rank_prerelease", "root", "oci", "deleted_by", "restorable_days")
	semverKeys    = keys("version", "major", "minor", "patch", "prerelease", "build")
	ociKeys       = keys("kind", "media_type", "artifact_type", "children", "parents", "missing", "subject", "platform", "size_bytes")
	deletedByKeys = keys("by", "run", "policy")
)

func keys(names ...string) []*ast.Term {
	out := make([]*ast.Term, len(names))
	for i, n := range names {
		out[i] = ast.StringTerm(n)
	}
	return out
}

func (t InputTrigger) term(b *terms) *ast.Term {
	return b.object(triggerKeys, []*ast.Term{
		b.text(t.Kind), b.textIfAny(t.Event), b.textIfAny(t.Action), b.textIfAny(t.Sender), b.textIfAny(t.VersionID),
	})
}

func (o InputOwner) term(b *terms) *ast.Term {
	return b.object(ownerKeys, []*ast.Term{b.text(o.Login), b.text(o.Kind), b.text(o.ID)})
}

func (p *InputPackage) term(b *terms) *ast.Term {
	return b.object(packageKeys, []*ast.Term{
		b.text(p.ID), b.text(p.Name), b.text(p.PackageType), b.text(p.Visibility), ast.InternedTerm(p.VersionCount),
		b.text(p.HTMLURL), b.text(p.URL), b.nullableText(p.CreatedAt), b.nullableText(p.UpdatedAt), p.Owner.term(b),
		p.Repository.term(b), b.text(p.State), b.age(p.AgeDays), b.age(p.IdleDays),
	})
}

func (r *InputRepository) term(b *terms) *ast.Term {
	if r == nil {
		return nil
	}
	return b.object(repoKeys, []*ast.Term{
		b.text(r.ID), b.text(r.Name), b.text(r.FullName), boolean(r.Private), b.text(r.HTMLURL),
	})
}

func (v *InputVersion) term(b *terms) *ast.Term {
	created, age := b.nullableText(v.CreatedAt), b.age(v.AgeDays)
	updated, idle := created, age
	if v.CreatedAt == nil || v.UpdatedAt == nil || *v.CreatedAt != *v.UpdatedAt {
		updated, idle = b.nullableText(v.UpdatedAt), b.age(v.IdleDays)
	}
	values := [...]*ast.Term{
		b.text(v.ID), b.text(v.Name), created, updated, b.nullableText(v.DeletedAt),
		b.nullableText(v.HTMLURL), b.nullableText(v.License), b.nullableText(v.Description), b.word(v.State), b.texts(v.Tags),
		boolean(v.Tagged), age, idle, b.nullableInt(v.Rank),
		b.nullableInt(v.RankTagged), b.nullableInt(v.RankUntagged), b.nullableInt(v.RankRoot), v.Semver.term(b),
		b.nullableInt(v.RankSemver), b.nullableInt(v.RankPrerelease), boolean(v.Root), v.OCI.term(b), v.DeletedBy.term(b),
		b.left(v.RestorableDays),
	}
	return b.object(versionKeys, values[:])
}

func (s *InputSemver) term(b *terms) *ast.Term {
	if s == nil {
		return nil
	}
	return b.object(semverKeys, []*ast.Term{
		b.text(s.Version), b.unsigned(s.Major), b.unsigned(s.Minor), b.unsigned(s.Patch), b.text(s.Prerelease), b.text(s.Build),
	})
}

func (o *InputOCI) term(b *terms) *ast.Term {
	if o == nil {
		return nil
	}
	return b.object(ociKeys, []*ast.Term{
		b.word(o.Kind), b.word(o.MediaType), b.nullableText(o.ArtifactType), b.texts(o.Children), b.texts(o.Parents),
		b.texts(o.Missing), b.nullableText(o.Subject), b.nullableText(o.Platform), b.integer(o.SizeBytes),
	})
}

func (d *InputDeletedBy) term(b *terms) *ast.Term {
	if d == nil {
		return nil
	}
	return b.object(deletedByKeys, []*ast.Term{b.text(d.By), b.textIfAny(d.Run), b.textIfAny(d.Policy)})
}

// newObject pairs keys with values and leaves out those without a value.
func newObject(keys, values []*ast.Term) ast.Object {
	var room [24][2]*ast.Term
	pairs := room[:0]
	for i, v := range values {
		if v != nil {
			pairs = append(pairs, [2]*ast.Term{keys[i], v})
		}
	}
	return ast.NewObject(pairs...)
}
