package config

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func knownParams() map[string]map[string]any {
	return map[string]map[string]any{
		"expire_untagged": {"older_than_days": json.Number("30"), "offset": -1},
		"keep_tags":       {"patterns": []any{"latest"}, "regard_case": true, "extra": nil, "per": map[string]any{}, "any": []string{}},
		"keep_deployed":   {},
	}
}

func TestCheckParamsFindsWhatThePoliciesDoNotKnow(t *testing.T) {
	c := parse(t, `version: 1
params:
  expire_untaged: {older_than_days: 3}
  expire_untagged: {older_then_days: 3}
  keep_deployed: {x: 1}
owners:
  - login: acme
    params: {expire_untagged: {older_than_days: "14"}, keep_tags: {patterns: latest, regard_case: 1}}
    package_params:
      - packages: "team/**"
        params: {keep_tags: {patterns: [v1, 2], per: [1]}, expire_untagged: {older_than_days: -1}}
policies: {only: [keep_tag, keep_tags]}
`)
	err := c.CheckParams(knownParams())
	var problems Errors
	if !errors.As(err, &problems) {
		t.Fatalf("error is %v, want Errors", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		`shelflife.yaml:3:3: unknown policy "expire_untaged"; the policies are expire_untagged, keep_deployed, keep_tags; did you mean "expire_untagged"?`,
		`shelflife.yaml:4:21: policy expire_untagged has no parameter "older_then_days"; its parameters are offset, older_than_days; did you mean "older_than_days"?`,
		`shelflife.yaml:5:19: policy keep_deployed has no parameter "x"; there are none`,
		`shelflife.yaml:8:49: parameter older_than_days of expire_untagged must be a number, like its default 30`,
		`shelflife.yaml:8:78: parameter patterns of keep_tags must be a list, like its default [latest]`,
		`shelflife.yaml:8:99: parameter regard_case of keep_tags must be true or false, like its default true`,
		`shelflife.yaml:11:40: parameter patterns of keep_tags must be a list in which each item is text, like its default [latest]`,
		`shelflife.yaml:11:54: parameter per of keep_tags must be a group of keys, like its default map[]`,
		`shelflife.yaml:11:95: parameter older_than_days of expire_untagged must be a number from 0, like its default 30`,
		`shelflife.yaml:12:19: unknown policy "keep_tag"; the policies are expire_untagged, keep_deployed, keep_tags; did you mean "keep_tags"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckParamsAcceptsWhatFits(t *testing.T) {
	c := parse(t, `version: 1
params: {expire_untagged: {older_than_days: 0.5, offset: -3}, keep_tags: {patterns: [], regard_case: false, extra: [1], per: {a: 1}, any: [1, a]}}
policies: {only: [keep_tags]}
`)
	if err := c.CheckParams(knownParams()); err != nil {
		t.Error(err)
	}
	if err := (Config{}).CheckParams(knownParams()); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
}
