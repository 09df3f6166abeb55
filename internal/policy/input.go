package policy

import (
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Contract is the version of the policy contract that Input follows.
const Contract = "v1"

// Request asks for a judgement on one package.
type Request struct {
	Inventory retention.Inventory
	// EvaluatedAt is the instant from which every age is measured.
	EvaluatedAt time.Time
	Trigger     retention.Trigger
}

// Input is the document that policies see, field for field as
// schemas/input.json describes it. Pointers are scalars that may be null;
// pointers with omitempty are objects that are left out where they do not apply.
type Input struct {
	Contract    string         `json:"contract"`
	EvaluatedAt string         `json:"evaluated_at"` // RFC 3339, UTC
	Trigger     InputTrigger   `json:"trigger"`
	Owner       InputOwner     `json:"owner"`
	Package     InputPackage   `json:"package"`
	Complete    bool           `json:"complete"`
	Versions    []InputVersion `json:"versions"`
}

// InputTrigger is what started the evaluation; all but Kind only for webhooks.
type InputTrigger struct {
	Kind      string `json:"kind"`
	Event     string `json:"event,omitempty"`
	Action    string `json:"action,omitempty"`
	Sender    string `json:"sender,omitempty"`
	VersionID string `json:"version_id,omitempty"`
}

// InputOwner is the account that the package belongs to.
type InputOwner struct {
	Login string `json:"login"`
	Kind  string `json:"kind"`
	ID    string `json:"id"`
}

// InputPackage holds GitHub's fields of the package and its ages in days.
type InputPackage struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	PackageType  string           `json:"package_type"`
	Visibility   string           `json:"visibility"`
	VersionCount int              `json:"version_count"`
	HTMLURL      string           `json:"html_url"`
	URL          string           `json:"url"`
	CreatedAt    *string          `json:"created_at"`
	UpdatedAt    *string          `json:"updated_at"`
	Owner        InputOwner       `json:"owner"`
	Repository   *InputRepository `json:"repository,omitempty"`
	State        string           `json:"state"`
	AgeDays      *float64         `json:"age_days"`
	IdleDays     *float64         `json:"idle_days"`
}

// InputRepository is the repository that the package is linked to.
type InputRepository struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
	Private  bool   `json:"private"`
	HTMLURL  string `json:"html_url"`
}

// InputVersion is one version with the facts that cost Rego time.
type InputVersion struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	CreatedAt      *string         `json:"created_at"`
	UpdatedAt      *string         `json:"updated_at"`
	DeletedAt      *string         `json:"deleted_at"`
	HTMLURL        *string         `json:"html_url"`
	License        *string         `json:"license"`
	Description    *string         `json:"description"`
	State          string          `json:"state"`
	Tags           []string        `json:"tags"`
	Tagged         bool            `json:"tagged"`
	AgeDays        *float64        `json:"age_days"`
	IdleDays       *float64        `json:"idle_days"`
	Rank           *int            `json:"rank"`
	RankTagged     *int            `json:"rank_tagged"`
	RankUntagged   *int            `json:"rank_untagged"`
	RankRoot       *int            `json:"rank_root"`
	Semver         *InputSemver    `json:"semver,omitempty"`
	RankSemver     *int            `json:"rank_semver"`
	RankPrerelease *int            `json:"rank_prerelease"`
	Root           bool            `json:"root"`
	OCI            *InputOCI       `json:"oci,omitempty"`
	DeletedBy      *InputDeletedBy `json:"deleted_by,omitempty"`
	RestorableDays *float64        `json:"restorable_days"`
}

// InputSemver is a semantic version taken apart.
type InputSemver struct {
	Version    string `json:"version"` // without a leading v
	Major      uint64 `json:"major"`
	Minor      uint64 `json:"minor"`
	Patch      uint64 `json:"patch"`
	Prerelease string `json:"prerelease"`
	Build      string `json:"build"`
}

// InputOCI is what a container version's manifest says.
type InputOCI struct {
	Kind         string   `json:"kind"`
	MediaType    string   `json:"media_type"`
	ArtifactType *string  `json:"artifact_type"`
	Children     []string `json:"children"` // ids of active versions
	Parents      []string `json:"parents"`  // ids of active versions
	Missing      []string `json:"missing"`  // digests
	Subject      *string  `json:"subject"`
	Platform     *string  `json:"platform"`
	SizeBytes    int64    `json:"size_bytes"`
}

// InputDeletedBy says who deleted a version: "shelflife" or "other".
type InputDeletedBy struct {
	By     string `json:"by"`
	Run    string `json:"run,omitempty"`
	Policy string `json:"policy,omitempty"`
}
