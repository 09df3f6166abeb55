package githubsim

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// registryService is the service that ghcr.io names in its challenge.
const registryService = "ghcr.io"

// pullTokenTTL is how long a bearer token of the registry holds.
const pullTokenTTL = 5 * time.Minute

// pullToken is a bearer token for some repositories. who is nil for anonymous.
type pullToken struct {
	who          *principal
	repositories []string
	expires      time.Time
}

func registryError(status int, code, message string) answer {
	a := jsonAnswer(status, object{"errors": []object{{"code": code, "message": message}}})
	a.header.Set("Content-Type", "application/json")
	a.header.Set("Docker-Distribution-Api-Version", "registry/2.0")
	return a
}

func registryCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case http.StatusForbidden:
		return "DENIED"
	case http.StatusNotFound:
		return "MANIFEST_UNKNOWN"
	case http.StatusTooManyRequests:
		return "TOOMANYREQUESTS"
	}
	return "UNKNOWN"
}

func denied() answer {
	return registryError(http.StatusForbidden, "DENIED", "requested access to the resource is denied")
}

// registryRef is what a registry path names.
type registryRef struct{ owner, name, what, ref string }

// parseRegistryPath splits /v2/<owner>/<name>/<what>/<ref>; names hold slashes,
// so the split is at the last word that can be one.
func parseRegistryPath(seg []string) (registryRef, bool) {
	for i := len(seg) - 2; i >= 3; i-- {
		if slices.Contains([]string{"manifests", "blobs", "tags", "referrers"}, seg[i]) {
			return registryRef{seg[1], strings.Join(seg[2:i], "/"), seg[i], strings.Join(seg[i+1:], "/")}, true
		}
	}
	return registryRef{}, false
}

// registry answers /v2/: the challenge, manifests, blobs and tags. It can't be
// pushed to; versions are published over Publish.
func (s *Server) registry(q *request) answer {
	ref, named := parseRegistryPath(q.segments)
	repository := ref.owner + "/" + ref.name
	if !named {
		repository = "user/image"
	}
	token, ok := s.bearer(q)
	if !ok {
		return s.challenge(q, repository)
	}
	q.who = token.who
	if q.path == "/v2/" || q.path == "/v2" {
		return answer{status: http.StatusOK, header: http.Header{"Docker-Distribution-Api-Version": {"registry/2.0"}}}
	}
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		return registryError(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
	}
	if !named {
		return registryError(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	}
	if !slices.Contains(token.repositories, strings.ToLower(repository)) {
		return denied()
	}
	p, refused := s.pullable(token.who, ref)
	if p == nil {
		return refused
	}
	switch ref.what {
	case "manifests":
		return s.manifest(q, p, ref.ref)
	case "blobs":
		return blob(p, ref.ref)
	case "tags":
		return tagList(p, repository)
	}
	return manifestUnknown()
}

func manifestUnknown() answer {
	return registryError(http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
}

func (s *Server) bearer(q *request) (pullToken, bool) {
	scheme, raw, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	token, ok := s.pullTokens[raw]
	return token, ok && strings.EqualFold(scheme, "bearer") && q.now.Before(token.expires)
}

func (s *Server) challenge(q *request, repository string) answer {
	a := registryError(http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	a.header.Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="%s",scope="repository:%s:pull"`, q.root, registryService, repository))
	return a
}

// pullTokenFor answers GET /token. As on ghcr.io, logging in succeeds for any
// good credential; whether it may pull shows at the pull. Anonymous callers
// get a token for public packages only.
func (s *Server) pullTokenFor(q *request) answer {
	if q.r.Method != http.MethodGet {
		return registryError(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
	}
	t := pullToken{expires: q.now.Add(pullTokenTTL)}
	if raw := credential(q.r); raw != "" {
		if t.who = s.identify(raw, q.now); t.who == nil {
			return denied()
		}
		q.who = t.who
	}
	for _, scopes := range q.r.URL.Query()["scope"] {
		for sc := range strings.FieldsSeq(scopes) {
			kind, rest, _ := strings.Cut(sc, ":")
			name, _, _ := strings.Cut(rest, ":")
			if kind != "repository" {
				continue
			}
			if t.who == nil && !s.isPublic(name) {
				return denied()
			}
			t.repositories = append(t.repositories, strings.ToLower(name))
		}
	}
	raw := fmt.Sprintf("djE6%08x%04x", stableID(q.id), len(s.pullTokens))
	s.pullTokens[raw] = t
	a := jsonAnswer(http.StatusOK, object{"token": raw, "expires_in": int(pullTokenTTL / time.Second)})
	a.header.Set("Content-Type", "application/json")
	return a
}

func (s *Server) isPublic(repository string) bool {
	login, name, _ := strings.Cut(repository, "/")
	o := s.owner(login)
	if o == nil {
		return false
	}
	p := o.packageNamed(retention.Container, name)
	return p != nil && p.visibility == "public"
}

// pullable finds the package if the caller may pull it.
func (s *Server) pullable(who *principal, ref registryRef) (*pkg, answer) {
	var p *pkg
	if o := s.owner(ref.owner); o != nil {
		p = o.packageNamed(retention.Container, ref.name)
	}
	if p == nil {
		return nil, registryError(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	}
	if p.visibility == "public" {
		return p, answer{}
	}
	if who == nil || !who.sees(p) {
		return nil, denied()
	}
	if who.inst == nil && !who.hasScope("read:packages") {
		return nil, denied()
	}
	if who.inst != nil && (who.permissions["packages"] == "" || who.inst.spec.Suspended || s.seed.AppTokensAccepted != nil && !*s.seed.AppTokensAccepted) {
		return nil, denied()
	}
	return p, answer{}
}

// manifest answers for a tag or digest. A GET counts as a download.
func (s *Server) manifest(q *request, p *pkg, ref string) answer {
	v := p.activeTagged(ref)
	if strings.HasPrefix(ref, "sha256:") {
		v = p.activeNamed(ref)
	}
	if v == nil || v.manifest == nil || v.manifest.spec.RegistryMissing {
		return manifestUnknown()
	}
	if status := v.manifest.spec.ManifestStatus; status != 0 {
		return registryError(status, registryCode(status), http.StatusText(status))
	}
	media := v.manifest.descriptor.MediaType
	if !accepts(q.r, media) {
		return registryError(http.StatusNotFound, "MANIFEST_UNKNOWN", notAccepted(media))
	}
	if q.r.Method == http.MethodGet {
		v.downloads++
	}
	raw := v.manifest.raw
	if v.manifest.spec.Corrupt {
		raw = bytes.Replace(raw, []byte(`"schemaVersion":2`), []byte(`"schemaVersion":3`), 1)
	}
	return answer{status: http.StatusOK, body: raw, header: http.Header{
		"Content-Type":                    {string(media)},
		"Docker-Content-Digest":           {v.name},
		"Docker-Distribution-Api-Version": {"registry/2.0"},
		"Etag":                            {`"` + v.name + `"`},
	}}
}

// accepts reports whether the Accept headers name the media type. Wildcards
// are not enough.
func accepts(r *http.Request, media types.MediaType) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			if typ, _, err := mime.ParseMediaType(strings.TrimSpace(part)); err == nil && typ == string(media) {
				return true
			}
		}
	}
	return false
}

func notAccepted(media types.MediaType) string {
	switch media {
	case types.OCIImageIndex:
		return "OCI index found, but Accept header does not support OCI indexes"
	case types.OCIManifestSchema1:
		return "OCI manifest found, but Accept header does not support OCI manifests"
	case types.DockerManifestList:
		return "Manifest list found, but Accept header does not support manifest lists"
	}
	return "manifest unknown"
}

// blob answers for configs and layers. Those of deleted versions stay.
func blob(p *pkg, digest string) answer {
	raw, ok := p.blobs[digest]
	if !ok {
		return registryError(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
	}
	return answer{status: http.StatusOK, body: raw, header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Docker-Content-Digest": {digest},
		"Content-Length": {strconv.Itoa(len(raw))},
	}}
}

func tagList(p *pkg, repository string) answer {
	tags := []string{}
	for _, v := range p.versions {
		if v.active() && !v.manifest.spec.RegistryMissing {
			tags = append(tags, v.tags...)
		}
	}
	slices.Sort(tags)
	a := jsonAnswer(http.StatusOK, object{"name": repository, "tags": tags})
	a.header.Set("Content-Type", "application/json")
	return a
}
