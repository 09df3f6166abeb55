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
	text   string // what its row of the table ends with
}

func sicknesses() []sickness {
	return slices.Concat(machineSicknesses(), bundleSicknesses(), appSicknesses(), tokenSicknesses(), githubSicknesses())
}

func machineSicknesses() []sickness {
	return []sickness{
		{"a misspelt key", func(w *ward) { w.config = "version: 1\nonwers: []\n" }, doctor.ConfigInvalid, doctor.Fail, `unknown key "onwers"; did you mean "owners"?`, 2, `did you mean "owners"?; correct it at the place that is named`},
		{"the configuration is not there", func(w *ward) { w.args = append(w.args, "--config", "nowhere.yaml") }, doctor.ConfigMissing, doctor.Fail, "nowhere.yaml", 2, `no such file or directory; correct --config or SHELFLIFE_CONFIG, or write that file`},
		{"no owner is named", func(w *ward) { w.config = "version: 1\n" }, doctor.ConfigUnnamed, doctor.Fail, "no owner", 2, `name one (shelflife plan OWNER), or list owners in shelflife.yaml`},
		{"the state file lies below a file", func(w *ward) { w.env["SHELFLIFE_STATE"] = w.write("file", "x") + "/shelflife.db" }, doctor.StateUnusable, doctor.Fail, "not a directory", 1, `not a directory: set SHELFLIFE_STATE to a file that can be written`},
		{"the state file is none", func(w *ward) { w.env["SHELFLIFE_STATE"] = w.write("file", strings.Repeat("no database ", 99)) }, doctor.StateUnusable, doctor.Fail, "not a database", 1, `set SHELFLIFE_STATE to a file that can be written`},
		{"the state file is of a newer version", func(w *ward) { w.exec("runs"); w.database("PRAGMA user_version = 999") }, doctor.StateNewer, doctor.Fail, "it has schema version 999", 1, `; update shelflife, or name another state file`},
		{"the ledger was changed", func(w *ward) {
			w.begun = func(*simtest.Running) {
				w.env["GITHUB_API_URL"], w.env["SHELFLIFE_REGISTRY_URL"] = w.url, w.url
				if code, out := w.exec("versions", "delete", "acme/npm/pad@1.0.0", "--yes"); code != 0 {
					w.t.Fatalf("no record was made: %d %s", code, out)
				}
				w.database("DROP TRIGGER ledger_records_no_update", "UPDATE ledger_records SET body = replace(body, 'acme', 'acne')")
			}
		}, doctor.LedgerBroken, doctor.Fail, "acme", 1, `restore it from a backup`},
		{"the last run was killed", (*ward).leaveOpen, doctor.ActionsOpen, doctor.Note, "1 action", 0, `1 action; apply their plan again, or let the next run find out`},
		{"the kill switch is on", func(w *ward) { w.write("state/PAUSE", "incident 12") }, doctor.Paused, doctor.Note, "the file PAUSE says: incident 12", 0, `incident 12; remove the file PAUSE beside the state file, or unset SHELFLIFE_PAUSE, once it is safe`},
		{"a policy is wrong", func(w *ward) {
			w.config += "policies: {path: " + filepath.Dir(w.write("policies/p.rego", "package retention.p\n\ndecisions contains x if y\n")) + "}\n"
		}, doctor.PolicyInvalid, doctor.Fail, "p.rego:1", 2, `; correct them; shelflife policy check shows them all`},
		{"the folder of policies is not there", func(w *ward) { w.config += "policies: {path: ./nope}\n" }, doctor.PolicyInvalid, doctor.Fail, "there is no folder", 2, `nope; correct policies.path`},
		{"a parameter is wrong", func(w *ward) { w.config += "params: {expire_untagged: {days: 3}}\n" }, doctor.PolicyInvalid, doctor.Fail, "days", 2, `; correct them; shelflife policy check shows them all`},
		{"a webhook secret is not set", func(w *ward) { w.config += "serve: {webhook_secrets: [HOOK_SECRET]}\n" }, doctor.WebhookSecret, doctor.Fail, "HOOK_SECRET", 2, `HOOK_SECRET; put the secret into the environment variable that serve.webhook_secrets names`},
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
		}, doctor.BundleUnverified, doctor.Fail, "it is not signed", 4, `or correct policies.verification_key; find out who wrote it`},
		{"the bundle is no archive", func(w *ward) {
			w.write("b.tar.gz", "hello")
			w.config += "policies: {bundle: b.tar.gz, verification_key: " + w.public() + "}\n"
		}, doctor.BundleRefused, doctor.Fail, "no gzip file", 2, `; build it with shelflife policy build or opa build`},
		{"the bundle is not there", func(w *ward) {
			w.published(", verification_key: "+w.public(), http.NotFound)
		}, doctor.BundleUnreachable, doctor.Fail, "404 Not Found", 1, `; check policies.bundle, and who may read it`},
		{"the bundle is not verified", func(w *ward) {
			w.write("b.tar.gz", string(w.bundle()))
			w.config += "policies: {bundle: b.tar.gz}\n"
		}, doctor.BundleNotVerified, doctor.Note, "the policy bundle is not verified", 0, `the policy bundle is not verified; set policies.verification_key`},
		{"the bundle is gone since", func(w *ward) { w.vanishing("") }, doctor.BundleStandsIn, doctor.Note, "confirmed", 0, `; make the source work again before it is stale`},
		{"the bundle is gone for long", func(w *ward) { w.vanishing(", bundle_max_age: 1ns") }, doctor.BundleStale, doctor.Fail, "last confirmed", 4, `; make the source work again; policies.bundle_max_age is the limit`},
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
		{"the key's file is not there", app(func(w *ward) { w.config = strings.Replace(w.config, "{KEY}", "nowhere.pem", 1) }), doctor.AppKeyUnusable, doctor.Fail, "nowhere.pem", 2, `nowhere.pem: no such file or directory; set the path of the .pem file that GitHub gave out for the App`},
		{"the key's file holds no key", app(func(w *ward) { w.write("app.pem", "hello") }), doctor.AppKeyUnusable, doctor.Fail, "app.pem", 2, `says RSA PRIVATE KEY or PRIVATE KEY); its BEGIN and END lines are missing: use the .pem file as it is, not in base64`},
		{"no App id is named", app(func(w *ward) { w.config = strings.Replace(w.config, "app_id: 5, ", "", 1) }), doctor.CredentialMissing, doctor.Fail, "app_id", 2, `set app_id or SHELFLIFE_APP_ID`},
		{"the key is another App's", app(func(w *ward) { w.write("app.pem", privatePEM(w.keys[1])) }), doctor.AppKeyForeign, doctor.Fail, "401", 1, `; check that the private key belongs to App id 5, and this machine's clock`},
		{"there is no such App", app(func(w *ward) { w.config = strings.Replace(w.config, "app_id: 5", "app_id: 6", 1) }), doctor.AppUnknown, doctor.Fail, "Integration not found", 1, `there is no App of that id: find the installation for acme (installation 77): status 404: Integration not found; correct app_id; it is on the App's page`},
		{"the clock is ahead", app(func(w *ward) { w.seed.Clock = time.Now().Add(-time.Hour) }), doctor.ClockAhead, doctor.Fail, "401", 1, `); set the clock, as with NTP`},
		{"the clock is behind", app(func(w *ward) { w.seed.Clock = time.Now().Add(time.Hour) }), doctor.ClockBehind, doctor.Fail, "401", 1, `); set the clock, as with NTP`},
		{"the clock is ahead, with a token", func(w *ward) { w.seed.Clock = time.Now().Add(-time.Hour) }, doctor.ClockAhead, doctor.Fail, "versions look older than they are", 1, `nothing is deleted; set the clock, as with NTP`},
		{"the clock is behind, with a token", func(w *ward) { w.seed.Clock = time.Now().Add(time.Hour) }, doctor.ClockBehind, doctor.Fail, "versions look younger than they are", 1, `App tokens are refused; set the clock, as with NTP`},
		{"there is no such installation", app(func(w *ward) { w.config = strings.Replace(w.config, "77", "79", 1) }), doctor.InstallationMissing, doctor.Fail, "404", 1, `; the App is not installed on acme, the installation was removed, or the installation id is wrong`},
		{"the installation is another account's", app(func(w *ward) { w.config = strings.Replace(w.config, "77", "78", 1) }), doctor.InstallationForeign, doctor.Fail, `"other"`, 1, `the installation belongs to another account: it is "other"'s, not "acme"'s; correct installation_id: each owner has its own`},
		{"the installation is suspended", app(func(w *ward) { w.seed.Apps[0].Installations[0].Suspended = true }), doctor.InstallationPaused, doctor.Fail, "since 2020-02-01", 1, `; have the owner unsuspend it under Settings, GitHub Apps`},
		{"the App has no permission", app(func(w *ward) { w.seed.Apps[0].Installations[0].Permissions = map[string]string{"contents": "read"} }), doctor.PermissionMissing, doctor.Fail, "", 1, `there; give it packages: write on the App's page, and have the owner accept it`},
		{"the App may only read", app(func(w *ward) { w.seed.Apps[0].Installations[0].Permissions["packages"] = "read" }), doctor.PermissionReadOnly, doctor.Note, "", 0, `apply does not; give it packages: write on the App's page, and have the owner accept it`},
		{"the App may only read, and the owner enforces", app(func(w *ward) {
			w.enforcing()
			w.seed.Apps[0].Installations[0].Permissions["packages"] = "read"
		}), doctor.PermissionReadOnly, doctor.Fail, "", 1, `apply does not; give it packages: write on the App's page, and have the owner accept it`},
		{"the App hears no events", app(func(w *ward) { w.seed.Apps[0].Events = []string{"push"} }), doctor.EventMissing, doctor.Note, "", 0, `; subscribe it to the event Registry package (or Package) on the App's page`},
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
		}), doctor.WebhookFailing, doctor.Fail, "the newest 1 in a row", 1, `; redeliver under the App's Advanced page`},
	}
}

func tokenSicknesses() []sickness {
	token := func(name string) func(*ward) { return func(w *ward) { w.env["GITHUB_TOKEN"] = name } }
	return []sickness{
		{"there is no token", token(""), doctor.CredentialMissing, doctor.Fail, "no credential: set GITHUB_TOKEN", 2, `sign in for acme: no credential: set GITHUB_TOKEN, or credentials in shelflife.yaml`},
		{"the token is wrong", token("ghp_wrong"), doctor.TokenRefused, doctor.Fail, "401", 1, `revoked: set a new one in GITHUB_TOKEN or GH_TOKEN`},
		{"the token has expired", token("old"), doctor.TokenRefused, doctor.Fail, "401", 1, `revoked: set a new one in GITHUB_TOKEN or GH_TOKEN`},
		{"the token expires soon", token("ageing"), doctor.TokenExpires, doctor.Note, "at 20", 0, `; make a new classic token before then`},
		{"the token is fine-grained", token("fine-grained"), doctor.TokenUnscoped, doctor.Note, "a token of mona", 1, `a token of mona; GitHub Packages takes classic tokens; see docs/github-setup.md`},
		{"the token can't read", token("other"), doctor.TokenNoRead, doctor.Fail, "", 1, `plan can't read; add it to the token`},
		{"the token can't delete", token("reader"), doctor.TokenNoDelete, doctor.Note, "", 0, `apply does not; add it to the token that applies`},
		{"the token can't delete, and the owner enforces", func(w *ward) { w.enforcing().env["GITHUB_TOKEN"] = "reader" }, doctor.TokenNoDelete, doctor.Fail, "", 1, `apply does not; add it to the token that applies`},
		{"the token can't restore", token("reader"), doctor.TokenNoWrite, doctor.Note, "", 0, `undo can't restore; add it to the token that undoes`},
		{"the token sees no package", token("blind"), doctor.PackagesInvisible, doctor.Fail, "", 1, `no package is visible; check on GitHub whether there are any, and that the credential has read:packages and access to them; see docs/github-setup.md`},
		{"the probe names the last version", func(w *ward) {
			w.args = append(w.args, "--write-probe", "acme/container/api@v1")
		}, doctor.ProbeFailed, doctor.Fail, "last tagged version", 1, `; to retire the package, delete it whole (policy retire_package, or shelflife packages delete)`},
		{"the probe is made while the kill switch is on", func(w *ward) {
			w.write("state/PAUSE", "incident 12")
			w.args = append(w.args, "--write-probe", "acme/npm/pad@1.0.0")
		}, doctor.ProbeFailed, doctor.Fail, "incident 12", 4, `nothing is deleted; remove the file PAUSE beside the state file, or unset SHELFLIFE_PAUSE, once it is safe`},
		{"the token has no admin on the package", func(w *ward) {
			w.env["GITHUB_TOKEN"] = "weak"
			w.args = append(w.args, "--write-probe", "acme/npm/pad@1.0.0")
		}, doctor.ProbeFailed, doctor.Fail, "404", 1, `: check the name, and that the credential has read:packages and delete:packages, and admin on the package`},
	}
}

func githubSicknesses() []sickness {
	return []sickness{
		{"GitHub can't be reached", func(w *ward) { w.url = "http://127.0.0.1:1" }, doctor.APIUnreachable, doctor.Fail, "refused", 1, `connection refused; check the network and the API address http://127.0.0.1:1`},
		{"GitHub fails", func(w *ward) { w.fault("GET /orgs/acme", "", 501) }, doctor.APIFailing, doctor.Fail, "501", 1, `; try again later; see https://www.githubstatus.com`},
		{"the rate limit is used up", func(w *ward) {
			w.seed.Faults = []githubsim.Fault{{Match: "GET /user", Kind: "primary_limit", RetryAfter: 3000}}
		}, doctor.RateLimited, doctor.Fail, "GitHub asks to wait until", 1, `: run the same command again then`},
		{"there is no such owner", func(w *ward) { w.config = strings.Replace(w.config, "acme", "nobody", 1) }, doctor.OwnerUnknown, doctor.Fail, "404", 1, `; check the name`},
		{"the owner is no organization", func(w *ward) { w.config = strings.Replace(w.config, "{login: acme}", "{login: acme, kind: user}", 1) }, doctor.OwnerMismatch, doctor.Fail, "of kind organization, not user", 1, `: correct the owner's name and kind in the configuration`},
		{"an owner that is not configured", func(w *ward) { w.args = append(w.args, "somebody") }, doctor.ConfigUnnamed, doctor.Fail, "owner somebody is not in", 2, `and no other owner is touched; add it there`},
		{"the list is refused", func(w *ward) { w.fault("GET /orgs/acme/packages", "", 403) }, doctor.PackagesForbidden, doctor.Fail, "403", 1, `"Manage Actions access" (and 5 more like it)`},
		{"a page is unreadable", func(w *ward) { w.fault("GET /orgs/acme/packages/container/api/versions", "", 422) }, doctor.PackageUnreadable, doctor.Fail, "422", 1, `: check the request against GitHub's documentation of Packages`},
		{"the registry can't be reached", func(w *ward) { w.env["SHELFLIFE_REGISTRY_URL"] = "http://127.0.0.1:1" }, doctor.RegistryUnreachable, doctor.Fail, "refused", 1, `connection refused (and 1 more like it); check the network, and SHELFLIFE_REGISTRY_URL or api.registry_url`},
		{"the registry denies", func(w *ward) { w.fault("GET /token", "", 403) }, doctor.RegistryDenied, doctor.Fail, "403", 1, `answered 403 Forbidden (and 1 more like it); give the credential read:packages, and access to the package`},
		{"the registry can't be reached, and the manifests are cached", func(w *ward) {
			w.warmed(func(*simtest.Running) { w.env["SHELFLIFE_REGISTRY_URL"] = "http://127.0.0.1:1" })
		}, doctor.RegistryUnreachable, doctor.Fail, "refused", 1, `connection refused; check the network, and SHELFLIFE_REGISTRY_URL or api.registry_url`},
		{"the registry denies, and the manifests are cached", func(w *ward) {
			w.warmed(func(sim *simtest.Running) {
				if err := sim.Server.SetFaults([]githubsim.Fault{{Match: "GET /token", Status: 403}}); err != nil {
					w.t.Fatal(err)
				}
			})
		}, doctor.RegistryDenied, doctor.Fail, "403", 1, `answered 403 Forbidden; give the credential read:packages, and access to the package`},
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
