package githubsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Delivery is one attempt to deliver a webhook. A redelivery has the GUID of
// the first attempt and an ID of its own.
type Delivery struct {
	ID             int64           `json:"id"`
	GUID           string          `json:"guid"` // X-GitHub-Delivery
	DeliveredAt    time.Time       `json:"delivered_at"`
	Redelivery     bool            `json:"redelivery"`
	Event          string          `json:"event"`
	Action         string          `json:"action"`
	InstallationID int64           `json:"installation_id,omitempty"`
	StatusCode     int             `json:"status_code"` // 0: no answer
	Status         string          `json:"status"`      // what came of it, in words
	Payload        json.RawMessage `json:"payload,omitempty"`
}

type delivery struct{ Delivery }

// Deliveries returns all attempts so far, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, len(s.deliveries))
	for i, d := range s.deliveries {
		out[i] = d.Delivery
	}
	return out
}

// announce prepares the deliveries for one version: one per configured event,
// none where there is no webhook or its App is not installed on the owner.
func (s *Server) announce(p *pkg, v *version, action, sender string) []*delivery {
	hook := s.seed.Webhook
	if hook == nil || hook.URL == "" {
		return nil
	}
	var in *installation
	if a := s.apps[hook.AppID]; a != nil {
		for _, candidate := range s.installations(a) {
			if candidate.owner == p.owner && !candidate.spec.Suspended {
				in = candidate
			}
		}
	}
	if hook.AppID != 0 && in == nil {
		return nil
	}
	events := hook.Events
	if len(events) == 0 {
		events = []string{"package"}
	}
	var out []*delivery
	for _, event := range events {
		d := &delivery{Delivery{
			GUID: guid(len(s.deliveries)+len(out), v.id), Event: event, Action: action,
			Payload: jsonAnswer(http.StatusOK, s.payload(p, v, event, action, sender, in)).body,
		}}
		if in != nil {
			d.InstallationID = in.spec.ID
		}
		out = append(out, s.record(d, false))
	}
	return out
}

// record keeps the attempt and gives it its id.
func (s *Server) record(d *delivery, redelivery bool) *delivery {
	d.ID, d.Redelivery, d.DeliveredAt = int64(len(s.deliveries)+1), redelivery, stamp(s.now())
	s.deliveries = append(s.deliveries, d)
	return d
}

func guid(n int, id int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", n, id))
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// deliver posts the payload and notes what came of it. Nothing is retried:
// GitHub does not either.
func (s *Server) deliver(ctx context.Context, d *delivery) {
	code, status := s.post(ctx, d)
	s.mu.Lock()
	defer s.mu.Unlock()
	d.StatusCode, d.Status = code, status
}

func (s *Server) post(ctx context.Context, d *delivery) (int, string) {
	hook := s.seed.Webhook
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return 0, err.Error()
	}
	mac := hmac.New(sha256.New, []byte(hook.Secret))
	mac.Write(d.Payload)
	target := "organization"
	if hook.AppID != 0 {
		target = "integration"
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/5f1a2b3", "Accept": "*/*",
		"X-GitHub-Event": d.Event, "X-GitHub-Delivery": d.GUID, "X-GitHub-Hook-ID": "4242",
		"X-GitHub-Hook-Installation-Target-ID":   strconv.FormatInt(max(hook.AppID, 1), 10),
		"X-GitHub-Hook-Installation-Target-Type": target,
		"X-Hub-Signature-256":                    "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "failed to connect to host: " + err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxBodyBytes)); err != nil {
		return resp.StatusCode, err.Error()
	}
	if resp.StatusCode/100 == 2 {
		return resp.StatusCode, "OK"
	}
	return resp.StatusCode, "Invalid HTTP Response: " + strconv.Itoa(resp.StatusCode)
}

// payload has the shape of GitHub's live events, with what is odd about them:
// metadata is an array, the type is in capitals, body is an object for
// containers and a string elsewhere, a container version has no dates, and an
// untagged one an empty tag name.
func (s *Server) payload(p *pkg, v *version, event, action, sender string, in *installation) object {
	base := s.baseURL
	if base == "" {
		base = "https://api.github.com"
	}
	upper := strings.ToUpper(string(p.typ))
	who := simpleUser(base, p.owner.login, p.owner.id, typeOf(p.owner))
	if sender != "" && !strings.EqualFold(sender, p.owner.login) {
		who = simpleUser(base, sender, stableID(strings.ToLower(sender)), "User")
	}
	packageJSON := object{
		"id": p.id, "name": p.name, "namespace": p.owner.login, "description": "", "ecosystem": upper, "package_type": upper,
		"html_url": p.htmlURL(), "created_at": timestamp(p.created), "updated_at": timestamp(p.updated),
		"owner":           simpleUser(base, p.owner.login, p.owner.id, typeOf(p.owner)),
		"package_version": payloadVersion(p, v, who),
		"registry": object{
			"about_url": "https://docs.github.com/packages/learn-github-packages/introduction-to-github-packages",
			"name":      "GitHub " + upper + " registry", "type": upper, "vendor": "GitHub Inc",
			"url": "https://" + upper + ".pkg.github.com/" + p.owner.login,
		},
	}
	out := object{"action": action, event: packageJSON, "sender": who}
	if p.repository != "" {
		out["repository"] = repositoryJSON(base, p)
	}
	if p.owner.kind == retention.Organization {
		out["organization"] = accountOf(base, p.owner)
	}
	if in != nil {
		out["installation"] = object{"id": in.spec.ID, "node_id": nodeID("Installation", in.spec.ID)}
	}
	return out
}

func accountOf(base string, o *owner) object {
	api := base + "/orgs/" + o.login
	return object{
		"login": o.login, "id": o.id, "node_id": nodeID("Organization", o.id), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues",
		"members_url": api + "/members{/member}", "public_members_url": api + "/public_members{/member}",
		"avatar_url": fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", o.id), "description": "",
	}
}

func payloadVersion(p *pkg, v *version, author object) object {
	out := object{
		"id": v.id, "version": v.name, "name": v.name, "description": v.description, "summary": "", "manifest": "",
		"html_url": v.htmlURL(p), "target_commitish": "main", "target_oid": "", "author": author,
		"metadata": []any{}, "package_files": []any{},
	}
	if v.manifest == nil {
		out["body"], out["tag_name"] = "", v.name
		out["created_at"], out["updated_at"] = timestamp(v.created), timestamp(v.updated)
		return out
	}
	tag := ""
	if len(v.tags) > 0 {
		tag = v.tags[len(v.tags)-1]
	}
	url := fmt.Sprintf("ghcr.io/%s/%s:%s", p.owner.login, p.name, tag)
	out["body"] = object{"info": object{"type": "blob", "name": "README.md"}, "attributes": object{}, "_formatted": true}
	out["created_at"], out["updated_at"] = "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"
	out["package_url"], out["installation_command"] = url, "docker pull "+url
	out["container_metadata"] = object{
		"tag":    object{"name": tag, "digest": v.name},
		"labels": object{"description": v.description, "source": "", "revision": "", "image_url": "", "licenses": v.license, "all_labels": object{}},
		"manifest": object{
			"digest": v.name, "media_type": v.manifest.descriptor.MediaType, "size": v.manifest.descriptor.Size,
			"uri": fmt.Sprintf("repositories/%s/%s/manifests/%s", p.owner.login, p.name, v.name), "config": object{}, "layers": []any{},
		},
	}
	return out
}

// redeliverable is how long GitHub keeps deliveries.
const redeliverable = 3 * 24 * time.Hour

// hookAPI answers /app/hook/deliveries: the list, one of them, a new attempt.
func (s *Server) hookAPI(q *request, a *app, seg []string) answer {
	docs := docsRoot + "/apps/webhooks"
	if s.seed.Webhook == nil || s.seed.Webhook.AppID != a.spec.AppID {
		return fail(http.StatusNotFound, "Not Found", docs)
	}
	var kept []*delivery
	for _, d := range slices.Backward(s.deliveries) {
		if q.now.Sub(d.DeliveredAt) <= redeliverable {
			kept = append(kept, d)
		}
	}
	if len(seg) == 0 && q.r.Method == http.MethodGet {
		return listDeliveries(q, kept)
	}
	if len(seg) == 0 {
		return notFound()
	}
	i := slices.IndexFunc(kept, func(d *delivery) bool { return strconv.FormatInt(d.ID, 10) == seg[0] })
	switch {
	case i < 0:
		return fail(http.StatusNotFound, "Not Found", docs)
	case len(seg) == 1 && q.r.Method == http.MethodGet:
		full := kept[i].json()
		full["request"] = object{"headers": object{"X-GitHub-Event": kept[i].Event, "X-GitHub-Delivery": kept[i].GUID}, "payload": kept[i].Payload}
		full["response"] = object{"headers": object{}, "payload": ""}
		return jsonAnswer(http.StatusOK, full)
	case len(seg) == 2 && seg[1] == "attempts" && q.r.Method == http.MethodPost:
		again := s.record(&delivery{kept[i].Delivery}, true)
		again.StatusCode, again.Status = 0, ""
		accepted := jsonAnswer(http.StatusAccepted, object{})
		accepted.after = func(ctx context.Context) { s.deliver(ctx, again) }
		return accepted
	}
	return notFound()
}

// listDeliveries pages by cursor: the id of the delivery before the page.
func listDeliveries(q *request, kept []*delivery) answer {
	size := pageOf(q).size
	if cursor, err := strconv.ParseInt(q.r.URL.Query().Get("cursor"), 10, 64); err == nil {
		kept = slices.DeleteFunc(kept, func(d *delivery) bool { return d.ID >= cursor })
	}
	more := len(kept) > size
	out := []any{}
	for _, d := range kept[:min(size, len(kept))] {
		out = append(out, d.json())
	}
	a := jsonAnswer(http.StatusOK, out)
	if more {
		query := q.r.URL.Query()
		query.Set("cursor", strconv.FormatInt(kept[size-1].ID, 10))
		a.header.Set("Link", "<"+q.base+q.path+"?"+query.Encode()+`>; rel="next"`)
	}
	return a
}

func (d *delivery) json() object {
	out := object{
		"id": d.ID, "guid": d.GUID, "delivered_at": timestamp(d.DeliveredAt), "redelivery": d.Redelivery, "duration": 0.01,
		"status": d.Status, "status_code": d.StatusCode, "event": d.Event, "action": d.Action,
		"installation_id": nil, "repository_id": nil, "throttled_at": nil,
	}
	if d.InstallationID != 0 {
		out["installation_id"] = d.InstallationID
	}
	return out
}
