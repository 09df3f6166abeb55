package policy_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func base(e entry) string { return e.Name[strings.LastIndexByte(e.Name, '/')+1:] }

// TestWhatItsHolderDidNotSignIsRefused is the list of ways round a signature. The
// first is the worst: a reader that skips the check where there is nothing to
// check takes every unsigned bundle (GHSA-g2pf-6v5v-qcc8 in another product).
func TestWhatItsHolderDidNotSignIsRefused(t *testing.T) {
	key, dir := rsaPair(t), onePolicy(t)
	signed := build(t, dir, "v1", "RS256", key.private)
	unsigned := build(t, dir, "v1", "", nil)
	change := func(f func([]entry) []entry) []byte { return pack(t, f(entries(t, signed))...) }
	edit := func(name string, f func([]byte) []byte) []byte {
		return change(func(list []entry) []entry {
			for i := range list {
				if base(list[i]) == name {
					list[i].data = f(list[i].data)
					return list
				}
			}
			t.Fatalf("the bundle has no %s", name)
			return nil
		})
	}
	public := policy.VerificationKey{PEM: key.public}
	for name, tc := range map[string]struct {
		archive []byte
		key     policy.VerificationKey
		want    string
	}{
		"not signed":          {unsigned, public, "it is not signed"},
		"signature taken out": {change(without(".signatures.json")), public, "it is not signed"},
		"signatures null":     {edit(".signatures.json", replace(`{"signatures": null}`)), public, "holds 0 signatures"},
		"no signatures":       {edit(".signatures.json", replace(`{"signatures": []}`)), public, "holds 0 signatures"},
		"an empty object":     {edit(".signatures.json", replace(`{}`)), public, "holds 0 signatures"},
		"two signatures":      {edit(".signatures.json", twice), public, "holds 2 signatures"},
		"a plugin":            {edit(".signatures.json", replace(`{"signatures": ["a.b.c"], "plugin": "mine"}`)), public, "asks for the plugin"},
		"no JSON":             {edit(".signatures.json", replace(`nope`)), public, "is not JSON"},
		"no token":            {edit(".signatures.json", replace(`{"signatures": ["nope"]}`)), public, "no JSON web token"},
		"algorithm none":      {edit(".signatures.json", realgorithm(t, "none")), public, `signed with "none"`},
		"public key as secret": {edit(".signatures.json", func(b []byte) []byte {
			return resign(t, b, key.public)
		}), public, `signed with "HS256"`},
		"another algorithm of the key": {edit(".signatures.json", realgorithm(t, "RS512")), public, "failed to verify"},
		"another key":                  {signed, policy.VerificationKey{PEM: rsaPair(t).public}, "failed to verify"},
		"another key id":               {signed, policy.VerificationKey{PEM: key.public, ID: "other"}, "verification key corresponding to ID default not found"},
		"another scope":                {signed, policy.VerificationKey{PEM: key.public, Scope: "write"}, "scope mismatch"},
		"a policy changed": {edit("expire_all.rego", func(b []byte) []byte {
			return bytes.Replace(b, []byte("older_than_days\n"), []byte("older_than_days - 3\n"), 1)
		}), public, "digest mismatch"},
		"data changed":           {edit("data.json", replace(`{"params": {}}`)), public, "digest mismatch"},
		"the manifest changed":   {edit(".manifest", replace(`{"revision": "v2", "roots": [""], "rego_version": 1}`)), public, "digest mismatch"},
		"a file too many":        {change(with(file("/policies/extra.rego", "package extra\n"))), public, "not included in bundle signature"},
		"a text too many":        {change(with(file("/README", "hello"))), public, "not included in bundle signature"},
		"data too many":          {change(with(file("/deployed/data.json", "{}"))), public, "not included in bundle signature"},
		"a file too few":         {change(without("expire_all.rego")), public, "not found in the target bundle"},
		"the manifest taken out": {change(without(".manifest")), public, "not found in the target bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadBundle(tc.archive, tc.key)
			if !errors.Is(err, policy.ErrUnverified) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrUnverified with %q", err, tc.want)
			}
		})
	}
	if _, err := loadBundle(signed, public); err != nil {
		t.Errorf("the bundle itself: %v", err)
	}
	if _, err := loadBundle(unsigned, policy.VerificationKey{}); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func without(name string) func([]entry) []entry {
	return func(list []entry) []entry {
		return slices.DeleteFunc(list, func(e entry) bool { return base(e) == name })
	}
}

func with(e entry) func([]entry) []entry {
	return func(list []entry) []entry { return append(list, e) }
}

func replace(text string) func([]byte) []byte { return func([]byte) []byte { return []byte(text) } }

func token(t testing.TB, signatures []byte) []string {
	t.Helper()
	var f struct{ Signatures []string }
	if err := json.Unmarshal(signatures, &f); err != nil {
		t.Fatal(err)
	}
	return strings.Split(f.Signatures[0], ".")
}

func signatures(parts ...string) []byte {
	return fmt.Appendf(nil, `{"signatures": [%q]}`, strings.Join(parts, "."))
}

func twice(b []byte) []byte { return bytes.Replace(b, []byte(`[`), []byte(`["a.b.c", `), 1) }

func realgorithm(t testing.TB, alg string) func([]byte) []byte {
	return func(b []byte) []byte {
		parts := token(t, b)
		parts[0] = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q,"kid":"default"}`, alg))
		return signatures(parts...)
	}
}

// resign signs with the public key as if it were a secret that both sides hold.
func resign(t testing.TB, b, secret []byte) []byte {
	parts := token(t, b)
	parts[0] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"default"}`))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	return signatures(parts[0], parts[1], base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

func TestArchivesThatAreNoPlainBundleAreRefused(t *testing.T) {
	rego := withMetadata("p", "", `decisions contains {"action": "keep", "package": true, "reason": "x"}`)
	good := file("/p.rego", rego)
	link := func(kind byte) entry {
		return entry{tar.Header{Name: "/q.rego", Typeflag: kind, Linkname: "/etc/passwd"}, nil}
	}
	whole := pack(t, good)
	var many []entry
	for i := range 2001 {
		many = append(many, file(fmt.Sprintf("/t%d.txt", i), ""))
	}
	for name, tc := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":              {[]byte{}, "no gzip file"},
		"no archive":           {[]byte("hello"), "no gzip file"},
		"empty":                {pack(t), "it is empty"},
		"folders only":         {pack(t, entry{tar.Header{Name: "/a/", Typeflag: tar.TypeDir}, nil}), "it is empty"},
		"no policy":            {pack(t, file("/data.json", "{}")), "there is no .rego file in it"},
		"cut off":              {whole[:len(whole)-12], "cut off or damaged"},
		"cut in half":          {whole[:len(whole)/2], "cut off or damaged"},
		"a wrong checksum":     {flip(whole, len(whole)-6), "cut off or damaged"},
		"a second archive":     {append(slices.Clone(whole), pack(t, file("/x.rego", rego))...), "something behind its end"},
		"a path upwards":       {pack(t, file("../p.rego", rego)), "leads out of it"},
		"a path upwards below": {pack(t, file("/a/../../p.rego", rego)), "leads out of it"},
		"two slashes":          {pack(t, file("//etc/p.rego", rego)), "leads out of it"},
		"a drive":              {pack(t, file(`C:\p.rego`, rego)), "leads out of it"},
		"backslashes":          {pack(t, file(`a\..\..\p.rego`, rego)), "leads out of it"},
		"a symbolic link":      {pack(t, good, link(tar.TypeSymlink)), "a link or a special file"},
		"a hard link":          {pack(t, good, link(tar.TypeLink)), "a link or a special file"},
		"a device":             {pack(t, good, link(tar.TypeChar)), "a link or a special file"},
		"a pipe":               {pack(t, good, link(tar.TypeFifo)), "a link or a special file"},
		"two of one name":      {pack(t, good, good), "two files"},
		"two spellings":        {pack(t, good, file("p.rego", rego)), "two files"},
		"too deep":             {pack(t, file("/"+strings.Repeat("a/", 16)+"p.rego", rego)), "deeper than 16 folders"},
		"too long a name":      {pack(t, file("/"+strings.Repeat("a", 520)+".rego", rego)), "longer than 512 bytes"},
		"control characters":   {pack(t, file("/a\x1b[2J.rego", rego)), "control characters"},
		"too many files":       {pack(t, many...), "more than 2000 files"},
		"too large a file":     {pack(t, good, entry{tar.Header{Name: "/big.txt"}, make([]byte, 16<<20+1)}), "larger than 16 MiB"},
		"a bomb":               {bomb(t, 65<<20), "unpacks to more than 64 MiB"},
		"too large":            {make([]byte, policy.MaxBundleBytes+1), "larger than 16 MiB"},
		"a delta bundle":       {pack(t, file("/patch.json", `{"data": []}`)), "delta bundle"},
		"a delta beside":       {pack(t, good, file("/a/patch.json", `{"data": []}`)), "delta bundle"},
		"WebAssembly":          {pack(t, good, file("/policy.wasm", "\x00asm")), "compiled code"},
		"a plan":               {pack(t, good, file("/plan.json", "{}")), "compiled code"},
		"signature elsewhere":  {pack(t, good, file("/a/.signatures.json", "{}")), "does not lie at its root"},
		"data over rules":      {pack(t, good, file("/retention/p/data.json", `{"decisions": []}`)), `"retention", where the policies are`},
		"data over library":    {pack(t, good, file("/data.json", `{"lib": {}}`)), `"lib", where the policies are`},
		"broken data":          {pack(t, good, file("/data.json", `{`)), `"data.json" is not JSON`},
		"YAML aliases":         {pack(t, good, file("/data.json", yamlAliases)), `"data.json" is not JSON`},
		"YAML in the manifest": {pack(t, good, file("/.manifest", yamlAliases)), `".manifest" is not JSON`},
		"YAML further down":    {pack(t, good, file("/a/data.json", "a: 1")), `"a/data.json" is not JSON`},
		"data.yaml":            {pack(t, good, file("/a/data.yaml", "{}")), `"a/data.yaml" is YAML`},
		"data.yml":             {pack(t, good, file("/data.yml", "{}")), `"data.yml" is YAML`},
		"two manifests":        {pack(t, good, file("/.manifest", `{}`), file("/a/.manifest", `{}`)), "multiple manifest"},
		"an odd revision":      {pack(t, good, file("/.manifest", `{"revision": "a\nb"}`)), "no plain text"},
		"a long revision":      {pack(t, good, file("/.manifest", `{"revision": "`+strings.Repeat("a", 129)+`"}`)), "no plain text"},
		"a policy elsewhere":   {pack(t, good, file("/.manifest", `{"roots": ["other"]}`)), "do not permit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadBundle(tc.archive, policy.VerificationKey{})
			if !errors.Is(err, policy.ErrBundleArchive) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrBundleArchive with %q", err, tc.want)
			}
		})
	}
	for name, archive := range map[string][]byte{
		"no slash":  pack(t, file("p.rego", rego)),
		"as by tar": pack(t, entry{tar.Header{Name: "./", Typeflag: tar.TypeDir}, nil}, file("./p.rego", rego), file("./.manifest", `{"revision": "r"}`)),
		"a slash":   whole,
	} {
		if _, err := loadBundle(archive, policy.VerificationKey{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// yamlAliases is small enough for a test. With a longer text and more aliases
// the same becomes gigabytes.
const yamlAliases = `a: &a "some text"
b: [*a, *a, *a, *a, *a, *a, *a, *a]
`

// Documents are refused before OPA looks at a signature: it parses them in order
// to check their hash, so nobody has to hold the key to have them expanded.
func TestDocumentsAreNotExpandedBeforeTheyAreVerified(t *testing.T) {
	key := edPair(t)
	signed := build(t, onePolicy(t), "v1", "EdDSA", key.private)
	for _, name := range []string{"data.json", ".manifest"} {
		list := entries(t, signed)
		for i := range list {
			if base(list[i]) == name {
				list[i].data = []byte(yamlAliases)
			}
		}
		_, err := loadBundle(pack(t, list...), policy.VerificationKey{PEM: key.public})
		if !errors.Is(err, policy.ErrBundleArchive) || !strings.Contains(err.Error(), "is not JSON") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func flip(b []byte, at int) []byte {
	out := slices.Clone(b)
	out[at] ^= 1
	return out
}

// bomb is a small archive of many zeros, in files of their own.
func bomb(t testing.TB, size int) []byte {
	t.Helper()
	var list []entry
	for i := 0; size > 0; i++ {
		n := min(size, 8<<20)
		list = append(list, entry{tar.Header{Name: fmt.Sprintf("/z%d.txt", i)}, make([]byte, n)})
		size -= n
	}
	out := pack(t, list...)
	if len(out) > 1<<20 {
		t.Fatalf("the bomb has %d bytes: it packs badly", len(out))
	}
	return out
}

func TestKeysThatVerifyNothingAreRefused(t *testing.T) {
	key := rsaPair(t)
	for name, tc := range map[string]struct {
		pem  []byte
		want string
	}{
		"a private key": {key.private, "is a private key"},
		"no PEM":        {[]byte("secret"), "no PEM file"},
		"two keys":      {append(slices.Clone(key.public), key.public...), "more than one key"},
		"damaged":       {bytes.Replace(key.public, []byte("MIIB"), []byte("AAAA"), 1), "read the verification key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := policy.VerificationKey{PEM: tc.pem}.Check()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want something with %q", err, tc.want)
			}
		})
	}
	if err := (policy.VerificationKey{PEM: key.public}).Check(); err != nil {
		t.Error(err)
	}
}

func TestAKeyThatDoesNotGoWithTheAlgorithmSignsNothing(t *testing.T) {
	key := rsaPair(t)
	for name, tc := range map[string]struct {
		key  policy.SigningKey
		want string
	}{
		"RSA with ES256":    {policy.SigningKey{PEM: key.private, Algorithm: "ES256"}, "have to go together"},
		"a public key":      {policy.SigningKey{PEM: key.public, Algorithm: "RS256"}, "no private key"},
		"a shared secret":   {policy.SigningKey{PEM: []byte("secret"), Algorithm: "HS256"}, "no PEM file"},
		"another algorithm": {policy.SigningKey{PEM: key.private, Algorithm: "HS256"}, "no signature algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := policy.BuildBundle(context.Background(), policies.FS, policy.BuildOptions{Options: policy.Options{Path: onePolicy(t)}, Sign: &tc.key})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want something with %q", err, tc.want)
			}
		})
	}
}
