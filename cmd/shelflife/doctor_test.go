package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/doctor"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// ward is one set-up that the doctor is asked about: a simulated GitHub with a
// healthy App and token, a configuration and a state file, for a case to break.
type ward struct {
	t      *testing.T
	keys   [2]*rsa.PrivateKey // the App's, and somebody else's
	dir    string
	seed   githubsim.Seed
	env    map[string]string
	config string // of shelflife.yaml; {KEY} is the App's key file
	args   []string
	url    string // of a GitHub in place of the simulator
	begun  func(*simtest.Running)
}

const (
	tokenConfig = "version: 1\nowners:\n  - {login: acme}\n"
	appConfig   = "version: 1\nowners:\n  - {login: acme, credentials: {kind: app, app_id: 5, installation_id: 77, private_key_file: \"{KEY}\"}}\n"
)

func newWard(t *testing.T, keys [2]*rsa.PrivateKey) *ward {
	t.Helper()
	w := &ward{t: t, keys: keys, dir: t.TempDir(), config: tokenConfig, args: []string{"doctor", "--format", "json"}}
	key := privatePEM(keys[0])
	w.write("app.pem", key)
	all := []string{"read:packages", "write:packages", "delete:packages"}
	token := func(name string, scopes ...string) githubsim.Token {
		return githubsim.Token{Token: name, Login: "mona", Scopes: scopes, PackagesAdmin: true}
	}
	installation := func(id int64, owner, level string) githubsim.Installation {
		return githubsim.Installation{ID: id, Owner: owner, Permissions: map[string]string{"packages": level}}
	}
	w.seed = githubsim.Seed{
		Tokens: []githubsim.Token{
			token("good", all...), token("reader", "read:packages"), token("deleter", "delete:packages"), token("other", "repo"),
			token("fine-grained"), {Token: "blind", Login: "mona", Scopes: all, Packages: []string{"nothing"}},
			{Token: "weak", Login: "mona", Scopes: all},
			{Token: "old", Login: "mona", Scopes: all, ExpiresAt: githubsim.At(time.Now().AddDate(0, 0, -1))},
			{Token: "ageing", Login: "mona", Scopes: all, PackagesAdmin: true, ExpiresAt: githubsim.At(time.Now().AddDate(0, 0, 3))},
		},
		Apps: []githubsim.App{{AppID: 5, PrivateKeyPEM: key, Installations: []githubsim.Installation{
			installation(77, "acme", "write"), installation(78, "other", "write"),
		}}},
		Owners: []githubsim.Owner{{Login: "acme", Packages: []githubsim.Package{
			{Name: "api", Type: retention.Container, Versions: []githubsim.Version{{Key: "v1", Tags: []string{"v1"}, CreatedAt: githubsim.Ago(90 * 24 * time.Hour), Platform: "linux/amd64"}}},
			{Name: "pad", Type: retention.NPM, Versions: []githubsim.Version{
				{Name: "1.0.0", CreatedAt: githubsim.Ago(80 * 24 * time.Hour)}, {Name: "1.1.0", CreatedAt: githubsim.Ago(70 * 24 * time.Hour)}}},
		}}, {Login: "other"}},
	}
	w.env = map[string]string{"GITHUB_TOKEN": "good", "GITHUB_ACTOR": "tester", "SHELFLIFE_STATE": filepath.Join(w.dir, "state", "shelflife.db")}
	return w
}

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func privatePEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func (w *ward) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// examine runs the doctor and returns what it found, and its exit code.
func (w *ward) examine() ([]doctor.Finding, int) {
	w.t.Helper()
	if w.url == "" {
		sim := simtest.Start(w.t, w.seed)
		w.url = sim.URL
		if w.begun != nil {
			w.begun(sim)
		}
	}
	if w.env["GITHUB_API_URL"] == "" {
		w.env["GITHUB_API_URL"] = w.url
	}
	if w.env["SHELFLIFE_REGISTRY_URL"] == "" {
		w.env["SHELFLIFE_REGISTRY_URL"] = w.url
	}
	w.env["SHELFLIFE_CONFIG"] = w.write("shelflife.yaml", strings.ReplaceAll(w.config, "{KEY}", filepath.Join(w.dir, "app.pem")))
	code, out := w.exec(w.args...)
	var found []doctor.Finding
	if err := json.Unmarshal(out, &found); err != nil {
		w.t.Fatalf("%v in %s", err, out)
	}
	return found, code
}

// shows demands that the table for people has one row that ends so, and no row
// twice: findings are counted, not repeated.
func (w *ward) shows(check, ending string) {
	w.t.Helper()
	_, out := w.exec(append([]string{"doctor"}, w.args[3:]...)...)
	var ends, rows []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, check) && (strings.Contains(line, " fail ") || strings.Contains(line, " note ")) {
			rows = append(rows, line)
		}
		if strings.HasPrefix(line, check) && strings.HasSuffix(line, ending) {
			ends = append(ends, line)
		}
	}
	if ending == "" || len(ends) != 1 {
		w.t.Errorf("%d rows of %q end with %q, want one:\n%s", len(ends), check, ending, strings.Join(rows, "\n"))
	}
}

func (w *ward) exec(args ...string) (int, []byte) {
	var out, errs bytes.Buffer
	s := streams{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(name string) string { return w.env[name] }}
	code := run(context.Background(), args, s)
	return code, out.Bytes()
}

// asApp lets the owner sign in as the App.
func (w *ward) asApp() *ward {
	w.config, w.env["GITHUB_TOKEN"] = appConfig, ""
	return w
}

// enforcing makes the owner one that is acted on.
func (w *ward) enforcing() *ward {
	w.config = strings.Replace(w.config, "owners:", "mode: enforce\nowners:", 1)
	return w
}

func (w *ward) fault(match, kind string, status int) {
	w.seed.Faults = append(w.seed.Faults, githubsim.Fault{Match: match, Kind: githubsim.FaultKind(kind), Status: status})
}

// database changes the state file behind shelflife's back.
func (w *ward) database(statements ...string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.env["SHELFLIFE_STATE"])
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

// published serves a bundle over https and names it in the configuration.
func (w *ward) published(more string, handler http.HandlerFunc) {
	srv := httptest.NewTLSServer(handler)
	w.t.Cleanup(srv.Close)
	w.t.Setenv("SSL_CERT_FILE", w.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))))
	w.config += "policies: {bundle: \"" + srv.URL + "/b.tar.gz\"" + more + "}\n"
}

func (w *ward) bundle() []byte {
	w.t.Helper()
	archive, _, err := policy.BuildBundle(context.Background(), policies.FS, policy.BuildOptions{Options: policy.Options{Builtin: true}})
	if err != nil {
		w.t.Fatal(err)
	}
	return archive
}

// TestTheDoctorNamesEachBrokenSetUp breaks one thing at a time, for real, and
// demands that the doctor says which it is and what to do. Every condition of the
// table has its case.
func TestTheDoctorNamesEachBrokenSetUp(t *testing.T) {
	keys := [2]*rsa.PrivateKey{newRSA(t), newRSA(t)}
	tried := map[doctor.Code]bool{doctor.Other: true} // what is not in the table can't be made
	for _, s := range sicknesses() {
		tried[s.code] = true
		t.Run(s.name, func(t *testing.T) {
			if !strings.Contains(s.name, "bundle") { // those set an environment variable of the process
				t.Parallel()
			}
			w := newWard(t, keys)
			s.broken(w)
			found, code := w.examine()
			i := slices.IndexFunc(found, func(f doctor.Finding) bool { return f.Code == s.code })
			if i < 0 {
				t.Fatalf("no finding %s: %+v", s.code, found)
			}
			f := found[i]
			if f.Result != s.result || !strings.Contains(f.Detail, s.says) || f.Detail == "" || f.Next == "" {
				t.Errorf("%+v, want %s, %q and the next step", f, s.result, s.says)
			}
			if code != s.exit {
				t.Errorf("exit code %d, want %d: %+v", code, s.exit, found)
			}
			w.shows(f.Check, s.text)
			for _, f := range found {
				if strings.Contains(f.Detail, "ghp_") || strings.Contains(f.Detail, "-----BEGIN") {
					t.Errorf("a secret is shown: %+v", f)
				}
			}
		})
	}
	var table []doctor.Code
	for _, c := range doctor.Conditions() {
		table = append(table, c.Code)
	}
	slices.Sort(table)
	if diff := cmp.Diff(table, slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Errorf("conditions without a case (-table +cases):\n%s", diff)
	}
}

func TestTheDoctorFindsNothingWrongWithAHealthySetUp(t *testing.T) {
	keys := [2]*rsa.PrivateKey{newRSA(t), newRSA(t)}
	for name, change := range map[string]func(*ward){
		"a token": func(*ward) {}, "an App": func(w *ward) { w.asApp() }, "a token that enforces": func(w *ward) { w.enforcing() },
		"a probe": func(w *ward) { w.args = append(w.args, "--write-probe", "acme/npm/pad@1.0.0") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, keys)
			change(w)
			found, code := w.examine()
			for _, f := range found {
				if f.Code != "" {
					t.Errorf("%+v", f)
				}
			}
			if code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}

// A look at a package whose manifests are known asks the registry all the same,
// for one manifest: each counts as a download.
func TestTheDoctorAsksTheRegistryForOneManifestOfAKnownPackage(t *testing.T) {
	w := newWard(t, [2]*rsa.PrivateKey{newRSA(t), newRSA(t)})
	var calls func() []githubsim.Call
	w.warmed(func(sim *simtest.Running) {
		sim.Server.ResetCalls()
		calls = sim.Server.Calls
	})
	if found, code := w.examine(); code != 0 {
		t.Fatalf("exit code %d: %+v", code, found)
	}
	var manifests []string
	for _, c := range calls() {
		if strings.Contains(c.Path, "/manifests/") {
			manifests = append(manifests, c.Method)
		}
	}
	if diff := cmp.Diff([]string{http.MethodGet}, manifests); diff != "" {
		t.Error(diff)
	}
}
