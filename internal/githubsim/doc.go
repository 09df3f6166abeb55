// Package githubsim is a stateful simulator of the parts of GitHub that
// Shelflife talks to: the Packages REST API for organizations and users, the
// App endpoints (JWT, installations, tokens, webhook deliveries), signed package
// webhooks, and ghcr.io with real, verifiable manifests. The demo, the tests,
// the benchmarks and "shelflife sim" run on it.
//
// It is never kinder than GitHub: it refuses what GitHub refuses, in GitHub's
// words, and lies where GitHub is known to lie (stale lists, 404 for a missing
// right, limits with no headers). It never calls out, except to the webhook URL
// of its seed, keeps everything in memory, and knows nothing of policies.
//
// # Where GitHub's behaviour has no source
//
// These are assumptions, each the stricter choice where there was one:
//   - restoring what is past its 30 days, was never deleted, or whose name (for
//     containers: digest) is in use again answers 404;
//   - a restored version gets back its tags, except those that have moved to
//     another version meanwhile;
//   - deleting or restoring a version leaves the package's updated_at alone, a
//     publish moves it;
//   - a deleted version is not found by GET, only in the list with
//     state=deleted;
//   - the 900 points a minute are counted per caller over all endpoints;
//   - an Accept of */* is not enough for any manifest;
//   - /users/{username}/…/versions obeys state, unless the seed says
//     "users_state": "ignored".
package githubsim
