package githubsim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

// hook receives deliveries and answers with the next of its statuses.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	got      []received
}

type received struct {
	Header  http.Header
	Payload []byte
}

func newHook(t *testing.T, statuses ...int) *hook {
	t.Helper()
	h := &hook{statuses: statuses}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, received{r.Header, body})
		status := http.StatusAccepted
		if len(h.statuses) > 0 {
			status, h.statuses = h.statuses[0], h.statuses[1:]
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(h.Close)
	return h
}

const secret = "It's a Secret to Everybody"

func push(keys ...string) githubsim.Publication {
	pub := githubsim.Publication{Owner: "acme", Type: retention.Container, Package: "api"}
	for _, key := range keys {
		pub.Versions = append(pub.Versions, githubsim.Version{Key: key})
	}
	return pub
}

func publish(t *testing.T, sim *simtest.Running, pub githubsim.Publication) []githubsim.Published {
	t.Helper()
	out, err := sim.Server.Publish(t.Context(), pub)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMovingATagLeavesTheOldDigestUntagged(t *testing.T) {
	sim, clk := startText(t, `{"owners":[{"login":"acme","packages":[{"name":"api","package_type":"container","versions":[
		{"key":"one","created_at":"-9d","tags":["v1","latest"]},{"key":"zero","created_at":"-10d"}]}]}]}`)
	clk.Advance(time.Minute)
	pub := push("two")
	pub.Versions[0].Tags = []string{"latest"}
	two := publish(t, sim, pub)
	pub = push("zero")
	pub.Versions[0].Tags = []string{"v1"}
	zero := publish(t, sim, pub)
	if two[0].Action != "published" || zero[0].Action != "updated" {
		t.Errorf("actions %s, %s", two[0].Action, zero[0].Action)
	}
	p, _ := sim.Server.State().Package("acme", retention.Container, "api")
	got := map[string][]string{}
	for _, v := range p.Versions {
		got[v.Key] = v.Tags
	}
	if diff := cmp.Diff(map[string][]string{"one": {}, "two": {"latest"}, "zero": {"v1"}}, got); diff != "" {
		t.Error(diff)
	}
	var list []struct {
		UpdatedAt time.Time `json:"updated_at"`
		CreatedAt time.Time `json:"created_at"`
	}
	ask(t, "GET", sim.URL+"/orgs/acme/packages/container/api/versions", "any").decode(t, &list)
	for i, created := range []time.Time{start.Add(time.Minute), start.Add(-9 * 24 * time.Hour), start.Add(-10 * 24 * time.Hour)} {
		if !list[i].CreatedAt.Equal(created) || !list[i].UpdatedAt.Equal(start.Add(time.Minute)) {
			t.Errorf("version %d: created %s, updated %s", i, list[i].CreatedAt, list[i].UpdatedAt)
		}
	}
}

func TestRestoreAfterTheNameIsTakenAgain(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme","packages":[
		{"name":"api","package_type":"container","versions":[{"key":"a","id":1},{"key":"b","id":2,"tags":["x","y"]},{"key":"c","id":3,"tags":["c"]}]},
		{"name":"w","package_type":"npm","versions":[{"name":"1.0.0","id":4}]}]}]}`)
	del := func(path string) { ask(t, "DELETE", sim.URL+"/orgs/acme/packages/"+path, "any") }
	restore := func(path string) int {
		return ask(t, "POST", sim.URL+"/orgs/acme/packages/"+path+"/restore", "any").Status
	}
	del("container/api/versions/1")
	del("container/api/versions/2")
	del("npm/w")
	again := publish(t, sim, push("a"))
	tagged := push("d")
	tagged.Versions[0].Tags = []string{"x"}
	publish(t, sim, tagged)
	publish(t, sim, githubsim.Publication{Owner: "acme", Type: retention.NPM, Package: "w", Versions: []githubsim.Version{{Name: "2.0.0"}}})
	if again[0].ID <= 4 {
		t.Errorf("the digest came back under the old id %d", again[0].ID)
	}
	if got := restore("container/api/versions/1"); got != 404 {
		t.Errorf("digest in use again: %d", got)
	}
	if got := restore("npm/w"); got != 404 {
		t.Errorf("namespace in use again: %d", got)
	}
	if got := restore("container/api/versions/2"); got != 204 {
		t.Errorf("tag in use again: %d", got)
	}
	p, _ := sim.Server.State().Package("acme", retention.Container, "api")
	if v, _ := p.Version("b"); !cmp.Equal(v.Tags, []string{"y"}) {
		t.Errorf("tags of the restored version: %v", v.Tags)
	}
}

func TestPublishRefusesWhatCannotBe(t *testing.T) {
	sim, _ := startText(t, `{"owners":[{"login":"acme","packages":[{"name":"api","package_type":"container","versions":[{"key":"a"}]}]}]}`)
	before := sim.Server.State()
	for _, tc := range []struct {
		name string
		pub  githubsim.Publication
		want string
	}{
		{"unknown owner", githubsim.Publication{Owner: "x", Versions: []githubsim.Version{{Key: "a"}}}, "no such owner"},
		{"nothing", push(), "no versions"},
		{"no type", githubsim.Publication{Owner: "acme", Package: "p", Versions: []githubsim.Version{{Key: "a"}}}, "package_type"},
		{"known key with content", githubsim.Publication{Owner: "acme", Type: "container", Package: "api", Versions: []githubsim.Version{{Key: "a", Platform: "linux/arm64"}}}, "there already"},
		{"dangling child", githubsim.Publication{Owner: "acme", Type: "container", Package: "api", Versions: []githubsim.Version{{Key: "i", Index: []string{"zz"}}}}, `"zz"`},
		{"missing", githubsim.Publication{Owner: "acme", Type: "container", Package: "api", Versions: []githubsim.Version{{Key: "m", Missing: true}}}, "cannot be published"},
		{"bad new package", githubsim.Publication{Owner: "acme", Type: "container", Package: "API", Versions: []githubsim.Version{{Key: "m"}}}, "not a container image name"},
	} {
		if _, err := sim.Server.Publish(t.Context(), tc.pub); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if diff := cmp.Diff(before, sim.Server.State()); diff != "" {
		t.Error(diff)
	}
}

func TestMultiArchPushIsOneSignedEventPerManifest(t *testing.T) {
	receiver := newHook(t)
	sim, _ := startText(t, `{"owners":[{"login":"acme"}],"webhook":{"url":"`+receiver.URL+`","secret":"`+secret+`"}}`)
	pub := push("amd64", "arm64")
	pub.Repository, pub.Sender = "acme/api", "robot"
	pub.Versions = append(pub.Versions, githubsim.Version{Key: "v1", Index: []string{"amd64", "arm64"}, Tags: []string{"v1"}})
	out := publish(t, sim, pub)
	if len(receiver.got) != 3 {
		t.Fatalf("%d events", len(receiver.got))
	}
	for i, r := range receiver.got {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(r.Payload)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get("X-Hub-Signature-256") != want {
			t.Errorf("event %d: signature %s", i, r.Header.Get("X-Hub-Signature-256"))
		}
		if r.Header.Get("X-GitHub-Event") != "package" || r.Header.Get("X-GitHub-Delivery") == "" {
			t.Errorf("event %d: headers %v", i, r.Header)
		}
		type payload struct {
			Action  string
			Package struct {
				Name           string
				PackageType    string `json:"package_type"`
				PackageVersion struct {
					ID                int64
					Version           string
					Metadata          []any
					Body              map[string]any
					CreatedAt         string                                      `json:"created_at"`
					ContainerMetadata struct{ Tag struct{ Name, Digest string } } `json:"container_metadata"`
				} `json:"package_version"`
			}
			Repository struct {
				FullName string `json:"full_name"`
			}
			Organization struct{ Login string }
			Sender       struct{ Login string }
			Installation *struct{ ID int64 }
		}
		var got, want payload
		if err := json.Unmarshal(r.Payload, &got); err != nil {
			t.Fatal(err)
		}
		got.Package.PackageVersion.Body = nil
		want.Action, want.Repository.FullName, want.Organization.Login, want.Sender.Login = "published", "acme/api", "acme", "robot"
		want.Package.Name, want.Package.PackageType = "api", "CONTAINER"
		v := &want.Package.PackageVersion
		v.ID, v.Version, v.Metadata, v.CreatedAt = out[i].ID, out[i].Name, []any{}, "0001-01-01T00:00:00Z"
		v.ContainerMetadata.Tag.Digest = out[i].Name
		if i == 2 {
			v.ContainerMetadata.Tag.Name = "v1"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event %d: %s", i, diff)
		}
	}
}

func TestAppDeliveriesAreListedAndRedelivered(t *testing.T) {
	receiver := newHook(t, http.StatusInternalServerError)
	key, text := newKey(t)
	clk := testclock.New(start)
	sim := simtest.Start(t, githubsim.Seed{
		Owners: []githubsim.Owner{{Login: "acme"}, {Login: "zeta"}, {Login: "mona", Kind: retention.User}},
		Apps: []githubsim.App{{AppID: 7, PrivateKeyPEM: text, Installations: []githubsim.Installation{
			{ID: 71, Owner: "acme", Permissions: map[string]string{"packages": "read"}}}}},
		Webhook: &githubsim.Webhook{URL: receiver.URL, Secret: secret, AppID: 7, Events: []string{"package", "registry_package"}},
	}, githubsim.WithClock(clk.Now))
	npm := func(owner string) githubsim.Publication {
		return githubsim.Publication{Owner: owner, Type: retention.NPM, Package: "w", Versions: []githubsim.Version{{Name: "1.0.0"}}}
	}
	publish(t, sim, npm("acme"))
	publish(t, sim, npm("zeta")) // the App is not installed there

	token := func() string { return sign(t, key, "7", clk.Now(), clk.Now().Add(time.Minute)) }
	type item struct {
		ID         int64
		GUID       string
		Event      string
		Redelivery bool
		Code       int   `json:"status_code"`
		Install    int64 `json:"installation_id"`
	}
	list := func(query string) []item {
		var out []item
		ask(t, "GET", sim.URL+"/app/hook/deliveries"+query, token()).decode(t, &out)
		return out
	}
	first := list("")
	want := []item{
		{ID: 2, GUID: first[0].GUID, Event: "registry_package", Code: 202, Install: 71},
		{ID: 1, GUID: first[1].GUID, Event: "package", Code: 500, Install: 71},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Fatal(diff)
	}
	if r := ask(t, "GET", sim.URL+"/app/hook/deliveries?per_page=1", token()); !strings.Contains(r.Header.Get("Link"), "cursor=2") {
		t.Errorf("link %q", r.Header.Get("Link"))
	}
	if diff := cmp.Diff(want[1:], list("?per_page=1&cursor=2")); diff != "" {
		t.Error(diff)
	}
	if r := ask(t, "POST", sim.URL+"/app/hook/deliveries/1/attempts", token()); r.Status != 202 {
		t.Fatalf("redeliver: %d %s", r.Status, r.Body)
	}
	if diff := cmp.Diff(item{ID: 3, GUID: want[1].GUID, Event: "package", Redelivery: true, Code: 202, Install: 71}, list("")[0]); diff != "" {
		t.Error(diff)
	}
	if string(receiver.got[0].Payload) != string(receiver.got[2].Payload) {
		t.Error("the redelivery differs from the delivery")
	}
	clk.Advance(3*24*time.Hour + time.Second)
	if r := ask(t, "POST", sim.URL+"/app/hook/deliveries/1/attempts", token()); r.Status != 404 {
		t.Errorf("after three days: %d", r.Status)
	}
}

func TestUnreachableReceiverIsRecorded(t *testing.T) {
	receiver := newHook(t)
	receiver.Close()
	sim, _ := startText(t, `{"owners":[{"login":"acme"}],"webhook":{"url":"`+receiver.URL+`","secret":"s"}}`)
	publish(t, sim, push("a"))
	if d := sim.Server.Deliveries(); len(d) != 1 || d[0].StatusCode != 0 || !strings.HasPrefix(d[0].Status, "failed to connect") {
		t.Errorf("deliveries %+v", d)
	}
}
