package policy_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

func TestABundleDecidesAsItsFolderDoes(t *testing.T) {
	dir := onePolicy(t)
	key := rsaPair(t)
	fromBundle, err := loadBundle(build(t, dir, "v42", "RS256", key.private), policy.VerificationKey{PEM: key.public})
	if err != nil {
		t.Fatal(err)
	}
	fromFolder, err := policy.Load(t.Context(), policies.FS, policy.Options{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	inv := npmPackage(6)
	want := decide(t, fromFolder, inv)
	if len(want.Decisions) != 3 {
		t.Fatalf("%d decisions, want 3: %+v", len(want.Decisions), want)
	}
	if diff := cmp.Diff(want, decide(t, fromBundle, inv)); diff != "" {
		t.Errorf("decisions (-folder +bundle):\n%s", diff)
	}
	if got := fromBundle.Bundle().Revision; got != "v42" {
		t.Errorf("revision %q, want that of the manifest", got)
	}
}

func TestABundleOfTheShippedPoliciesHoldsThemAll(t *testing.T) {
	archive, identity, err := policy.BuildBundle(t.Context(), policies.FS, policy.BuildOptions{Options: policy.Options{Builtin: true}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := loadBundle(archive, policy.VerificationKey{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Bundle() != identity || identity.Revision == "" {
		t.Errorf("loaded %+v, built %+v", e.Bundle(), identity)
	}
	shipped, err := policy.Load(t.Context(), policies.FS, policy.Options{Builtin: true})
	if err != nil {
		t.Fatal(err)
	}
	names := func(e *policy.Engine) (out []string) {
		for _, p := range e.Policies() {
			out = append(out, p.Name)
		}
		return out
	}
	if diff := cmp.Diff(names(shipped), names(e)); diff != "" {
		t.Errorf("policies (-shipped +bundle):\n%s", diff)
	}
}

func TestTheSamePoliciesMakeTheSameBytes(t *testing.T) {
	dir, key := onePolicy(t), rsaPair(t)
	if !bytes.Equal(build(t, dir, "", "RS256", key.private), build(t, dir, "", "RS256", key.private)) {
		t.Error("two builds of the same policies differ")
	}
}

func TestTheRevisionIsPartOfTheDigest(t *testing.T) {
	dir := onePolicy(t)
	a, err := loadBundle(build(t, dir, "one", "", nil), policy.VerificationKey{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := loadBundle(build(t, dir, "two", "", nil), policy.VerificationKey{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Bundle().Digest == b.Bundle().Digest {
		t.Error("two revisions have one digest")
	}
}

func TestEveryAlgorithmSignsAndVerifies(t *testing.T) {
	dir := onePolicy(t)
	r, ed := rsaPair(t), edPair(t)
	p256, p384, p521 := ecPair(t, elliptic.P256()), ecPair(t, elliptic.P384()), ecPair(t, elliptic.P521())
	pairs := map[string]keyPair{
		"RS256": r, "RS384": r, "RS512": r, "PS256": r, "PS384": r, "PS512": r,
		"ES256": p256, "ES384": p384, "ES512": p521, "EdDSA": ed,
	}
	if len(pairs) != len(policy.SigningAlgorithms()) {
		t.Fatalf("%d of %d algorithms are tested", len(pairs), len(policy.SigningAlgorithms()))
	}
	for alg, pair := range pairs {
		t.Run(alg, func(t *testing.T) {
			archive := build(t, dir, "v1", alg, pair.private)
			if _, err := loadBundle(archive, policy.VerificationKey{PEM: pair.public}); err != nil {
				t.Error(err)
			}
			other := map[bool]keyPair{true: ed, false: rsaPair(t)}[alg != "EdDSA"]
			if _, err := loadBundle(archive, policy.VerificationKey{PEM: other.public}); err == nil {
				t.Error("another key verifies it too")
			}
		})
	}
}

// TestTheStockOPAReadsOurBundles holds that a bundle is one: opa inspects and
// evaluates it, verifies its signature, and refuses it once it is changed.
func TestTheStockOPAReadsOurBundles(t *testing.T) {
	key, dir := rsaPair(t), t.TempDir()
	archive := build(t, onePolicy(t), "v42", "RS256", key.private)
	path := write(t, dir, "bundle.tar.gz", archive)
	public := write(t, dir, "public.pem", key.public)

	out, err := opa(t, dir, "inspect", path, "--format", "json")
	if err != nil {
		t.Fatalf("opa inspect: %v\n%s", err, out)
	}
	var seen struct {
		Manifest   struct{ Revision string }
		Namespaces map[string][]string
	}
	if err := json.Unmarshal([]byte(out), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Manifest.Revision != "v42" || len(seen.Namespaces["data.retention.expire_all"]) != 1 {
		t.Errorf("opa inspect sees %+v", seen)
	}

	e, err := loadBundle(archive, policy.VerificationKey{})
	if err != nil {
		t.Fatal(err)
	}
	input, err := e.InputJSON(requestFor(npmPackage(6)))
	if err != nil {
		t.Fatal(err)
	}
	in := write(t, dir, "input.json", input)
	out, err = opa(t, dir, "eval", "-b", path, "-i", in, "--format", "raw", "count(data.retention.expire_all.decisions)")
	if err != nil || strings.TrimSpace(out) != "3" {
		t.Errorf("opa eval says %q, %v; want 3", out, err)
	}

	rebuilt := filepath.Join(dir, "rebuilt.tar.gz")
	if out, err := opa(t, dir, "build", "-b", path, "--verification-key", public, "-o", rebuilt); err != nil {
		t.Errorf("opa does not verify our signature: %v\n%s", err, out)
	}
	tampered := entries(t, archive)
	for i := range tampered {
		if strings.HasSuffix(tampered[i].Name, "expire_all.rego") {
			tampered[i].data = append(tampered[i].data, '\n')
		}
	}
	bad := write(t, dir, "bad.tar.gz", pack(t, tampered...))
	if out, err := opa(t, dir, "build", "-b", bad, "--verification-key", public, "-o", rebuilt); err == nil {
		t.Errorf("opa takes a changed bundle:\n%s", out)
	}
}

// TestBundlesOfTheStockOPAAreRead goes the other way: built and signed by opa.
func TestBundlesOfTheStockOPAAreRead(t *testing.T) {
	key, dir := rsaPair(t), t.TempDir()
	private, own := write(t, dir, "private.pem", key.private), onePolicy(t)
	if err := os.CopyFS(filepath.Join(own, "lib"), os.DirFS("../../policies/lib")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "stock.tar.gz")
	out, err := opa(t, dir, "build", "-b", own, "--revision", "from-opa", "--signing-key", private, "--ignore", "*_test.rego", "-o", path)
	if err != nil {
		t.Fatalf("opa build: %v\n%s", err, out)
	}
	archive := read(t, path)
	e, err := loadBundle(archive, policy.VerificationKey{PEM: key.public})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Bundle().Revision; got != "from-opa" {
		t.Errorf("revision %q, want from-opa", got)
	}
	j := decide(t, e, npmPackage(6))
	if got := len(j.Decisions); got != 3 || j.Decisions[0].Action != retention.Delete {
		t.Errorf("%d decisions, want 3: %+v", got, j.Decisions)
	}
}

func TestABundleWithoutTheLibraryGetsTheShippedOne(t *testing.T) {
	bare := func(list []entry) (out []entry) {
		for _, e := range list {
			if !strings.HasPrefix(e.Name, "/shipped/") {
				out = append(out, e)
			}
		}
		return out
	}
	whole := entries(t, build(t, onePolicy(t), "v1", "", nil))
	if len(bare(whole)) == len(whole) {
		t.Fatal("a built bundle holds no library")
	}
	e, err := loadBundle(pack(t, bare(whole)...), policy.VerificationKey{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(decide(t, e, npmPackage(6)).Decisions); got != 3 {
		t.Errorf("%d decisions, want 3", got)
	}
}

// TestABundleIsCheckedAsAFolderIs holds that a signature is no licence: what its
// holder signed still has to keep to capabilities, schema and METADATA.
func TestABundleIsCheckedAsAFolderIs(t *testing.T) {
	for name, tc := range map[string]struct{ rules, want string }{
		"the network": {`decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	http.send({"method": "get", "url": "https://example.com"}).status_code == 200
}`, "a policy sees no network"},
		"a misspelt field": {`decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	v.age_dayz > 3
}`, "age_dayz"},
		"an unused variable": {`decisions contains {"action": "delete", "version": v.id, "reason": "x"} if {
	some v in input.versions
	w := 3
}`, "assigned var w unused"},
		"no METADATA": {"", "has no METADATA"},
	} {
		t.Run(name, func(t *testing.T) {
			text := withMetadata("bad", "", tc.rules)
			if tc.rules == "" {
				text = "package retention.bad\n\ndecisions contains {\"action\": \"keep\", \"package\": true, \"reason\": \"x\"}\n"
			}
			_, err := loadBundle(pack(t, file("/bad.rego", text)), policy.VerificationKey{})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "bundle/bad.rego") {
				t.Errorf("got %v, want something with %q and its place", err, tc.want)
			}
		})
	}
}
