package main

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/doctor"
	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/githubsim/simtest"
	"github.com/shelflife-dev/shelflife/internal/ledger"
	"github.com/shelflife-dev/shelflife/internal/ledger/sqlite"
	"github.com/shelflife-dev/shelflife/internal/retention"
)

// sickness is one broken set-up and what the doctor has to say of it.
type sickness struct {
	name   string
	broken func(*ward)
	code   doctor.Code
	result doctor.Result
	says   string // in the detail
	exit   int
}

func sicknesses() []sickness {
	return slices.Concat(machineSicknesses(), bundleSicknesses(), appSicknesses(), tokenSicknesses(), githubSicknesses())
}

func machineSicknesses() []sickness {
	return []sickness{
		{"a misspelt key", func(w *ward) { w.config = "version: 1\nonwers: []\n" }, doctor.ConfigInvalid, doctor.Fail, `unknown key "onwers"; did you mean "owners"?`, 2},
		{"the state file lies below a file", func(w *ward) { w.env["SHELFLIFE_STATE"] = w.write("file", "x") + "/shelflife.db" }, doctor.StateUnusable, doctor.Fail, "not a directory", 1},
		{"the state file is none", func(w *ward) { w.env["SHELFLIFE_STATE"] = w.write("file", strings.Repeat("no database ", 99)) }, doctor.StateUnusable, doctor.Fail, "not a database", 1},
		{"the state file is of a newer version", func(w *ward) { w.exec("runs"); w.database("PRAGMA user_version = 999") }, doctor.StateNewer, doctor.Fail, "it has schema version 999", 1},
		{"the ledger was changed", func(w *ward) {
			w.begun = func(*simtest.Running) {
				w.env["GITHUB_API_URL"], w.env["SHELFLIFE_REGISTRY_URL"] = w.url, w.url
				if code, out := w.exec("versions", "delete", "acme/npm/pad@1.0.0", "--yes"); code != 0 {
					w.t.Fatalf("no record was made: %d %s", code, out)
				}
				w.database("DROP TRIGGER ledger_records_no_update", "UPDATE ledger_records SET body = replace(body, 'acme', 'acne')")
			}
		}, doctor.LedgerBroken, doctor.Fail, "acme", 1},
		{"the last run was killed", (*ward).leaveOpen, doctor.ActionsOpen, doctor.Note, "1 action", 0},
		{"the kill switch is on", func(w *ward) { w.write("state/PAUSE", "incident 12") }, doctor.Paused, doctor.Note, "the file PAUSE says: incident 12", 0},
		{"a policy is wrong", func(w *ward) {
			w.config += "policies: {path: " + filepath.Dir(w.write("policies/p.rego", "package retention.p\n\ndecisions contains x if y\n")) + "}\n"
		}, doctor.PolicyInvalid, doctor.Fail, "p.rego:1", 2},
		{"a parameter is wrong", func(w *ward) { w.config += "params: {expire_untagged: {days: 3}}\n" }, doctor.PolicyInvalid, doctor.Fail, "days", 2},
		{"a webhook secret is not set", func(w *ward) { w.config += "serve: {webhook_secrets: [HOOK_SECRET]}\n" }, doctor.WebhookSecret, doctor.Fail, "HOOK_SECRET", 2},
	}
}

// leaveOpen writes an intent, and no outcome, as a process does that is killed
// between the two.
func (w *ward) leaveOpen() {
	db, err := sqlite.Open(w.env["SHELFLIFE_STATE"])
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	l := ledger.New(db, time.Now)
	r := retention.Run{
		ID: "killed", Owner: "acme", Kind: retention.RunApply, Mode: retention.Enforce, Planned: 1, StartedAt: time.Now(),
		Trigger: retention.Trigger{Kind: retention.TriggerCLI},
	}
	intent := ledger.NewIntent(r, retention.Item{
		Owner: "acme", PackageType: retention.NPM, Package: "pad", VersionID: 4, Version: "1.0.0", Cost: 1,
		Action: retention.Delete, Target: retention.TargetVersion, Rules: []retention.Rule{{Policy: "expire", Action: retention.Delete}},
	})
	_, err = l.Start(w.t.Context(), r)
	if err == nil {
		_, err = l.Begin(w.t.Context(), r, retention.DefaultLimits(), []ledger.Intent{intent})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func bundleSicknesses() []sickness {
	return []sickness{
		{"the bundle is not signed", func(w *ward) {
			w.write("b.tar.gz", string(w.bundle()))
			w.config += "policies: {bundle: b.tar.gz, verification_key: " + w.public() + "}\n"
		}, doctor.BundleUnverified, doctor.Fail, "it is not signed", 4},
		{"the bundle is no archive", func(w *ward) {
			w.write("b.tar.gz", "hello")
			w.config += "policies: {bundle: b.tar.gz, verification_key: " + w.public() + "}\n"
		}, doctor.BundleRefused, doctor.Fail, "no gzip file", 2},
		{"the bundle is not there", func(w *ward) {
			w.published(", verification_key: "+w.public(), http.NotFound)
		}, doctor.BundleUnreachable, doctor.Fail, "404 Not Found", 1},
		{"the bundle is not verified", func(w *ward) {
			w.write("b.tar.gz", string(w.bundle()))
			w.config += "policies: {bundle: b.tar.gz}\n"
		}, doctor.BundleNotVerified, doctor.Note, "the policy bundle is not verified", 0},
		{"the bundle is gone since", func(w *ward) { w.vanishing("") }, doctor.BundleStandsIn, doctor.Note, "confirmed", 0},
		{"the bundle is gone for long", func(w *ward) { w.vanishing(", bundle_max_age: 1ns") }, doctor.BundleStale, doctor.Fail, "last confirmed", 4},
	}
}

func (w *ward) public() string {
	der, err := x509.MarshalPKIXPublicKey(&w.keys[1].PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.write("bundle.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
}

// vanishing serves a bundle once, lets it be kept, and is gone.
func (w *ward) vanishing(more string) {
	archive, asked := w.bundle(), 0
	w.published(more, func(rw http.ResponseWriter, r *http.Request) {
		if asked++; asked > 1 {
			http.NotFound(rw, r)
			return
		}
		_, _ = rw.Write(archive)
	})
	w.begun = func(*simtest.Running) {
		w.env["GITHUB_API_URL"], w.env["SHELFLIFE_REGISTRY_URL"] = w.url, w.url
		w.env["SHELFLIFE_CONFIG"] = w.write("shelflife.yaml", w.config)
		w.exec("plan")
	}
}

func appSicknesses() []sickness {
	app := func(f func(*ward)) func(*ward) {
		return func(w *ward) {
			w.asApp()
			f(w)
		}
	}
	return []sickness{
		{"the key's file is not there", app(func(w *ward) { w.config = strings.Replace(w.config, "{KEY}", "nowhere.pem", 1) }), doctor.AppKeyUnusable, doctor.Fail, "nowhere.pem", 2},
		{"the key's file holds no key", app(func(w *ward) { w.write("app.pem", "hello") }), doctor.AppKeyUnusable, doctor.Fail, "app.pem", 2},
		{"the key is another App's", app(func(w *ward) { w.write("app.pem", privatePEM(w.keys[1])) }), doctor.AppKeyForeign, doctor.Fail, "401", 1},
		{"there is no such App", app(func(w *ward) { w.config = strings.Replace(w.config, "app_id: 5", "app_id: 6", 1) }), doctor.AppUnknown, doctor.Fail, "Integration not found", 1},
		{"the clock is ahead", app(func(w *ward) { w.seed.Clock = time.Now().Add(-time.Hour) }), doctor.ClockAhead, doctor.Fail, "401", 1},
		{"the clock is behind", app(func(w *ward) { w.seed.Clock = time.Now().Add(time.Hour) }), doctor.ClockBehind, doctor.Fail, "401", 1},
		{"the clock is ahead, with a token", func(w *ward) { w.seed.Clock = time.Now().Add(-time.Hour) }, doctor.ClockAhead, doctor.Fail, "versions look older than they are", 1},
		{"the clock is behind, with a token", func(w *ward) { w.seed.Clock = time.Now().Add(time.Hour) }, doctor.ClockBehind, doctor.Fail, "versions look younger than they are", 1},
		{"there is no such installation", app(func(w *ward) { w.config = strings.Replace(w.config, "77", "79", 1) }), doctor.InstallationMissing, doctor.Fail, "404", 1},
		{"the installation is another account's", app(func(w *ward) { w.config = strings.Replace(w.config, "77", "78", 1) }), doctor.InstallationForeign, doctor.Fail, `"other"`, 1},
		{"the installation is suspended", app(func(w *ward) { w.seed.Apps[0].Installations[0].Suspended = true }), doctor.InstallationPaused, doctor.Fail, "since 2020-02-01", 1},
		{"the App has no permission", app(func(w *ward) { w.seed.Apps[0].Installations[0].Permissions = map[string]string{"contents": "read"} }), doctor.PermissionMissing, doctor.Fail, "", 1},
		{"the App may only read", app(func(w *ward) { w.seed.Apps[0].Installations[0].Permissions["packages"] = "read" }), doctor.PermissionReadOnly, doctor.Note, "", 0},
		{"the App may only read, and the owner enforces", app(func(w *ward) {
			w.enforcing()
			w.seed.Apps[0].Installations[0].Permissions["packages"] = "read"
		}), doctor.PermissionReadOnly, doctor.Fail, "", 1},
		{"the App hears no events", app(func(w *ward) { w.seed.Apps[0].Events = []string{"push"} }), doctor.EventMissing, doctor.Note, "", 0},
		{"deliveries fail", app(func(w *ward) {
			hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) }))
			w.t.Cleanup(hook.Close)
			w.seed.Webhook = &githubsim.Webhook{URL: hook.URL, Secret: "s", AppID: 5}
			w.begun = func(sim *simtest.Running) {
				pub := githubsim.Publication{Owner: "acme", Type: retention.NPM, Package: "pad", Versions: []githubsim.Version{{Name: "2.0.0"}}}
				if _, err := sim.Server.Publish(w.t.Context(), pub); err != nil {
					w.t.Fatal(err)
				}
			}
		}), doctor.WebhookFailing, doctor.Fail, "the newest 1 in a row", 1},
	}
}

func tokenSicknesses() []sickness {
	token := func(name string) func(*ward) { return func(w *ward) { w.env["GITHUB_TOKEN"] = name } }
	return []sickness{
		{"there is no token", token(""), doctor.CredentialMissing, doctor.Fail, "no credential: set GITHUB_TOKEN", 2},
		{"the token is wrong", token("ghp_wrong"), doctor.TokenRefused, doctor.Fail, "401", 1},
		{"the token has expired", token("old"), doctor.TokenRefused, doctor.Fail, "401", 1},
		{"the token expires soon", token("ageing"), doctor.TokenExpires, doctor.Note, "at 20", 0},
		{"the token is fine-grained", token("fine-grained"), doctor.TokenUnscoped, doctor.Note, "a token of mona", 1},
		{"the token can't read", token("other"), doctor.TokenNoRead, doctor.Fail, "", 1},
		{"the token can't delete", token("reader"), doctor.TokenNoDelete, doctor.Note, "", 0},
		{"the token can't delete, and the owner enforces", func(w *ward) { w.enforcing().env["GITHUB_TOKEN"] = "reader" }, doctor.TokenNoDelete, doctor.Fail, "", 1},
		{"the token can't restore", token("reader"), doctor.TokenNoWrite, doctor.Note, "", 0},
		{"the token sees no package", token("blind"), doctor.PackagesInvisible, doctor.Fail, "", 1},
		{"the probe names the last version", func(w *ward) {
			w.args = append(w.args, "--write-probe", "acme/container/api@v1")
		}, doctor.ProbeFailed, doctor.Fail, "last tagged version", 1},
		{"the probe is made while the kill switch is on", func(w *ward) {
			w.write("state/PAUSE", "incident 12")
			w.args = append(w.args, "--write-probe", "acme/npm/pad@1.0.0")
		}, doctor.ProbeFailed, doctor.Fail, "incident 12", 4},
		{"the token has no admin on the package", func(w *ward) {
			w.env["GITHUB_TOKEN"] = "weak"
			w.args = append(w.args, "--write-probe", "acme/npm/pad@1.0.0")
		}, doctor.ProbeFailed, doctor.Fail, "404", 1},
	}
}

func githubSicknesses() []sickness {
	return []sickness{
		{"GitHub can't be reached", func(w *ward) { w.url = "http://127.0.0.1:1" }, doctor.APIUnreachable, doctor.Fail, "refused", 1},
		{"GitHub fails", func(w *ward) { w.fault("GET /orgs/acme", "", 501) }, doctor.APIFailing, doctor.Fail, "501", 1},
		{"the rate limit is used up", func(w *ward) {
			w.seed.Faults = []githubsim.Fault{{Match: "GET /user", Kind: "primary_limit", RetryAfter: 3000}}
		}, doctor.RateLimited, doctor.Fail, "GitHub asks to wait until", 1},
		{"there is no such owner", func(w *ward) { w.config = strings.Replace(w.config, "acme", "nobody", 1) }, doctor.OwnerUnknown, doctor.Fail, "404", 1},
		{"the owner is no organization", func(w *ward) { w.config = strings.Replace(w.config, "{login: acme}", "{login: acme, kind: user}", 1) }, doctor.OwnerMismatch, doctor.Fail, "of kind organization, not user", 1},
		{"an owner that is not configured", func(w *ward) { w.args = append(w.args, "somebody") }, doctor.ConfigInvalid, doctor.Fail, "owner somebody is not in", 2},
		{"the list is refused", func(w *ward) { w.fault("GET /orgs/acme/packages", "", 403) }, doctor.PackagesForbidden, doctor.Fail, "403", 1},
		{"a page is unreadable", func(w *ward) { w.fault("GET /orgs/acme/packages/container/api/versions", "", 422) }, doctor.PackageUnreadable, doctor.Fail, "422", 1},
		{"the registry can't be reached", func(w *ward) { w.env["SHELFLIFE_REGISTRY_URL"] = "http://127.0.0.1:1" }, doctor.RegistryUnreachable, doctor.Fail, "refused", 1},
		{"the registry denies", func(w *ward) { w.fault("GET /token", "", 403) }, doctor.RegistryDenied, doctor.Fail, "403", 1},
		{"the registry can't be reached, and the manifests are cached", func(w *ward) {
			w.warmed(func(*simtest.Running) { w.env["SHELFLIFE_REGISTRY_URL"] = "http://127.0.0.1:1" })
		}, doctor.RegistryUnreachable, doctor.Fail, "refused", 1},
		{"the registry denies, and the manifests are cached", func(w *ward) {
			w.warmed(func(sim *simtest.Running) {
				if err := sim.Server.SetFaults([]githubsim.Fault{{Match: "GET /token", Status: 403}}); err != nil {
					w.t.Fatal(err)
				}
			})
		}, doctor.RegistryDenied, doctor.Fail, "403", 1},
	}
}

// warmed runs the doctor once on a healthy set-up, so that the state file holds
// every manifest, before something breaks.
func (w *ward) warmed(broken func(*simtest.Running)) {
	w.begun = func(sim *simtest.Running) {
		w.env["GITHUB_API_URL"], w.env["SHELFLIFE_REGISTRY_URL"] = w.url, w.url
		w.env["SHELFLIFE_CONFIG"] = w.write("shelflife.yaml", w.config)
		if code, out := w.exec("doctor"); code != 0 {
			w.t.Fatalf("the first look found something: %s", out)
		}
		broken(sim)
	}
}
