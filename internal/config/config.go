package config

import (
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Config is a validated shelflife.yaml. The json tags are the file's keys and
// the jsonschema tags their descriptions for editors: the decoder, the JSON
// Schema and this type cannot drift apart.
type Config struct {
	Version      int              `json:"version" jsonschema:"Version of this file's format. Always 1."`
	Mode         retention.Mode   `json:"mode,omitempty" jsonschema:"Whether decisions are acted on, for owners that do not say so themselves. Default: observe."`
	Owners       []Owner          `json:"owners,omitempty" jsonschema:"The organizations and users whose packages are looked after. No other owner is ever touched."`
	Policies     Policies         `json:"policies,omitzero" jsonschema:"Where the policies come from. Default: builtin, the ones that are shipped."`
	Params       Params           `json:"params,omitempty" jsonschema:"Parameters of policies, for all owners: policy, then parameter, then value."`
	Limits       retention.Limits `json:"limits,omitzero" jsonschema:"Hard upper bounds that no policy can override. Zero means zero."`
	API          API              `json:"api,omitzero" jsonschema:"How GitHub is called."`
	Serve        Serve            `json:"serve,omitzero" jsonschema:"What shelflife serve listens on, and what its webhooks are checked with."`
	MaxStaleness time.Duration    `json:"max_staleness,omitempty" jsonschema:"How old a package's snapshot may be before it is read again although nothing seems to have changed. Default: 7d."`
	History      time.Duration    `json:"history,omitempty" jsonschema:"How long earlier readings of packages are kept for policy backtest, 1 GB of them at most. 0 keeps none. Default: 90d."`
	PlanExpiry   time.Duration    `json:"plan_expiry,omitempty" jsonschema:"How long a saved plan can be applied. Default: 24h."`

	// File is the file that was read, "" for Default.
	File string `json:"-"`
	// Env holds what the environment says.
	Env Settings `json:"-"`
	// Warnings are what is allowed but probably not meant, in the file's order.
	Warnings []Problem `json:"-"`

	at positions
}

// Owner is one account whose packages are looked after.
type Owner struct {
	Login         string                  `json:"login" jsonschema:"The account's login."`
	Kind          retention.OwnerKind     `json:"kind,omitempty" jsonschema:"organization (the default) or user."`
	Mode          *retention.Mode         `json:"mode,omitempty" jsonschema:"Whether decisions are acted on for this owner. Default: the mode of the file."`
	Types         []retention.PackageType `json:"types,omitempty" jsonschema:"The package types that are looked after. Default: all six."`
	Packages      Packages                `json:"packages,omitzero" jsonschema:"The packages that are looked after, by name. Default: all."`
	Schedule      Cron                    `json:"schedule,omitzero" jsonschema:"When the owner is swept, as five cron fields: minute, hour, day of month, month, day of week."`
	Timezone      string                  `json:"timezone,omitempty" jsonschema:"The IANA time zone of the schedule, such as Europe/Oslo. Default: UTC."`
	Credentials   *Credentials            `json:"credentials,omitempty" jsonschema:"How to sign in for this owner. Default: GITHUB_TOKEN or GH_TOKEN."`
	Params        Params                  `json:"params,omitempty" jsonschema:"Parameters of policies for this owner; they beat those for all owners."`
	PackageParams []PackageParams         `json:"package_params,omitempty" jsonschema:"Parameters of policies for some packages of this owner; they beat the others, and later entries beat earlier ones."`
	Limits        *OwnerLimits            `json:"limits,omitempty" jsonschema:"Limits of this owner; what is left out is as for all owners."`
}

// Packages selects packages by their full name, with doublestar globs.
type Packages struct {
	Include []string `json:"include,omitempty" jsonschema:"Globs of the full names to look after; ** crosses slashes, * does not. Default: all packages."`
	Exclude []string `json:"exclude,omitempty" jsonschema:"Globs of the full names to leave alone; they beat include and do not regard case."`
}

// PackageParams are parameters for the packages of one owner that match a glob.
type PackageParams struct {
	Packages string `json:"packages" jsonschema:"Glob of the full names that the parameters are for."`
	Params   Params `json:"params" jsonschema:"Parameters of policies for these packages."`
}

// Policies says where the policies come from: the shipped ones, a folder, both,
// or a signed bundle.
type Policies struct {
	Builtin           bool          `json:"builtin,omitempty" jsonschema:"Use the shipped policies, beside those of path if there is one."`
	Path              string        `json:"path,omitempty" jsonschema:"Folder of Rego policies, relative to this file."`
	Bundle            string        `json:"bundle,omitempty" jsonschema:"Bundle of policies: an s3:// or https:// address, or a file relative to this one. Not together with path or builtin."`
	VerificationKey   string        `json:"verification_key,omitempty" jsonschema:"Public key (a file, or the ARN of a KMS key) that the bundle's signature must match."`
	VerificationKeyID string        `json:"verification_key_id,omitempty" jsonschema:"Key id that the bundle's signature must name. Default: default, as the stock opa signs."`
	VerificationScope string        `json:"verification_scope,omitempty" jsonschema:"Scope that the bundle's signature must name. Default: none."`
	BundleMaxAge      time.Duration `json:"bundle_max_age,omitempty" jsonschema:"How long the last good bundle may stand in for one that can't be fetched or is refused. Default: 7d."`
	Data              string        `json:"data,omitempty" jsonschema:"JSON or YAML file of documents that policies see below data, such as deployed."`
	Only              []string      `json:"only,omitempty" jsonschema:"Use only these policies. Default: all that are found."`
}

// API says how GitHub is called.
type API struct {
	GitHubURL      string  `json:"github_url,omitempty" jsonschema:"Address of the REST API. Default: https://api.github.com."`
	RegistryURL    string  `json:"registry_url,omitempty" jsonschema:"Address of the container registry. Default: https://ghcr.io."`
	ReservePercent float64 `json:"reserve_percent,omitempty" jsonschema:"Percentage of the hourly quota that is left to the owner's other tools. Default: 10."`
	MaxInFlight    int     `json:"max_in_flight,omitempty" jsonschema:"Calls of one credential that may be under way at once, 1 to 100. Default: 16."`
}

// Serve is what shelflife serve needs besides the rest.
type Serve struct {
	Listen         string    `json:"listen,omitempty" jsonschema:"Address to listen on, host and port. Default: 127.0.0.1:8080."`
	WebhookSecrets []string  `json:"webhook_secrets,omitempty" jsonschema:"Names of the environment variables that hold the webhook secrets: one, or two while they are being rotated. Never the secrets themselves."`
	Self           []string  `json:"self,omitempty" jsonschema:"Logins whose package events are our own doing and ignored, such as my-app[bot]."`
	Dashboard      Dashboard `json:"dashboard,omitzero" jsonschema:"The web page of the server. Default: on the server's own address, if that is on this machine only."`
}

// Dashboard says where the web page of the server is reached.
type Dashboard struct {
	Off    bool   `json:"off,omitempty" jsonschema:"Serve no dashboard."`
	Listen string `json:"listen,omitempty" jsonschema:"An address of its own to listen on. Default: that of the server."`
	URL    string `json:"url,omitempty" jsonschema:"The address that people reach it by through a proxy, such as https://shelflife.example.com. Needed where it listens beyond this machine."`
	Token  string `json:"token,omitempty" jsonschema:"Name of the environment variable that holds the token to sign in with. Default: a token that is made and kept beside the state file."`
}

// OwnerLimits are the limits that one owner has different from the file's. A
// nil field is not different.
type OwnerLimits struct {
	DeletesPerRun    *int           `json:"deletes_per_run,omitempty" jsonschema:"Versions deleted in one run; the rest waits for the next. Default: 500."`
	DeletesPerDay    *int           `json:"deletes_per_day,omitempty" jsonschema:"Versions deleted in one day (UTC), webhook reactions included. Default: 2000."`
	PercentOfPackage *float64       `json:"percent_of_package,omitempty" jsonschema:"A plan that deletes a larger part of a package holds that package for a person to decide. Default: 50."`
	PercentOfOwner   *float64       `json:"percent_of_owner,omitempty" jsonschema:"A plan that deletes a larger part of all versions of the owner holds its whole run. Default: 10."`
	MinAge           *time.Duration `json:"min_age,omitempty" jsonschema:"Younger untagged container versions are never deleted by a scheduled run. Default: 24h."`
}

// Over returns base with the limits that are set in o put in their place. A nil
// o changes nothing.
func (o *OwnerLimits) Over(base retention.Limits) retention.Limits {
	if o == nil {
		return base
	}
	set(&base.DeletesPerRun, o.DeletesPerRun)
	set(&base.DeletesPerDay, o.DeletesPerDay)
	set(&base.PercentOfPackage, o.PercentOfPackage)
	set(&base.PercentOfOwner, o.PercentOfOwner)
	set(&base.MinAge, o.MinAge)
	return base
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// defaults returns the configuration of an empty file.
func defaults() Config {
	return Config{
		Version:      1,
		Limits:       retention.DefaultLimits(),
		API:          API{GitHubURL: DefaultGitHubURL, RegistryURL: DefaultRegistryURL, ReservePercent: 10, MaxInFlight: 16},
		MaxStaleness: 7 * 24 * time.Hour,
		History:      90 * 24 * time.Hour,
		PlanExpiry:   24 * time.Hour,
	}
}
