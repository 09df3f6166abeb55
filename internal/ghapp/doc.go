// Package ghapp holds the credentials for GitHub and the governor that every
// request passes: App installation tokens minted per phase, personal access
// tokens, and one bounded, polite stream of requests per credential.
//
// Governors holds one governor per credential of the process. See Governor for
// what a request can have to wait for, and GovernorOptions for how much.
//
// It never prints a credential, never attaches one to a host other than the
// configured API, never uses one owner's credential for another owner's
// packages, never sends a write while planning, and never repeats a write
// unless GitHub refused it, for a rate limit or an expired token, which means
// that it was not done.
// It knows nothing of packages, policies or plans.
package ghapp
