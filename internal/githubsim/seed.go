package githubsim

import (
	"fmt"
	"io"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// maxSeedBytes bounds what ReadSeed reads.
const maxSeedBytes = 64 << 20

// Seed is the state that a simulator starts with, and how it misbehaves.
type Seed struct {
	Owners []Owner `json:"owners"`
	// Tokens reach every owner. Where neither the seed nor any owner names a
	// token, any non-empty token works, with all rights.
	Tokens []Token `json:"tokens,omitempty"`
	Apps   []App   `json:"apps,omitempty"`
	// AppTokensAccepted false makes installation tokens fail on Packages calls
	// and pulls as the field reports say. Absent means true.
	AppTokensAccepted *bool       `json:"app_tokens_accepted,omitempty"`
	Webhook           *Webhook    `json:"webhook,omitempty"`
	RateLimits        *RateLimits `json:"rate_limits,omitempty"`
	Faults            []Fault     `json:"faults,omitempty"`
	Latency           Duration    `json:"latency,omitempty"`     // real time added to every call
	Clock             time.Time   `json:"clock,omitzero"`        // where the simulator's clock starts; absent: now
	UsersState        string      `json:"users_state,omitempty"` // "ignored": /users/… lists active versions whatever state asks for
}

// Owner is an account with its packages.
type Owner struct {
	Login    string              `json:"login"`
	Kind     retention.OwnerKind `json:"kind,omitempty"` // organization when absent
	ID       int64               `json:"id,omitempty"`   // assigned when absent
	Tokens   []Token             `json:"tokens,omitempty"`
	Packages []Package           `json:"packages,omitempty"`
}

// Package is one package of an owner.
type Package struct {
	Name         string                `json:"name"`
	Type         retention.PackageType `json:"package_type"`
	ID           int64                 `json:"id,omitempty"`
	Visibility   string                `json:"visibility,omitempty"` // private when absent
	Repository   string                `json:"repository,omitempty"` // "owner/name"; absent or null: not linked
	CreatedAt    When                  `json:"created_at,omitzero"`  // absent: the oldest version's
	UpdatedAt    When                  `json:"updated_at,omitzero"`  // absent: the newest version's
	DeletedAt    When                  `json:"deleted_at,omitzero"`
	VersionCount *int                  `json:"version_count,omitempty"` // what the API claims, when it is to lie
	Versions     []Version             `json:"versions"`
}

// Version is one version of a package. Of the shapes a container version may
// have, at most one of Index, Subject, CosignSignatureOf, CosignAttestationOf,
// CosignSBOMOf and BuildkitAttestationOf is set (Index may go with
// FallbackReferrersOf or Subject); with none of them it is an image.
type Version struct {
	Key         string   `json:"key,omitempty"`  // unique in the package; absent: the name
	ID          int64    `json:"id,omitempty"`   // absent: assigned, higher for newer
	Name        string   `json:"name,omitempty"` // not for containers, whose name is the digest
	Tags        []string `json:"tags,omitempty"`
	CreatedAt   When     `json:"created_at,omitzero"`
	UpdatedAt   When     `json:"updated_at,omitzero"` // absent: CreatedAt
	DeletedAt   When     `json:"deleted_at,omitzero"`
	License     string   `json:"license,omitempty"`
	Description string   `json:"description,omitempty"`
	Downloads   int      `json:"downloads,omitempty"`

	Index                 []string `json:"index,omitzero"`          // keys of the children; empty but present: an index of nothing
	Platform              string   `json:"platform,omitempty"`      // os/arch[/variant]
	MediaType             string   `json:"media_type,omitempty"`    // "docker" or a media type; absent: OCI
	ArtifactType          string   `json:"artifact_type,omitempty"` // of the manifest
	ConfigMediaType       string   `json:"config_media_type,omitempty"`
	Subject               string   `json:"subject,omitempty"`                 // key that the manifest's subject field names
	CosignSignatureOf     string   `json:"cosign_signature_of,omitempty"`     // key; adds the tag sha256-<hex>.sig
	CosignAttestationOf   string   `json:"cosign_attestation_of,omitempty"`   // key; adds the tag sha256-<hex>.att
	CosignSBOMOf          string   `json:"cosign_sbom_of,omitempty"`          // key; adds the tag sha256-<hex>.sbom
	FallbackReferrersOf   string   `json:"fallback_referrers_of,omitempty"`   // key; an index with the tag sha256-<hex>
	BuildkitAttestationOf string   `json:"buildkit_attestation_of,omitempty"` // key; described so by the index that lists it

	Missing         bool `json:"missing,omitempty"`          // neither listed nor in the registry, though an index may name it
	Unlisted        bool `json:"unlisted,omitempty"`         // in the registry, unknown to the REST API
	RegistryMissing bool `json:"registry_missing,omitempty"` // listed, 404 in the registry
	ManifestStatus  int  `json:"manifest_status,omitempty"`  // the registry answers with this status for the manifest
	Corrupt         bool `json:"corrupt,omitempty"`          // the registry serves bytes that don't match the digest
}

// Token is a personal access token (classic).
type Token struct {
	Token         string   `json:"token"`
	Login         string   `json:"login"`
	Scopes        []string `json:"scopes"`
	PackagesAdmin bool     `json:"packages_admin,omitempty"` // without it, writes answer 404 "Package not found."
	Packages      []string `json:"packages,omitempty"`       // globs over the private packages it sees; absent: all
	ExpiresAt     When     `json:"expires_at,omitzero"`
}

// App is a GitHub App. Either key will do; a private key's public half is used.
type App struct {
	AppID         int64          `json:"app_id"`
	Slug          string         `json:"slug,omitempty"`
	Owner         string         `json:"owner,omitempty"`
	PublicKeyPEM  string         `json:"public_key_pem,omitempty"`
	PrivateKeyPEM string         `json:"private_key_pem,omitempty"`
	Events        []string       `json:"events,omitempty"` // subscribed events; absent: registry_package
	Installations []Installation `json:"installations,omitempty"`
}

// Installation is an App's installation on one owner.
type Installation struct {
	ID          int64             `json:"id"`
	Owner       string            `json:"owner"`
	Permissions map[string]string `json:"permissions"` // such as packages: write
	Suspended   bool              `json:"suspended,omitempty"`
}

// Webhook says where a publish is announced.
type Webhook struct {
	URL    string   `json:"url"`
	Secret string   `json:"secret"`
	AppID  int64    `json:"app_id,omitempty"`
	Events []string `json:"events,omitempty"` // package (the default), registry_package, or both
}

// RateLimits sets GitHub's limits. Without Enforce the headers are there and
// count down, but nothing is refused and Remaining never falls below one.
type RateLimits struct {
	Limit                    int   `json:"limit,omitempty"`                       // calls an hour; 5,000 when absent
	SecondaryPointsPerMinute int   `json:"secondary_points_per_minute,omitempty"` // 900 when absent
	Concurrent               int   `json:"concurrent,omitempty"`                  // 100 when absent
	Enforce                  bool  `json:"enforce,omitempty"`
	Status                   int   `json:"status,omitempty"`  // of a refusal: 403 (the default) or 429
	Headers                  *bool `json:"headers,omitempty"` // false: refusals carry neither x-ratelimit-* nor retry-after
}

// ReadSeed reads and checks a seed of at most 64 MiB. Unknown fields, duplicate
// keys, references to nothing and cycles are errors that name their place.
func ReadSeed(r io.Reader) (Seed, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSeedBytes+1))
	if err != nil {
		return Seed{}, fmt.Errorf("read seed: %w", err)
	}
	if len(raw) > maxSeedBytes {
		return Seed{}, fmt.Errorf("read seed: larger than %d MiB; split it over several simulators", maxSeedBytes>>20)
	}
	var seed Seed
	if err := decodeStrict(raw, &seed); err != nil {
		return Seed{}, fmt.Errorf("read seed: %w", err)
	}
	if err := seed.check(); err != nil {
		return Seed{}, fmt.Errorf("read seed: %w", err)
	}
	return seed, nil
}
