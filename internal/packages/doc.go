// Package packages reads and changes GitHub Packages over REST: it lists, gets,
// deletes and restores packages and versions of organizations, users and the
// authenticated user. go-github v62 builds the requests and reads the paging
// headers; what it lacks (deleted_at, license, description, tags of legacy
// docker packages, the restore token, the docker conflicts, escaped names below
// /users, limits told by 429) is filled in here and nowhere else.
//
// It says what GitHub answered and never acts on it: it never retries a write,
// never sleeps, never follows a redirected write, and never calls a listing
// complete when a page was short, repeated or missing. Credentials, pacing and
// retries belong to the transport of the http.Client that it is given.
package packages
