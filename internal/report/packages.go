package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// Package is one package of an owner.
type Package struct {
	Owner string
	retention.Package
}

// Packages lists packages with the eleven fields that GitHub gives them.
type Packages []Package

// packageFields are GitHub's fields in the order of the table org_packages.
type packageFields struct {
	ID           retention.ID          `json:"id"`
	Name         string                `json:"name"`
	UpdatedAt    time.Time             `json:"updated_at"`
	PackageType  retention.PackageType `json:"package_type"`
	CreatedAt    time.Time             `json:"created_at"`
	VersionCount int                   `json:"version_count"`
	Owner        string                `json:"owner"`
	Repository   *string               `json:"repository"` // full name; null when not linked
	HTMLURL      string                `json:"html_url"`
	URL          string                `json:"url"`
	Visibility   string                `json:"visibility"`
}

func (p Package) fields() packageFields {
	f := packageFields{ID: p.ID, Name: p.Name, UpdatedAt: p.UpdatedAt, PackageType: p.Type, CreatedAt: p.CreatedAt,
		VersionCount: p.VersionCount, Owner: p.Owner, HTMLURL: p.HTMLURL, URL: p.URL, Visibility: p.Visibility}
	if p.Repository != nil {
		f.Repository = &p.Repository.FullName
	}
	return f
}

func (ps Packages) value() any {
	out := make([]packageFields, len(ps))
	for i, p := range ps {
		out[i] = p.fields()
	}
	return struct {
		Schema   string          `json:"schema"`
		Packages []packageFields `json:"packages"`
	}{"shelflife.packages/v1", out}
}

func (ps Packages) document() document {
	t := table{columns: []column{
		{name: "ID", code: true, drop: 3}, {name: "OWNER", code: true}, {name: "TYPE"}, {name: "NAME", code: true, least: 16},
		{name: "VISIBILITY"}, {name: "VERSIONS", right: true}, {name: "REPOSITORY", code: true, least: 12, drop: 1}, {name: "CREATED", drop: 2}, {name: "UPDATED"},
		{name: "PAGE", code: true, drop: 4}, {name: "URL", code: true, drop: 5},
	}}
	for _, p := range ps {
		repository := ""
		if p.Repository != nil {
			repository = p.Repository.FullName
		}
		t.rows = append(t.rows, texts(p.ID.String(), p.Owner, string(p.Type), p.Name, p.Visibility, fmt.Sprint(p.VersionCount),
			repository, day(p.CreatedAt), day(p.UpdatedAt), p.HTMLURL, p.URL))
	}
	return listing(t, "No packages: there are none, or the credential does not see them (shelflife doctor tells which).", count(len(ps), "package"))
}

// Versions lists the versions of one package.
type Versions struct {
	Package  retention.PackageRef
	Versions []retention.Version
	Now      time.Time // ages are measured from here
}

func (vs Versions) value() any {
	type version struct {
		retention.Version
		Tags      []string `json:"tags"`
		Referrers []string `json:"referrer_tags"`
	}
	out := make([]version, len(vs.Versions))
	for i, v := range vs.Versions {
		out[i] = version{Version: v, Tags: list(v.Tags), Referrers: list(v.Referrers)}
	}
	return struct {
		Schema string `json:"schema"`
		retention.PackageRef
		Versions []version `json:"versions"`
	}{"shelflife.versions/v1", vs.Package, out}
}

func (vs Versions) document() document {
	t := table{heading: vs.Package.String(), columns: []column{
		{name: "ID", code: true}, {name: "VERSION", code: true, least: 12}, {name: "TAGS", code: true, least: 8}, {name: "AGE", right: true},
		{name: "CREATED"}, {name: "UPDATED", drop: 2}, {name: "STATE"}, {name: "DELETED", drop: 1},
	}}
	for _, v := range vs.Versions {
		tags := append(append([]string{}, v.Tags...), v.Referrers...)
		row := texts(v.ID.String(), shortDigest(v.Name), strings.Join(tags, ", "), age(v.CreatedAt, vs.Now),
			stamp(v.CreatedAt), stamp(v.UpdatedAt), string(v.State), deleted(v))
		if !v.IsActive() {
			row[6].tone = faint
		}
		t.rows = append(t.rows, row)
	}
	return listing(t, "No versions.", count(len(vs.Versions), "version"))
}

func deleted(v retention.Version) string {
	if v.IsActive() {
		return ""
	}
	s := stamp(v.DeletedAt)
	if v.DeletedBy != nil {
		s += " by " + v.DeletedBy.Policy + " in " + v.DeletedBy.Run
	}
	return strings.TrimSpace(s)
}
