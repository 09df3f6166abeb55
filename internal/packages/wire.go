package packages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

// The structs below are GitHub's answers as its description documents them, with
// what go-github v62 leaves out. Unknown fields are ignored. Fields that
// decisions rest on must be readable; those that are only shown may be odd.

type wirePackage struct {
	ID           int64           `json:"id"`
	Name         string          `json:"name"`
	Type         string          `json:"package_type"`
	Visibility   string          `json:"visibility"`
	VersionCount int             `json:"version_count"`
	URL          looseText       `json:"url"`
	HTMLURL      looseText       `json:"html_url"`
	CreatedAt    looseTime       `json:"created_at"`
	UpdatedAt    looseTime       `json:"updated_at"`
	Repository   *wireRepository `json:"repository"`
}

type wireRepository struct {
	ID       int64     `json:"id"`
	Name     looseText `json:"name"`
	FullName looseText `json:"full_name"`
	Private  bool      `json:"private"`
	HTMLURL  looseText `json:"html_url"`
}

type wireVersion struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	CreatedAt   looseTime `json:"created_at"`
	UpdatedAt   looseTime `json:"updated_at"`
	DeletedAt   looseTime `json:"deleted_at"`
	HTMLURL     looseText `json:"html_url"`
	License     looseText `json:"license"`
	Description looseText `json:"description"`
	Metadata    *struct {
		Container *struct {
			Tags tagList `json:"tags"`
		} `json:"container"`
		// GitHub's description has the property "tag" but requires "tags".
		Docker *struct {
			Tag  tagList `json:"tag"`
			Tags tagList `json:"tags"`
		} `json:"docker"`
	} `json:"metadata"`
}

// toPackage checks and translates; asked is the type of the request, "" for any.
func (w wirePackage) toPackage(asked retention.PackageType) (retention.Package, error) {
	t := retention.PackageType(strings.ToLower(w.Type))
	if t == "" {
		t = asked
	}
	switch {
	case w.ID <= 0:
		return retention.Package{}, fmt.Errorf("a package without an id")
	case w.Name == "":
		return retention.Package{}, fmt.Errorf("package %d has no name", w.ID)
	case !t.Valid() || asked != "" && t != asked:
		return retention.Package{}, fmt.Errorf("package %d has the unexpected type %q", w.ID, clean(w.Type))
	}
	p := retention.Package{
		ID: retention.ID(w.ID), Name: w.Name, Type: t,
		Visibility: w.Visibility, VersionCount: w.VersionCount,
		URL: string(w.URL), HTMLURL: string(w.HTMLURL),
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
		State: retention.Active,
	}
	if r := w.Repository; r != nil && (r.ID > 0 || r.FullName != "") {
		p.Repository = &retention.Repository{
			ID: retention.ID(r.ID), Name: string(r.Name), FullName: string(r.FullName),
			Private: r.Private, HTMLURL: string(r.HTMLURL),
		}
	}
	return p, nil
}

// version is a translated version with what its reading left open.
type version struct {
	retention.Version
	noTags    bool // of a type with tags, but without the field that lists them
	noDeleted bool // without deleted_at
}

func (w wireVersion) toVersion(t retention.PackageType, state retention.State) (version, error) {
	switch {
	case w.ID <= 0:
		return version{}, fmt.Errorf("a version without an id")
	case w.Name == "":
		return version{}, fmt.Errorf("version %d has no name", w.ID)
	}
	v := version{noDeleted: w.DeletedAt.IsZero(), Version: retention.Version{
		ID: retention.ID(w.ID), Name: w.Name,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, DeletedAt: w.DeletedAt.Time,
		State: state, HTMLURL: string(w.HTMLURL),
		License: string(w.License), Description: string(w.Description),
	}}
	if !v.noDeleted {
		v.State = retention.Deleted
	}
	tags, known := w.tags(t)
	v.Tags, v.Referrers = retention.SplitTags(tags)
	v.noTags = !known
	return v, nil
}

// tags returns the tags that the version's type has. Without the field that
// lists them, known is false: "no tags" and "tags not told" must not look alike.
func (w wireVersion) tags(t retention.PackageType) (tags []string, known bool) {
	if t != retention.Container && t != retention.Docker {
		return nil, true
	}
	if w.Metadata == nil {
		return nil, false
	}
	if c := w.Metadata.Container; c != nil && t == retention.Container {
		return c.Tags.tags, c.Tags.told
	}
	if d := w.Metadata.Docker; d != nil && t == retention.Docker {
		return append(append([]string{}, d.Tag.tags...), d.Tags.tags...), d.Tag.told || d.Tags.told
	}
	return nil, false
}

// looseText is a text that is only shown: whatever isn't a string reads as "".
type looseText string

func (l *looseText) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*l = looseText(s)
	}
	return nil
}

// looseTime reads RFC 3339 times. Null, "" and the year 1 are the zero time;
// anything else is an error, since ages are counted from it.
type looseTime struct{ time.Time }

func (l *looseTime) UnmarshalJSON(b []byte) error {
	l.Time = time.Time{}
	if string(b) == "null" || string(b) == `""` {
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read a time: %w", err)
	}
	if strings.HasPrefix(s, "0001-01-01") {
		return nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("read a time: %w", err)
	}
	l.Time = at.UTC()
	return nil
}

// tagList is a list of tags, or one tag. told is false for null.
type tagList struct {
	tags []string
	told bool
}

func (l *tagList) UnmarshalJSON(b []byte) error {
	*l = tagList{}
	if string(b) == "null" {
		return nil
	}
	if bytes.HasPrefix(b, []byte(`"`)) {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return fmt.Errorf("read a tag: %w", err)
		}
		if one != "" {
			l.tags = []string{one}
		}
		l.told = true
		return nil
	}
	var many []*string
	if err := json.Unmarshal(b, &many); err != nil {
		return fmt.Errorf("read tags: %w", err)
	}
	for _, t := range many {
		if t == nil {
			return errors.New("read tags: one of them is null")
		}
		if *t != "" {
			l.tags = append(l.tags, *t)
		}
	}
	l.told = true
	return nil
}

// decodeList reads a JSON array. An empty body or null is an error: json would
// take either for an empty list, and an empty list means "no packages".
func decodeList[T any](body []byte) ([]T, error) {
	if t := bytes.TrimSpace(body); len(t) == 0 || t[0] != '[' {
		return nil, errors.New("the answer is not a list")
	}
	var list []*T
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("decode the list: %w", err)
	}
	out := make([]T, 0, len(list))
	for i, item := range list {
		if item == nil {
			return nil, fmt.Errorf("entry %d of the list is null", i+1)
		}
		out = append(out, *item)
	}
	return out, nil
}

// decodeOne reads a JSON object.
func decodeOne[T any](body []byte) (T, error) {
	var v T
	if t := bytes.TrimSpace(body); len(t) == 0 || t[0] != '{' {
		return v, errors.New("the answer is not an object")
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("decode the answer: %w", err)
	}
	return v, nil
}
