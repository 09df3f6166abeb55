package retention

import (
	"regexp"
	"slices"
)

// referrerTag matches the tags that attach one manifest to another: the
// fallback tag of the OCI distribution specification (sha256-<hex>) and
// cosign's (sha256-<hex>.sig, .att, .sbom).
var referrerTag = regexp.MustCompile(`^sha256-([0-9a-f]{64})(?:\.(sig|att|sbom))?$`)

// ReferrerTag reads a referrer tag: the digest it is attached to and cosign's
// suffix ("sig", "att", "sbom"; "" for the OCI fallback tag). ok is false for
// every other tag.
func ReferrerTag(tag string) (subject, suffix string, ok bool) {
	m := referrerTag.FindStringSubmatch(tag)
	if m == nil {
		return "", "", false
	}
	return "sha256:" + m[1], m[2], true
}

// SplitTags sorts tags and separates the referrer tags from the others.
func SplitTags(all []string) (tags, referrers []string) {
	for _, t := range all {
		if _, _, ok := ReferrerTag(t); ok {
			referrers = append(referrers, t)
		} else {
			tags = append(tags, t)
		}
	}
	slices.Sort(tags)
	slices.Sort(referrers)
	return slices.Compact(tags), slices.Compact(referrers)
}
