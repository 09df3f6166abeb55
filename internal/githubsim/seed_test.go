package githubsim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/testclock"
)

const documentedSeed = `{"owners":[{"login":"acme","kind":"organization","packages":[
  {"name":"team/api","package_type":"container","visibility":"private","repository":"acme/api",
   "versions":[
     {"key":"v1","created_at":"2026-01-01T00:00:00Z","tags":["v1.0.0","latest"],"index":["v1-amd64","v1-arm64"]},
     {"key":"v1-amd64","created_at":"2026-01-01T00:00:00Z","platform":"linux/amd64"},
     {"key":"v1-arm64","created_at":"2026-01-01T00:00:00Z","platform":"linux/arm64"},
     {"key":"sig","created_at":"-40d","cosign_signature_of":"v1"},
     {"key":"att","created_at":"-36h","subject":"v1","artifact_type":"application/vnd.in-toto+json"}]},
  {"name":"left-pad","package_type":"npm","versions":[{"name":"1.0.0-rc.1","created_at":"-1d12h"}]}]}],
 "faults":[{"match":"DELETE /orgs/*/packages/*/*/versions/*","status":500,"after_effect":true,"times":2}],
 "latency":"20ms","clock":"2026-11-22T00:00:00Z"}`

func TestReadSeedRoundTrips(t *testing.T) {
	for name, text := range map[string]string{"documented": documentedSeed, "empty": `{"owners":[]}`} {
		t.Run(name, func(t *testing.T) {
			first := seedOf(t, text)
			raw, err := json.Marshal(first)
			if err != nil {
				t.Fatal(err)
			}
			again, err := githubsim.ReadSeed(bytes.NewReader(raw))
			if err != nil {
				t.Fatalf("read what was written: %v\n%s", err, raw)
			}
			if diff := cmp.Diff(first, again, cmp.AllowUnexported(githubsim.When{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("seed changed (-first +again):\n%s", diff)
			}
		})
	}
}

func TestReadSeedNamesThePlaceOfAMistake(t *testing.T) {
	container := func(versions string) string {
		return `{"owners":[{"login":"acme","packages":[{"name":"api","package_type":"container","versions":[` + versions + `]}]}]}`
	}
	for _, tc := range []struct{ name, seed, want string }{
		{"unknown field", "{\"owners\":[],\n\"ownerz\":1}", `line 2: json: unknown field "ownerz"`},
		{"key twice in an object", "{\"owners\":[\n{\"login\":\"a\",\"login\":\"b\"}]}", `line 2: key "login" is there twice`},
		{"wrong type", "{\"owners\":\n3}", "line 2:"},
		{"broken JSON", "{\"owners\":[\n}", "line 2:"},
		{"something after", "{}\n{}", "line 2: something follows"},
		{"bad age", "{\"owners\":[{\"login\":\"a\",\"packages\":[{\"name\":\"p\",\"package_type\":\"npm\",\n\"versions\":[{\"name\":\"1\",\"created_at\":\"-4x\"}]}]}]}", `line 2: "-4x" is no age`},
		{"login twice", `{"owners":[{"login":"acme"},{"login":"ACME"}]}`, `login "ACME" is there twice`},
		{"version key twice", container(`{"key":"a"},{"key":"a"}`), `acme: container/api: version key "a" is there twice`},
		{"dangling child", container(`{"key":"a","index":["b"]}`), `version "a" refers to "b", which is not in the package`},
		{"dangling signature", container(`{"key":"a","cosign_signature_of":"b"}`), `version "a" refers to "b"`},
		{"cycle", container(`{"key":"a","index":["b"]},{"key":"b","index":["a"]}`), "refers to itself"},
		{"tag twice", container(`{"key":"a","tags":["x"]},{"key":"b","tags":["x"]}`), `version "b": tag "x" is also that of "a"`},
		{"two shapes", container(`{"key":"a"},{"key":"b","index":["a"],"cosign_signature_of":"a"}`), "2 shapes"},
		{"named container", container(`{"key":"a","name":"1"}`), "use key"},
		{"id twice", container(`{"key":"a","id":7},{"key":"b","id":7}`), "id 7 is also that of container/api@a"},
		{"npm without a name", `{"owners":[{"login":"a","packages":[{"name":"p","package_type":"npm","versions":[{"key":"x"}]}]}]}`, "needs a name"},
		{"npm with tags", `{"owners":[{"login":"a","packages":[{"name":"p","package_type":"npm","versions":[{"name":"1","tags":["x"]}]}]}]}`, "has no tags"},
		{"unknown type", `{"owners":[{"login":"a","packages":[{"name":"p","package_type":"gem","versions":[]}]}]}`, `package_type "gem"`},
		{"package twice", `{"owners":[{"login":"a","packages":[{"name":"p","package_type":"npm","versions":[]},{"name":"p","package_type":"npm","versions":[]}]}]}`, "the package is there twice"},
		{"fault without a method", `{"owners":[],"faults":[{"match":"/x","status":500}]}`, "faults[0]: match"},
		{"fault without a status", `{"owners":[],"faults":[{"match":"GET /x"}]}`, "faults[0]: status 0"},
		{"fault of no kind", `{"owners":[],"faults":[{"match":"GET /x","kind":"odd"}]}`, `kind "odd" is unknown`},
		{"App without a key", `{"owners":[],"apps":[{"app_id":1}]}`, "apps[0]: it needs public_key_pem"},
		{"token without a login", `{"owners":[],"tokens":[{"token":"x"}]}`, "tokens[0]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := githubsim.ReadSeed(strings.NewReader(tc.seed))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestSameContentTwiceIsRefused(t *testing.T) {
	seed := seedOf(t, `{"owners":[{"login":"acme","packages":[{"name":"api","package_type":"container","versions":[
		{"key":"img"},{"key":"a","media_type":"docker","index":["img"]},{"key":"b","media_type":"docker","index":["img"]}]}]}]}`)
	if _, err := githubsim.New(seed); err == nil || !strings.Contains(err.Error(), `versions "a" and "b" have the same content`) {
		t.Errorf("got %v", err)
	}
}

func TestEmbeddedSeedsAreWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		seed             githubsim.Seed
		packages, active int
	}{
		"sample": {githubsim.SampleSeed(), 7, 88},
		"user":   {githubsim.UserSeed(), 2, 7},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := githubsim.New(tc.seed)
			if err != nil {
				t.Fatal(err)
			}
			active := 0
			packages := server.State().Owners[0].Packages
			for _, p := range packages {
				for _, v := range p.Versions {
					if v.DeletedAt.IsZero() {
						active++
					}
				}
			}
			if len(packages) != tc.packages || active != tc.active {
				t.Errorf("%d packages with %d active versions, want %d and %d", len(packages), active, tc.packages, tc.active)
			}
		})
	}
}

func TestDigestsDoNotDependOnTheClock(t *testing.T) {
	names := func(opts ...githubsim.Option) []string {
		server, err := githubsim.New(githubsim.SampleSeed(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range server.State().Owners[0].Packages {
			for _, v := range p.Versions {
				out = append(out, v.Key+" "+v.Name)
			}
		}
		return out
	}
	if diff := cmp.Diff(names(), names(githubsim.WithClock(testclock.New(start).Now))); diff != "" {
		t.Error(diff)
	}
}

func FuzzReadSeed(f *testing.F) {
	f.Add([]byte(documentedSeed))
	f.Add([]byte(`{"owners":[{"login":"a","packages":[{"name":"p","package_type":"container","versions":[{"key":"a","index":[]},{"key":"b","fallback_referrers_of":"a","index":["a"]}]}]}]}`))
	f.Add([]byte(`[[[[{"a":{"a":1}}]]]]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		seed, err := githubsim.ReadSeed(bytes.NewReader(raw))
		if err != nil {
			return
		}
		server, err := githubsim.New(seed)
		if err != nil {
			return // the same content twice shows only when it is built
		}
		if got := len(server.State().Owners); got != len(seed.Owners) {
			t.Errorf("%d owners became %d", len(seed.Owners), got)
		}
	})
}

func TestASeedThatIsTooLargeIsNotRead(t *testing.T) {
	r := io.LimitReader(spaces{}, 65<<20)
	if _, err := githubsim.ReadSeed(r); err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

// spaces gives spaces for ever.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
