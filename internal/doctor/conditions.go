package doctor

// Result is how bad a finding is.
type Result string

// The results.
const (
	OK   Result = "ok"
	Note Result = "note" // works, but something will not
	Fail Result = "fail" // something that is needed does not work
)

// Code names a condition for scripts. Codes stay as they are.
type Code string

// The conditions.
const (
	ConfigInvalid       Code = "config_invalid"
	ConfigMissing       Code = "config_missing"
	ConfigUnnamed       Code = "owner_not_configured"
	StateUnusable       Code = "state_unusable"
	StateNewer          Code = "state_newer"
	LedgerBroken        Code = "ledger_broken"
	ActionsOpen         Code = "actions_open"
	Paused              Code = "paused"
	PolicyInvalid       Code = "policy_invalid"
	BundleUnverified    Code = "bundle_unverified"
	BundleRefused       Code = "bundle_refused"
	BundleUnreachable   Code = "bundle_unreachable"
	BundleStale         Code = "bundle_stale"
	BundleStandsIn      Code = "bundle_stands_in"
	BundleNotVerified   Code = "bundle_not_verified"
	CredentialMissing   Code = "credential_missing"
	AppKeyUnusable      Code = "app_key_unusable"
	AppKeyForeign       Code = "app_key_foreign"
	AppUnknown          Code = "app_unknown"
	ClockAhead          Code = "clock_ahead"
	ClockBehind         Code = "clock_behind"
	InstallationMissing Code = "installation_missing"
	InstallationForeign Code = "installation_foreign"
	InstallationPaused  Code = "installation_suspended"
	PermissionMissing   Code = "permission_missing"
	PermissionReadOnly  Code = "permission_read_only"
	EventMissing        Code = "event_missing"
	WebhookSecret       Code = "webhook_secret_missing"
	WebhookFailing      Code = "webhook_failing"
	TokenRefused        Code = "token_refused"
	TokenExpires        Code = "token_expires"
	TokenUnscoped       Code = "token_unscoped"
	TokenNoRead         Code = "token_no_read"
	TokenNoDelete       Code = "token_no_delete"
	TokenNoWrite        Code = "token_no_write"
	APIUnreachable      Code = "api_unreachable"
	APIFailing          Code = "api_failing"
	RateLimited         Code = "rate_limited"
	OwnerUnknown        Code = "owner_unknown"
	OwnerMismatch       Code = "owner_mismatch"
	PackagesForbidden   Code = "packages_forbidden"
	PackagesInvisible   Code = "packages_invisible"
	PackageUnreadable   Code = "package_unreadable"
	RegistryUnreachable Code = "registry_unreachable"
	RegistryDenied      Code = "registry_denied"
	ProbeFailed         Code = "write_probe_failed"
	Other               Code = "other"
)

// Condition is one thing that can be wrong.
type Condition struct {
	Code   Code
	Result Result
	// Enforcing is the result for an owner that is acted on, where it differs.
	Enforcing Result
	What      string // what is wrong
	Next      string // what to do about it
}

// conditions is the table, in the order in which things are looked at.
var conditions = []Condition{
	{ConfigInvalid, Fail, "", "shelflife.yaml can't be read, or says something that can't be", "correct it at the place that is named"},
	{ConfigMissing, Fail, "", "the configuration file that is named is not there", "correct --config or SHELFLIFE_CONFIG, or write that file"},
	{ConfigUnnamed, Fail, "", "no owner is named, or one that the configuration does not list", "name an owner, or add it under owners in shelflife.yaml"},
	{StateUnusable, Fail, "", "the state file can't be opened or written, or is none", "set SHELFLIFE_STATE to a file that can be written"},
	{StateNewer, Fail, "", "the state file was written by a newer shelflife", "update shelflife, or name another state file"},
	{LedgerBroken, Fail, "", "the ledger was changed by somebody else, or is damaged", "delete nothing more with this state file; restore it from a backup"},
	{ActionsOpen, Note, "", "actions were begun and have no outcome", "apply their plan again, or let the next run find out"},
	{Paused, Note, "", "the kill switch is on", "remove the file PAUSE beside the state file, or unset SHELFLIFE_PAUSE, once it is safe"},
	{PolicyInvalid, Fail, "", "a policy, its parameters or its data are wrong", "correct them; shelflife policy check shows them all"},
	{BundleUnverified, Fail, "", "the policy bundle is not what the key's holder signed", "sign it anew, or correct policies.verification_key; find out who wrote it"},
	{BundleRefused, Fail, "", "the policy bundle is no plain archive of policies", "build it with shelflife policy build or opa build"},
	{BundleUnreachable, Fail, "", "the policy bundle can't be fetched, and none is kept", "check policies.bundle, and who may read it"},
	{BundleStale, Fail, "", "the policy bundle can't be fetched, and the kept one is too old", "make the source work again; policies.bundle_max_age is the limit"},
	{BundleStandsIn, Note, "", "the last good policy bundle stands in for the published one", "make the source work again before it is stale"},
	{BundleNotVerified, Note, "", "the policy bundle is not verified", "set policies.verification_key"},
	{CredentialMissing, Fail, "", "there is no credential for the owner", "set GITHUB_TOKEN, or credentials in shelflife.yaml"},
	{AppKeyUnusable, Fail, "", "the App's private key can't be read", "download a key on the App's page, and name its file in private_key_file"},
	{AppKeyForeign, Fail, "", "GitHub does not take the App's signature: the key is another App's, or was removed", "check that key and App id belong together; download a new key on the App's page"},
	{AppUnknown, Fail, "", "there is no App of that id", "correct app_id; it is on the App's page"},
	{ClockAhead, Fail, "", "this machine's clock is ahead of GitHub's", "set the clock, as with NTP"},
	{ClockBehind, Fail, "", "this machine's clock is behind GitHub's", "set the clock, as with NTP"},
	{InstallationMissing, Fail, "", "the App is not installed on the owner, or the installation id is wrong", "install it, or correct installation_id"},
	{InstallationForeign, Fail, "", "the installation belongs to another account", "correct installation_id: each owner has its own"},
	{InstallationPaused, Fail, "", "the installation is suspended", "have the owner unsuspend it under Settings, GitHub Apps"},
	{PermissionMissing, Fail, "", "the App has no packages permission there", "give it packages: write on the App's page, and have the owner accept it"},
	{PermissionReadOnly, Note, Fail, "the App's packages permission is read: plan works, apply does not", "give it packages: write on the App's page, and have the owner accept it"},
	{EventMissing, Note, "", "the App is not subscribed to package events: the webhook hears nothing", "subscribe it to the event Registry package (or Package) on the App's page"},
	{WebhookSecret, Fail, "", "a webhook secret is named and not set", "put the secret into the environment variable that serve.webhook_secrets names"},
	{WebhookFailing, Fail, "", "GitHub's deliveries to the webhook fail", "check the webhook's URL, its secret, and that it can be reached; redeliver under the App's Advanced page"},
	{TokenRefused, Fail, "", "GitHub does not take the token: it is wrong, expired or revoked", "make a new classic token and set it"},
	{TokenExpires, Note, "", "the token expires soon", "make a new classic token before then"},
	{TokenUnscoped, Note, "", "the token names no scopes: it is a fine-grained or a workflow token", "GitHub Packages takes classic tokens; see docs/github-setup.md"},
	{TokenNoRead, Fail, "", "the scope read:packages is missing: plan can't read", "add it to the token"},
	{TokenNoDelete, Note, Fail, "the scope delete:packages is missing: plan works, apply does not", "add it to the token that applies"},
	{TokenNoWrite, Note, "", "the scope write:packages is missing: undo can't restore", "add it to the token that undoes"},
	{APIUnreachable, Fail, "", "GitHub's API can't be reached", "check the network, and GITHUB_API_URL or api.github_url"},
	{APIFailing, Fail, "", "GitHub's API fails", "try again later; see https://www.githubstatus.com"},
	{RateLimited, Fail, "", "GitHub's rate limit is used up", "run doctor again at the time that is named"},
	{OwnerUnknown, Fail, "", "there is no such owner, or it is not visible", "check the name"},
	{OwnerMismatch, Fail, "", "the owner is of another kind, or is called otherwise now", "correct the owner's name and kind in the configuration"},
	{PackagesForbidden, Fail, "", "the credential may not list the owner's packages", "give it read:packages, and single sign-on where the owner demands it"},
	{PackagesInvisible, Fail, "", "no package is visible", "check on GitHub whether there are any, and that the credential has read:packages and access to them; see docs/github-setup.md"},
	{PackageUnreadable, Fail, "", "a package could not be read whole", "do what is said there; until then nothing of it is deleted"},
	{RegistryUnreachable, Fail, "", "the container registry can't be reached", "check the network, and SHELFLIFE_REGISTRY_URL or api.registry_url"},
	{RegistryDenied, Fail, "", "the container registry denies reading manifests", "give the credential read:packages, and access to the package"},
	{ProbeFailed, Fail, "", "a version could not be deleted and restored", "give the credential delete:packages and write:packages, and admin on the package; see docs/github-setup.md"},
	{Other, Fail, "", "something else failed", "do what is said there"},
}

// Conditions returns the table.
func Conditions() []Condition { return append([]Condition(nil), conditions...) }

// condition is the table's row of a code; one that is not there is Other.
func condition(code Code) Condition {
	for _, c := range conditions {
		if c.Code == code {
			return c
		}
	}
	return conditions[len(conditions)-1]
}
