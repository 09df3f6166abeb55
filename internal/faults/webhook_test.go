package faults

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// delivery is one request to the webhook, and the status that it must get.
type delivery struct {
	what   string
	method string
	header http.Header
	body   []byte
	status int
}

// catcher keeps what GitHub delivers and passes nothing on.
type catcher struct {
	mu  sync.Mutex
	got []delivery
}

func (k *catcher) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.got = append(k.got, delivery{"genuine", http.MethodPost, r.Header.Clone(), body, http.StatusAccepted})
}

func signed(header http.Header, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write(body)
	h := header.Clone()
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// variation makes something of a genuine delivery that GitHub would not have sent,
// or not like this.
func (c *Case) variation(d delivery) delivery {
	d.header = d.header.Clone()
	fresh := func() {
		d.header.Set("X-Github-Delivery", fmt.Sprintf("%08x-0000-4000-8000-%012x", c.Rand.Uint32(), c.Rand.Uint64N(1<<48)))
	}
	set := func(what string, status int) { d.what, d.status = what, status }
	body := func(b []byte) { d.body, d.header = b, signed(d.header, b) }
	switch c.Rand.IntN(18) {
	case 0, 1:
		set("replayed", http.StatusAccepted)
	case 2:
		fresh()
		set("duplicate", http.StatusAccepted)
	case 3:
		d.header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
		set("bad signature", http.StatusUnauthorized)
	case 4:
		d.header.Del("X-Hub-Signature-256")
		set("no signature", http.StatusUnauthorized)
	case 5:
		d.body = bytes.Replace(d.body, []byte(`"web"`), []byte(`"lib"`), 1)
		set("changed on the way", http.StatusUnauthorized)
	case 6:
		fresh()
		body(bytes.ReplaceAll(d.body, []byte(`"acme"`), []byte(`"`+stranger+`"`)))
		set("another owner", http.StatusAccepted)
	case 7:
		body([]byte(strings.Repeat("[", 200_000)))
		set("deep", http.StatusBadRequest)
	case 8:
		body([]byte(`{"package":` + strings.Repeat(`{"package":`, 50_000) + "1" + strings.Repeat("}", 50_001)))
		set("deep objects", http.StatusBadRequest)
	case 9:
		body(d.body[:len(d.body)/2])
		set("half", http.StatusBadRequest)
	case 10:
		d.header.Set("X-Github-Event", "push")
		fresh()
		set("another event", http.StatusAccepted)
	case 11:
		d.method = http.MethodPut
		set("another method", http.StatusMethodNotAllowed)
	case 12:
		d.header.Del("X-Github-Event")
		set("no event", http.StatusBadRequest)
	case 13:
		d.header.Set("X-Hub-Signature-256", d.header.Get("X-Hub-Signature-256")[:40])
		set("half a signature", http.StatusUnauthorized)
	case 14:
		body(bytes.Replace(d.body, []byte("{"), []byte("{"+strings.Repeat(" ", 1<<20)), 1))
		fresh()
		set("a megabyte of spaces", http.StatusAccepted)
	case 15:
		fresh()
		body(bytes.ReplaceAll(d.body, []byte(`"published"`), []byte(`"obliterated"`)))
		set("another action", http.StatusAccepted)
	case 16, 17:
		fresh()
		body(c.ofElsewhere(d.body))
		set("another installation", http.StatusAccepted)
	}
	return d
}

// ofElsewhere makes a delivery one of the stranger's installation, about a package
// that no genuine one speaks of.
func (c *Case) ofElsewhere(body []byte) []byte {
	was, is := fmt.Sprintf(`"installation":{"id":%d`, installationID), fmt.Sprintf(`"installation":{"id":%d`, elsewhere)
	if !bytes.Contains(body, []byte(was)) {
		c.Fatalf("there is no installation in %.400s", body)
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(body, []byte(`"web"`), []byte(`"lib"`)), []byte(was), []byte(is))
}

// huge are deliveries at and beyond GitHub's 25 MB, with a signature that is right.
func huge(d delivery) []delivery {
	const most = 25 << 20
	padded := func(size int) []byte {
		return append(bytes.Clone(d.body), bytes.Repeat([]byte(" "), size-len(d.body))...)
	}
	at, beyond := padded(most), padded(most+1)
	return []delivery{
		{"25 MB", http.MethodPost, signed(d.header, at), at, http.StatusAccepted},
		{"more than 25 MB", http.MethodPost, signed(d.header, beyond), beyond, http.StatusRequestEntityTooLarge},
	}
}

// webhooks sends a real server genuine deliveries in a random order among many
// that are not, and demands the right answers and that each push is acted on once.
func webhooks(t *testing.T, ws *workshop) func(*Case) {
	private, public := appKey(t)
	return func(c *Case) {
		hook, caught := &relay{}, &catcher{}
		w := newServed(c, draw(c.Seed%variants), hook)
		w.extra = servedApp
		w.configure()
		w.write("app.pem", private)
		w.pushAll(caught, public)
		w.doomed = append(slices.Clone(w.doomed), "web pr-a", "web pr-b")
		send := slices.Clone(caught.got)
		for range 30 {
			send = append(send, c.variation(caught.got[c.Rand.IntN(len(caught.got))]))
		}
		if c.Rand.IntN(8) == 0 {
			send = append(send, huge(caught.got[0])...)
			c.Count("with 25 MB")
		}
		c.Rand.Shuffle(len(send), func(i, j int) { send[i], send[j] = send[j], send[i] })
		p := w.startServer(ws, hook)
		for _, d := range send {
			w.deliver(hook, d)
		}
		w.await("the webhooks to be looked at", p, func() bool { return w.lookedAt() && !w.there("web pr-a") && !w.there("web pr-b") })
		w.stopServer(p)
		w.check("after all deliveries", false)
		for _, e := range w.evidence.all() {
			if e.Package != "web" {
				w.Errorf("%s was changed, and no webhook spoke of its package", e.name())
			}
		}
		w.Found("after all deliveries", checkOnce(w.sim.Calls(), nil))
		if !w.there("web good") {
			w.Errorf("what was pushed and may stay is gone")
		}
		before := w.glance()
		w.lastSweep(0) // none is due: only what was announced could be acted on
		p = w.startServer(ws, hook)
		for _, d := range caught.got {
			w.deliver(hook, d)
		}
		w.await("the same webhooks to be looked at", p, w.lookedAt)
		w.stopServer(p)
		w.Found("the same deliveries once more", checkQuiet(before, w.glance()))
		w.check("the same deliveries once more", false)
		w.Found("in the end", checkOnce(w.sim.Calls(), nil))
		w.Found("in the end", checkNeverNamed(w.sim.Calls(), stranger))
		w.Found("in the end", checkNeverNamed(w.sim.Calls(), "/lib")) // only deliveries that are not genuine do
	}
}

// elsewhere is the App's installation in the stranger's account.
const elsewhere = 72

const servedApp = `owners: [{login: acme, types: [container, npm], schedule: "0 0 1 1 *", credentials: {kind: app, app_id: 4711, installation_id: 71, private_key_file: ./app.pem}}]
serve: {listen: "127.0.0.1:0", webhook_secrets: [HOOK_SECRET]}`

// stranger is an owner of whom the configuration does not speak, with a version
// that the policy would delete, in whose account the App is installed too.
const stranger = "stranger"

// checkNeverNamed: no call names this owner or package.
func checkNeverNamed(calls []githubsim.Call, name string) (wrong []string) {
	for _, c := range calls {
		if strings.Contains(strings.ToLower(c.Path+"?"+c.Query), name) {
			wrong = append(wrong, fmt.Sprintf("%s %s was called, and nothing genuine speaks of %s", c.Method, c.Path, name))
		}
	}
	return wrong
}

// pushAll publishes what must go and what may stay, and catches the deliveries.
func (w *world) pushAll(caught *catcher, public string) {
	listener := httptest.NewServer(caught)
	defer listener.Close()
	seed := w.seed()
	seed.Webhook = &githubsim.Webhook{URL: listener.URL, Secret: hookSecret, AppID: appID, Events: hookEvents}
	seed.Apps = []githubsim.App{{AppID: appID, Slug: "shelflife", Owner: owner, PublicKeyPEM: public, Events: hookEvents, Installations: []githubsim.Installation{
		{ID: installationID, Owner: owner, Permissions: map[string]string{"packages": "write", "metadata": "read"}},
		{ID: elsewhere, Owner: stranger, Permissions: map[string]string{"packages": "write", "metadata": "read"}},
	}}}
	seed.Owners = append(seed.Owners, githubsim.Owner{Login: stranger, Packages: []githubsim.Package{drawPlain(w.Rand)}})
	theirs := &seed.Owners[len(seed.Owners)-1].Packages[0]
	theirs.Versions = append(theirs.Versions, githubsim.Version{Key: "theirs", Tags: []string{"pr-theirs"}, CreatedAt: days(60)})
	w.serve(seed)
	for _, key := range []string{"pr-a", "good", "pr-b"} {
		_, err := w.sim.Publish(w.Context(), githubsim.Publication{
			Owner: owner, Type: retention.Container, Package: "web", Versions: []githubsim.Version{{Key: key, Tags: []string{key}}},
		})
		w.Must(err)
	}
	w.evidence.start = w.sim.State()
	if len(caught.got) != 6 {
		w.Fatalf("%d deliveries of three pushes and two events", len(caught.got))
	}
}

func (w *world) deliver(hook *relay, d delivery) {
	req, err := http.NewRequestWithContext(w.Context(), d.method, hook.to, bytes.NewReader(d.body))
	w.Must(err)
	req.Header = d.header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil && d.status == http.StatusRequestEntityTooLarge {
		return // the server hangs up on what it does not want to read
	}
	w.Must(err)
	w.Must(resp.Body.Close())
	if resp.StatusCode != d.status {
		w.Errorf("%s: answered with %d, want %d", d.what, resp.StatusCode, d.status)
	}
}
