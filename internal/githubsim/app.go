package githubsim

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// The answers to a JWT that GitHub does not take, word for word.
const (
	msgJWTUnreadable = "A JSON web token could not be decoded"
	msgJWTIssuedAt   = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	msgJWTExpired    = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	msgJWTTooFar     = "'Expiration time' claim ('exp') is too far in the future"
	msgNotGranted    = "The permissions requested are not granted to this installation."
)

const (
	maxJWTAge       = 10 * time.Minute
	installationTTL = time.Hour
	appDocs         = docsRoot + "/apps/apps"
)

type app struct {
	spec App
	key  *rsa.PublicKey
}

type installation struct {
	spec  Installation
	app   *app
	owner *owner
}

// publicKey reads the key that the App's JWTs are checked with.
func (a App) publicKey() (*rsa.PublicKey, error) {
	switch {
	case a.PublicKeyPEM != "":
		return jwt.ParseRSAPublicKeyFromPEM([]byte(a.PublicKeyPEM))
	case a.PrivateKeyPEM != "":
		key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(a.PrivateKeyPEM))
		if err != nil {
			return nil, err
		}
		return &key.PublicKey, nil
	}
	return nil, errors.New("it needs public_key_pem or private_key_pem")
}

func (s *Server) readApps(specs []App) error {
	s.apps = make(map[int64]*app, len(specs))
	for _, spec := range specs {
		key, err := spec.publicKey()
		if err != nil {
			return fmt.Errorf("app %d: %w", spec.AppID, err)
		}
		s.apps[spec.AppID] = &app{spec: spec, key: key}
	}
	return nil
}

func (s *Server) installations(a *app) []*installation {
	list := make([]*installation, len(a.spec.Installations))
	for i, spec := range a.spec.Installations {
		list[i] = &installation{spec: spec, app: a, owner: s.owner(spec.Owner)}
	}
	return list
}

// appAPI routes what an App asks for with its JWT.
func (s *Server) appAPI(q *request) answer {
	a, refused, ok := s.appOf(q)
	if !ok {
		return refused
	}
	seg, method := q.segments, q.r.Method
	switch {
	case q.path == "/app" && method == http.MethodGet:
		return jsonAnswer(http.StatusOK, s.appJSON(q, a))
	case q.path == "/app/installations" && method == http.MethodGet:
		return listAnswer(q, pageOf(q), s.installations(a), func(in *installation) any { return in.json(q) })
	case len(seg) >= 3 && seg[1] == "installations":
		return s.installationAPI(q, a, seg[2:])
	case len(seg) == 3 && seg[2] == "installation" && method == http.MethodGet:
		return s.ownerInstallation(q, a)
	case len(seg) >= 3 && seg[1] == "hook" && seg[2] == "deliveries":
		return s.hookAPI(q, a, seg[3:])
	}
	return notFound()
}

// appOf checks the JWT against the key of the App it names, by the simulator's
// clock and without leeway.
func (s *Server) appOf(q *request) (*app, answer, bool) {
	refuse := func(status int, msg string) (*app, answer, bool) { return nil, fail(status, msg, docsRoot), false }
	raw := credential(q.r)
	if raw == "" {
		return refuse(http.StatusUnauthorized, msgJWTUnreadable)
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	if _, _, err := parser.ParseUnverified(raw, claims); err != nil {
		return refuse(http.StatusUnauthorized, msgJWTUnreadable)
	}
	a := s.apps[issuer(claims)]
	if a == nil {
		return refuse(http.StatusNotFound, "Integration not found")
	}
	if _, err := parser.Parse(raw, func(*jwt.Token) (any, error) { return a.key, nil }); err != nil {
		return refuse(http.StatusUnauthorized, msgJWTUnreadable)
	}
	if msg := checkTimes(claims, q.now); msg != "" {
		return refuse(http.StatusUnauthorized, msg)
	}
	return a, answer{}, true
}

func issuer(claims jwt.MapClaims) int64 {
	switch iss := claims["iss"].(type) {
	case string:
		n, err := strconv.ParseInt(iss, 10, 64)
		if err != nil {
			return 0
		}
		return n
	case float64:
		return int64(iss)
	}
	return 0
}

// checkTimes is what GitHub says of the claims iat and exp, or "".
func checkTimes(claims jwt.MapClaims, now time.Time) string {
	iat, ok := claims["iat"].(float64)
	if !ok || int64(iat) > now.Unix() {
		return msgJWTIssuedAt
	}
	exp, ok := claims["exp"].(float64)
	switch {
	case !ok || int64(exp) <= now.Unix():
		return msgJWTExpired
	case int64(exp) > now.Add(maxJWTAge).Unix():
		return msgJWTTooFar
	}
	return ""
}

func (s *Server) appJSON(q *request, a *app) object {
	owner, id, typ := a.spec.Owner, stableID(a.spec.Owner), "Organization"
	if o := s.owner(owner); o != nil {
		owner, id, typ = o.login, o.id, typeOf(o)
	}
	permissions := map[string]string{}
	for _, in := range a.spec.Installations {
		for name, level := range in.Permissions {
			permissions[name] = level
		}
	}
	return object{
		"id": a.spec.AppID, "node_id": nodeID("App", a.spec.AppID), "slug": a.slug(), "name": a.slug(),
		"owner": simpleUser(q.base, owner, id, typ), "description": nil, "external_url": "https://example.com",
		"html_url": "https://github.com/apps/" + a.slug(), "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
		"permissions": permissions, "events": a.events(), "installations_count": len(a.spec.Installations),
	}
}

func (a *app) slug() string {
	if a.spec.Slug != "" {
		return a.spec.Slug
	}
	return fmt.Sprintf("app-%d", a.spec.AppID)
}

func (a *app) events() []string {
	if a.spec.Events == nil {
		return []string{"registry_package"}
	}
	return a.spec.Events
}

func (in *installation) json(q *request) object {
	out := object{
		"id": in.spec.ID, "account": simpleUser(q.base, in.owner.login, in.owner.id, typeOf(in.owner)),
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", q.base, in.spec.ID),
		"repositories_url":  q.base + "/installation/repositories",
		"html_url":          fmt.Sprintf("https://github.com/organizations/%s/settings/installations/%d", in.owner.login, in.spec.ID),
		"app_id":            in.app.spec.AppID, "app_slug": in.app.slug(), "target_id": in.owner.id, "target_type": typeOf(in.owner),
		"permissions": in.spec.Permissions, "events": in.app.events(), "repository_selection": "all",
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "suspended_by": nil, "suspended_at": nil,
	}
	if in.spec.Suspended {
		out["suspended_at"] = "2020-02-01T00:00:00Z"
		out["suspended_by"] = simpleUser(q.base, in.owner.login, in.owner.id, typeOf(in.owner))
	}
	return out
}

func (s *Server) ownerInstallation(q *request, a *app) answer {
	for _, in := range s.installations(a) {
		if strings.EqualFold(in.owner.login, q.segments[1]) && string(in.owner.scope()) == q.segments[0] {
			return jsonAnswer(http.StatusOK, in.json(q))
		}
	}
	return notFound()
}

func (s *Server) installationAPI(q *request, a *app, seg []string) answer {
	list := s.installations(a)
	i := slices.IndexFunc(list, func(in *installation) bool { return strconv.FormatInt(in.spec.ID, 10) == seg[0] })
	if i < 0 {
		return notFound()
	}
	switch {
	case len(seg) == 1 && q.r.Method == http.MethodGet:
		return jsonAnswer(http.StatusOK, list[i].json(q))
	case len(seg) == 2 && seg[1] == "access_tokens" && q.r.Method == http.MethodPost:
		return s.mint(q, list[i])
	}
	return notFound()
}

// mint makes an installation token with the permissions asked for, which may
// only narrow those of the installation.
func (s *Server) mint(q *request, in *installation) answer {
	docs := appDocs + "#create-an-installation-access-token-for-an-app"
	if in.spec.Suspended {
		return fail(http.StatusForbidden, "This installation has been suspended", docs)
	}
	var want struct {
		Permissions map[string]string `json:"permissions"`
	}
	raw, err := q.readBody()
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &want)
	}
	if err != nil {
		return fail(http.StatusBadRequest, "Problems parsing JSON", docs)
	}
	permissions := in.spec.Permissions
	if len(want.Permissions) > 0 {
		permissions = want.Permissions
	}
	levels := []string{"", "read", "write", "admin"}
	for name, level := range permissions {
		if asked := slices.Index(levels, level); asked < 1 || asked > slices.Index(levels, in.spec.Permissions[name]) {
			return fail(http.StatusUnprocessableEntity, msgNotGranted, docs)
		}
	}
	expires := stamp(q.now).Add(installationTTL)
	token := installationToken(in, q, len(s.minted))
	s.minted[token] = &principal{
		login: in.app.slug() + "[bot]", inst: in, permissions: permissions, owners: []*owner{in.owner}, expires: expires,
	}
	return jsonAnswer(http.StatusCreated, object{
		"token": token, "expires_at": timestamp(expires), "permissions": permissions, "repository_selection": "all",
	})
}

// installationToken has the form that GitHub moved to in 2026,
// ghs_APPID_JWT: long, and with dots.
func installationToken(in *installation, q *request, n int) string {
	enc := base64.RawURLEncoding.EncodeToString
	head := enc([]byte(`{"alg":"RS256","typ":"JWT"}`))
	body := enc(fmt.Appendf(nil, `{"iss":"github.com","sub":"installation:%d","jti":%d,"iat":%d}`, in.spec.ID, n, q.now.Unix()))
	sum := sha256.Sum256([]byte(q.id + body))
	return fmt.Sprintf("ghs_%d_%s.%s.%s", in.app.spec.AppID, head, body, enc([]byte(hex.EncodeToString(sum[:]))))
}
