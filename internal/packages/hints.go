package packages

import (
	"fmt"
	"strings"
	"time"
)

const headerSSO = "X-GitHub-SSO"

const (
	appTokenHint = "this listing does not take the token of a GitHub App or of Actions: " +
		"use a classic token of a machine user with read:packages"
	classicTokenHint = "GitHub Packages takes classic tokens only: " +
		"use a classic token of a machine user"
	integrationHint = "the App's or workflow's token is not let in: use a classic token of a machine user, " +
		"or give the workflow's repository the Admin role under the package's \"Manage Actions access\""
	ceilingHint  = "GitHub serves no more than 10,000 entries of one query: narrow the query by type and visibility"
	redirectHint = "the address has moved: check the API address and whether the owner was renamed"
)

// nextStep says what a person can do about an error.
func nextStep(op operation, e *Error) string {
	switch e.Outcome {
	case Unauthorized:
		return "check that the token is right, not expired and not revoked"
	case Forbidden:
		return "give the credential " + needs(op)
	case NotFound:
		return "it is gone, or not visible: check the name, and that the credential has " + needs(op)
	case Blocked:
		return blockedStep(e.Rule)
	case RateLimited:
		return "wait until " + e.Until.UTC().Format(time.RFC3339)
	case Transient, Canceled:
		if e.mayHaveHappened {
			return "it may have been done all the same: read it again before repeating it"
		}
		return "try again"
	}
	return "check the request against GitHub's documentation of Packages"
}

func blockedStep(r BlockRule) string {
	switch r {
	case RuleLastVersion, RuleLastTagged:
		return "keep it, or delete the whole package instead"
	case RuleDownloads:
		return "keep it, or ask GitHub Support to delete it"
	}
	return "GitHub will not do this as asked: keep it, or do what its message says"
}

// needs names the scopes and the role that an operation takes, by GitHub's
// documentation of Packages permissions.
func needs(op operation) string {
	switch op.kind {
	case opDelete:
		return "read:packages and delete:packages, and admin on the package"
	case opRestore:
		return "read:packages and write:packages, and admin on the package"
	}
	return "read:packages, and access to the package"
}

// credentialHint knows the messages of credentials that no scope can help.
func credentialHint(message string) string {
	m := strings.ToLower(message)
	switch {
	case strings.Contains(m, "not accessible by integration"):
		return integrationHint
	case strings.Contains(m, "not accessible by personal access token"):
		return classicTokenHint
	}
	return ""
}

// ssoHint reads X-GitHub-SSO: "required; url=https://…".
func ssoHint(header string) string {
	if _, u, ok := strings.Cut(header, "url="); ok {
		return fmt.Sprintf("authorize the token for the organization's SAML single sign-on (X-GitHub-SSO) at %s", clean(u))
	}
	return "authorize the token for the organization's SAML single sign-on (X-GitHub-SSO)"
}
