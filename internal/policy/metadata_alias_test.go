package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/policies"
)

func TestMetadataHasNoAliases(t *testing.T) {
	const rule = `decisions contains {"action": "keep", "package": true, "reason": "x"}`
	bomb := "#   mode: observe\n#   params:\n#     a: &a \"" + strings.Repeat("x", 10_000) + "\"\n#     b: [" + strings.Repeat("*a, ", 10) + "]\n"
	for name, custom := range map[string]string{
		"a text":      bomb,
		"a mapping":   "#   mode: observe\n#   params: {a: &x-1 {b: 1}, c: *x-1}\n",
		"a merge key": "#   mode: observe\n#   mine: {a: &m {b: 1}, c: {<<: *m}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := withMetadata("p", custom, rule)
			_, err := policy.Load(context.Background(), policies.FS, policy.Options{Path: folder(t, map[string]string{"p.rego": text})})
			if _, ok := errors.AsType[policy.Findings](err); !ok || !strings.Contains(err.Error(), "must not use YAML anchors") {
				t.Errorf("a folder: %v", err)
			}
			_, err = loadBundle(pack(t, file("/p.rego", text)), policy.VerificationKey{})
			if !errors.Is(err, policy.ErrBundleArchive) || !strings.Contains(err.Error(), "must not use YAML anchors") {
				t.Errorf("a bundle: %v", err)
			}
		})
	}
	for name, custom := range map[string]string{
		"emphasis":             "#   mode: observe\n#   about: 'R&D keeps *D*, & so *on*'\n",
		"an anchor by itself":  "#   mode: observe\n#   params: {a: &a 1}\n",
		"anchors of no YAML":   "#   mode: observe\n#   about: a && b *c\n",
		"nothing of that kind": "#   mode: observe\n",
	} {
		t.Run(name, func(t *testing.T) {
			engine(t, policy.Options{}, map[string]string{"p.rego": withMetadata("p", custom, rule)})
		})
	}
}
