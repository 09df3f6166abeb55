package githubsim

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// object is a JSON object of an answer.
type object = map[string]any

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%03d:%s%d", len(kind), kind, id))
}

// accountJSON is GET /orgs/{org}, /users/{username} or /user.
func accountJSON(q *request, o *owner, sc scope) object {
	u := simpleUser(q.base, o.login, o.id, typeOf(o))
	u["name"], u["email"] = o.login, nil
	u["created_at"], u["updated_at"] = "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
	if sc == scopeOrgs {
		api := q.base + "/orgs/" + o.login
		u["url"], u["hooks_url"], u["issues_url"], u["members_url"] = api, api+"/hooks", api+"/issues", api+"/members{/member}"
		u["description"] = ""
	}
	return u
}

// scope is the first segment of the owner's URLs.
func (o *owner) scope() scope {
	if o.kind == retention.Organization {
		return scopeOrgs
	}
	return scopeUsers
}

func typeOf(o *owner) string {
	if o.kind == retention.Organization {
		return "Organization"
	}
	return "User"
}

// simpleUser holds all that the schema "Simple User" requires.
func simpleUser(base, login string, id int64, typ string) object {
	api := base + "/users/" + login
	return object{
		"login": login, "id": id, "node_id": nodeID(typ, id), "type": typ, "site_admin": false,
		"avatar_url": fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", id), "gravatar_id": "",
		"url": api, "html_url": "https://github.com/" + login,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
		"user_view_type": "public",
	}
}

// repositoryURLs are the templates that the schema "Minimal Repository"
// requires, below the repository's own URL.
var repositoryURLs = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}",
	"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}",
	"stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}", "subscribers_url": "/subscribers",
	"subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}

func repositoryJSON(base string, p *pkg) object {
	login, name, _ := strings.Cut(p.repository, "/")
	id := stableID(p.repository)
	ownerID, typ := stableID(strings.ToLower(login)), "Organization"
	if strings.EqualFold(login, p.owner.login) {
		login, ownerID, typ = p.owner.login, p.owner.id, typeOf(p.owner)
	}
	api := base + "/repos/" + p.repository
	repo := object{
		"id": id, "node_id": nodeID("Repository", id), "name": name, "full_name": p.repository,
		"private": p.visibility != "public", "owner": simpleUser(base, login, ownerID, typ),
		"html_url": "https://github.com/" + p.repository, "description": nil, "fork": false, "url": api,
	}
	for field, suffix := range repositoryURLs {
		repo[field] = api + suffix
	}
	return repo
}

// apiURL is a package's URL in the API. GitHub gives /orgs or /users even to
// who asked below /user.
func (p *pkg) apiURL(base string) string {
	return fmt.Sprintf("%s/%s/%s/packages/%s/%s", base, p.owner.scope(), p.owner.login, p.typ, url.PathEscape(p.name))
}

func (p *pkg) htmlURL() string {
	return fmt.Sprintf("https://github.com/%s/%s/packages/%s/package/%s", p.owner.scope(), p.owner.login, p.typ, url.PathEscape(p.name))
}

func packageJSON(q *request, p *pkg) object {
	out := object{
		"id": p.id, "name": p.name, "package_type": p.typ, "visibility": p.visibility, "version_count": p.versionCount(),
		"url": p.apiURL(q.base), "html_url": p.htmlURL(), "owner": simpleUser(q.base, p.owner.login, p.owner.id, typeOf(p.owner)),
		"created_at": timestamp(p.created), "updated_at": timestamp(p.updated),
	}
	if p.repository != "" {
		out["repository"] = repositoryJSON(q.base, p)
	}
	return out
}

// versionJSON holds metadata as the schema has it: container.tags for
// containers, docker.tag for docker, only the type for all others.
func versionJSON(q *request, p *pkg, v *version, withDeleted bool) object {
	tags := v.tags
	if tags == nil {
		tags = []string{}
	}
	metadata := object{"package_type": p.typ}
	switch p.typ {
	case retention.Container:
		metadata["container"] = object{"tags": tags}
	case retention.Docker:
		metadata["docker"] = object{"tag": tags}
	}
	out := object{
		"id": v.id, "name": v.name, "url": fmt.Sprintf("%s/versions/%d", p.apiURL(q.base), v.id),
		"package_html_url": p.htmlURL(), "html_url": v.htmlURL(p),
		"created_at": timestamp(v.created), "updated_at": timestamp(v.updated), "metadata": metadata,
	}
	if v.license != "" {
		out["license"] = v.license
	}
	if v.description != "" {
		out["description"] = v.description
	}
	if withDeleted && !v.deleted.IsZero() {
		out["deleted_at"] = timestamp(v.deleted)
	}
	return out
}

func (v *version) htmlURL(p *pkg) string {
	return fmt.Sprintf("https://github.com/%s/%s/packages/%s/%s/%d", p.owner.scope(), p.owner.login, p.typ, url.PathEscape(p.name), v.id)
}
