package githubsim

import (
	"fmt"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

var (
	loginPattern    = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})$`)
	tagPattern      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	repoPattern     = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	imagePattern    = regexp.MustCompile(`^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9._-]+/[a-z0-9._-]+(?:/[a-z0-9._-]+)?$`)
)

// check finds what is wrong with a seed before anything is built from it. The
// error names owner, package and version.
func (s Seed) check() error {
	logins, ids := map[string]bool{}, map[int64]string{}
	for i, o := range s.Owners {
		if !loginPattern.MatchString(o.Login) {
			return fmt.Errorf("owners[%d]: login %q is not a GitHub login", i, o.Login)
		}
		if logins[strings.ToLower(o.Login)] {
			return fmt.Errorf("owners[%d]: login %q is there twice", i, o.Login)
		}
		logins[strings.ToLower(o.Login)] = true
		if o.Kind != "" && o.Kind != retention.Organization && o.Kind != retention.User {
			return fmt.Errorf("%s: kind %q is neither organization nor user", o.Login, o.Kind)
		}
		if err := o.check(ids); err != nil {
			return fmt.Errorf("%s: %w", o.Login, err)
		}
	}
	if s.UsersState != "" && s.UsersState != "ignored" {
		return fmt.Errorf("users_state %q: the only word is ignored", s.UsersState)
	}
	if err := checkTokens(s.Tokens); err != nil {
		return err
	}
	if err := s.checkApps(logins); err != nil {
		return err
	}
	if r := s.RateLimits; r != nil {
		if r.Status != 0 && r.Status != http.StatusForbidden && r.Status != http.StatusTooManyRequests {
			return fmt.Errorf("rate_limits: status %d is neither 403 nor 429", r.Status)
		}
		if r.Limit < 0 || r.SecondaryPointsPerMinute < 0 || r.Concurrent < 0 {
			return fmt.Errorf("rate_limits: a limit is negative")
		}
	}
	return checkFaults(s.Faults)
}

func (s Seed) checkApps(logins map[string]bool) error {
	apps, installations := map[int64]bool{}, map[int64]bool{}
	for i, a := range s.Apps {
		if a.AppID <= 0 || apps[a.AppID] {
			return fmt.Errorf("apps[%d]: app_id %d is not a positive number of its own", i, a.AppID)
		}
		apps[a.AppID] = true
		if _, err := a.publicKey(); err != nil {
			return fmt.Errorf("apps[%d]: %w", i, err)
		}
		for _, in := range a.Installations {
			if in.ID <= 0 || installations[in.ID] {
				return fmt.Errorf("apps[%d]: installation id %d is not a positive number of its own", i, in.ID)
			}
			installations[in.ID] = true
			if !logins[strings.ToLower(in.Owner)] {
				return fmt.Errorf("apps[%d]: installation %d: owner %q is not in the seed", i, in.ID, in.Owner)
			}
		}
	}
	return nil
}

func checkTokens(tokens []Token) error {
	for i, t := range tokens {
		if t.Token == "" || t.Login == "" {
			return fmt.Errorf("tokens[%d]: token and login must both be there", i)
		}
		for _, glob := range t.Packages {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Errorf("tokens[%d]: packages glob %q: %w", i, glob, err)
			}
		}
	}
	return nil
}

func (o Owner) check(ids map[int64]string) error {
	if err := checkTokens(o.Tokens); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, p := range o.Packages {
		where := fmt.Sprintf("%s/%s", p.Type, p.Name)
		if p.Name == "" || !p.Type.Valid() {
			return fmt.Errorf("packages[%d]: name %q or package_type %q is missing or unknown", i, p.Name, p.Type)
		}
		if names[where] && p.DeletedAt.IsZero() {
			return fmt.Errorf("%s: the package is there twice", where)
		}
		names[where] = names[where] || p.DeletedAt.IsZero()
		if err := p.check(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		for _, v := range p.Versions {
			if err := claimID(ids, v.ID, where+"@"+v.key()); err != nil {
				return err
			}
		}
	}
	return nil
}

func claimID(ids map[int64]string, id int64, where string) error {
	if id < 0 {
		return fmt.Errorf("%s: id %d is negative", where, id)
	}
	if id == 0 {
		return nil
	}
	if other, taken := ids[id]; taken {
		return fmt.Errorf("%s: id %d is also that of %s", where, id, other)
	}
	ids[id] = where
	return nil
}

func (p Package) check() error {
	if p.Type == retention.Container && !imagePattern.MatchString(p.Name) {
		return fmt.Errorf("name %q is not a container image name", p.Name)
	}
	if p.Visibility != "" && !slices.Contains([]string{"public", "private", "internal"}, p.Visibility) {
		return fmt.Errorf("visibility %q is none of public, private, internal", p.Visibility)
	}
	if p.Repository != "" && !repoPattern.MatchString(p.Repository) {
		return fmt.Errorf("repository %q is not owner/name", p.Repository)
	}
	return checkVersions(p.Type, p.Versions, nil)
}

// checkVersions checks the versions of one package against each other and the
// keys that are already there.
func checkVersions(typ retention.PackageType, versions []Version, existing map[string]bool) error {
	known := make(map[string]bool, len(versions)+len(existing))
	for k := range existing {
		known[k] = true
	}
	seen, tagged := map[string]bool{}, map[string]string{}
	for i, v := range versions {
		key := v.key()
		if key == "" {
			return fmt.Errorf("versions[%d]: it has neither key nor name", i)
		}
		if seen[key] {
			return fmt.Errorf("version key %q is there twice", key)
		}
		seen[key], known[key] = true, true
		if err := v.check(typ); err != nil {
			return fmt.Errorf("version %q: %w", key, err)
		}
		if !v.DeletedAt.IsZero() {
			continue
		}
		for _, tag := range v.Tags {
			if other, taken := tagged[tag]; taken {
				return fmt.Errorf("version %q: tag %q is also that of %q", key, tag, other)
			}
			tagged[tag] = key
		}
	}
	for _, v := range versions {
		for _, ref := range v.references() {
			if !known[ref] {
				return fmt.Errorf("version %q refers to %q, which is not in the package", v.key(), ref)
			}
		}
	}
	return checkCycles(versions)
}

func (v Version) key() string {
	if v.Key != "" {
		return v.Key
	}
	return v.Name
}

// references lists every key that v names; contentReferences those whose digest
// is part of v's own content.
func (v Version) references() []string {
	refs := v.contentReferences()
	for _, ref := range []string{v.CosignSignatureOf, v.CosignAttestationOf, v.CosignSBOMOf, v.FallbackReferrersOf, v.BuildkitAttestationOf} {
		if ref != "" {
			refs = append(refs, ref)
		}
	}
	return refs
}

func (v Version) contentReferences() []string {
	refs := slices.Clone(v.Index)
	if v.Subject != "" {
		refs = append(refs, v.Subject)
	}
	return refs
}

func (v Version) isIndex() bool { return v.Index != nil || v.FallbackReferrersOf != "" }

func (v Version) check(typ retention.PackageType) error {
	for _, tag := range v.Tags {
		if !tagPattern.MatchString(tag) {
			return fmt.Errorf("tag %q is not a valid tag", tag)
		}
	}
	if v.Downloads < 0 {
		return fmt.Errorf("downloads %d is negative", v.Downloads)
	}
	if typ != retention.Container {
		return v.checkPlain(typ)
	}
	if v.Name != "" {
		return fmt.Errorf("name %q: a container version is named by its digest; use key", v.Name)
	}
	if v.Platform != "" && !platformPattern.MatchString(v.Platform) {
		return fmt.Errorf("platform %q is not os/arch", v.Platform)
	}
	if v.ManifestStatus != 0 && (v.ManifestStatus < 400 || v.ManifestStatus > 599) {
		return fmt.Errorf("manifest_status %d is not an error status", v.ManifestStatus)
	}
	shapes := 0
	for _, is := range []bool{v.isIndex() || v.Subject != "", v.CosignSignatureOf != "", v.CosignAttestationOf != "", v.CosignSBOMOf != "", v.BuildkitAttestationOf != ""} {
		if is {
			shapes++
		}
	}
	if shapes > 1 {
		return fmt.Errorf("it has %d shapes; a version is an index, a referrer or an attestation, not several", shapes)
	}
	return nil
}

func (v Version) checkPlain(typ retention.PackageType) error {
	if v.Name == "" {
		return fmt.Errorf("a version of type %s needs a name", typ)
	}
	if len(v.Tags) > 0 && typ != retention.Docker {
		return fmt.Errorf("a version of type %s has no tags", typ)
	}
	if v.isIndex() || len(v.references()) > 0 || v.Platform != "" || v.MediaType != "" || v.ArtifactType != "" ||
		v.ConfigMediaType != "" || v.ManifestStatus != 0 || v.Corrupt || v.RegistryMissing || v.Unlisted || v.Missing {
		return fmt.Errorf("a version of type %s has no manifest, and so none of its fields", typ)
	}
	return nil
}

// checkCycles refuses content that would have to hold its own digest.
func checkCycles(versions []Version) error {
	specs := make(map[string]Version, len(versions))
	for _, v := range versions {
		specs[v.key()] = v
	}
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(key string) error
	visit = func(key string) error {
		switch state[key] {
		case visiting:
			return fmt.Errorf("version %q refers to itself over its index or subject", key)
		case done:
			return nil
		}
		state[key] = visiting
		for _, ref := range specs[key].contentReferences() {
			if err := visit(ref); err != nil {
				return err
			}
		}
		state[key] = done
		return nil
	}
	for _, v := range versions {
		if err := visit(v.key()); err != nil {
			return err
		}
	}
	return nil
}
