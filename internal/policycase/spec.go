package policycase

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/shelflife-dev/shelflife/internal/near"
	"github.com/shelflife-dev/shelflife/internal/policy"
)

// File is one *.case.yaml. What stands at its top holds for every case that
// does not say otherwise.
type File struct {
	Policies []string       `yaml:"policies"` // evaluated together; absent: those in the file's folder
	Config   string         `yaml:"config"`   // a shelflife.yaml beside it whose policies, data and parameters hold
	Now      time.Time      `yaml:"now"`
	Owner    ownerSpec      `yaml:"owner"`
	Package  packageSpec    `yaml:"package"`
	Trigger  triggerSpec    `yaml:"trigger"`
	Params   policy.Values  `yaml:"params"`
	Data     map[string]any `yaml:"data"`
	Cases    []caseSpec     `yaml:"cases"`
}

type caseSpec struct {
	Name     string                `yaml:"name"`
	Policies []string              `yaml:"policies"`
	Now      time.Time             `yaml:"now"`
	Package  packageSpec           `yaml:"package"`
	Trigger  triggerSpec           `yaml:"trigger"`
	Params   policy.Values         `yaml:"params"`
	Data     map[string]any        `yaml:"data"`
	Complete *bool                 `yaml:"complete"`
	Limits   *limitsSpec           `yaml:"limits"`
	Mode     string                `yaml:"mode"` // of the run; absent: enforce
	Versions []versionSpec         `yaml:"versions"`
	Expect   *[]expectSpec         `yaml:"expect"`
	Fails    []string              `yaml:"fails"`   // texts, each in the failure of a policy
	Outcome  map[string]outcomeSay `yaml:"outcome"` // by version or package

	line int
}

type ownerSpec struct {
	Login string `yaml:"login"`
	Kind  string `yaml:"kind"`
	ID    int64  `yaml:"id"`
}

type packageSpec struct {
	Name         string  `yaml:"name"`
	Type         string  `yaml:"type"`
	ID           int64   `yaml:"id"`
	Visibility   string  `yaml:"visibility"`
	Repository   *string `yaml:"repository"` // OWNER/NAME; "" is not linked
	RepoPrivate  *bool   `yaml:"repository_private"`
	State        string  `yaml:"state"`
	Age          age     `yaml:"age"`
	Idle         age     `yaml:"idle"`
	VersionCount *int    `yaml:"version_count"`
}

type triggerSpec struct {
	Kind    string `yaml:"kind"`
	Event   string `yaml:"event"`
	Action  string `yaml:"action"`
	Sender  string `yaml:"sender"`
	Version string `yaml:"version"` // the key of a version
}

type limitsSpec struct {
	DeletesPerRun    *int     `yaml:"deletes_per_run"`
	DeletesPerDay    *int     `yaml:"deletes_per_day"`
	PercentOfPackage *float64 `yaml:"percent_of_package"`
	PercentOfOwner   *float64 `yaml:"percent_of_owner"`
	MinAge           *age     `yaml:"min_age"`
}

// versionSpec is one version: the short form is its name or key alone.
type versionSpec struct {
	Key         string    `yaml:"key"`  // how the case speaks of it; absent: its name, or else its first tag
	Name        string    `yaml:"name"` // outside containers; theirs is a digest made from the key
	ID          int64     `yaml:"id"`
	Tags        []string  `yaml:"tags"`
	Age         age       `yaml:"age"`
	Idle        age       `yaml:"idle"`
	CreatedAt   time.Time `yaml:"created_at"`
	UpdatedAt   time.Time `yaml:"updated_at"`
	Deleted     age       `yaml:"deleted"`    // since when
	DeletedBy   string    `yaml:"deleted_by"` // other (the default), or the policy by which this system did it
	License     string    `yaml:"license"`
	Description string    `yaml:"description"`

	Index         *[]string `yaml:"index"`   // keys of the children
	Missing       []string  `yaml:"missing"` // names of children that the registry no longer has
	Platform      string    `yaml:"platform"`
	Kind          string    `yaml:"kind"`
	MediaType     string    `yaml:"media_type"`
	ArtifactType  string    `yaml:"artifact_type"`
	Size          int64     `yaml:"size"`
	Subject       string    `yaml:"subject"` // key of what it refers to; a name without a version is a digest that is gone
	SignatureOf   string    `yaml:"signature_of"`
	AttestationOf string    `yaml:"attestation_of"`
	SBOMOf        string    `yaml:"sbom_of"`
	Unread        bool      `yaml:"unread"` // its manifest could not be read

	line int
}

// expectSpec is an expectation: "ACTION VERSION [POLICY[/RULE]]", or the fields.
type expectSpec struct {
	Action  string `yaml:"action"`
	Version string `yaml:"version"`
	Package bool   `yaml:"package"`
	Policy  string `yaml:"policy"`
	Rule    string `yaml:"rule"`
	Reason  string `yaml:"reason"` // a part of it
	Mode    string `yaml:"mode"`

	line int
}

// outcomeSay is "stays", or "ACTION STATUS [GUARD]" of the plan's item.
type outcomeSay struct {
	text string
	line int
}

// read parses a case file. Unknown fields are errors with their line and the
// near names.
func read(name string, text []byte) (*File, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{}
	if root.Kind == 0 {
		return nil, fmt.Errorf("%s: the file is empty; it needs cases", name)
	}
	if err := f.UnmarshalYAML(root.Content[0]); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("%s:1: there are no cases", name)
	}
	seen := map[string]int{}
	for _, c := range f.Cases {
		switch {
		case c.Name == "":
			return nil, fmt.Errorf("%s:%d: a case has no name", name, c.line)
		case seen[c.Name] > 0:
			return nil, fmt.Errorf("%s:%d: case %q is on line %d too; give it another name", name, c.line, c.Name, seen[c.Name])
		case c.Expect == nil && len(c.Fails) == 0:
			return nil, fmt.Errorf("%s:%d: case %q expects nothing: write expect: [] where no decision may be made", name, c.line, c.Name)
		}
		seen[c.Name] = c.line
	}
	return f, nil
}

// strict decodes a mapping into what plain points to, after looking for keys
// that it does not know.
func strict(n *yaml.Node, what string, known []string, plain any) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%d: %s has to be a group of keys", n.Line, what)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if slices.Contains(known, key.Value) {
			continue
		}
		hint := "it may have " + strings.Join(known, ", ")
		if names := near.Names(key.Value, known); len(names) > 0 {
			hint = near.DidYouMean(names)
		}
		return fmt.Errorf("%d: %s has no field %q; %s", key.Line, what, key.Value, hint)
	}
	if err := n.Decode(plain); err != nil {
		return located(n.Line, err)
	}
	return nil
}

// located gives an error of the YAML library a line in front, unless it has one.
func located(line int, err error) error {
	var many *yaml.TypeError
	if errors.As(err, &many) && len(many.Errors) > 0 {
		return errors.New(strings.TrimPrefix(many.Errors[0], "line "))
	}
	if text := err.Error(); text != "" && text[0] >= '0' && text[0] <= '9' {
		return err
	}
	return fmt.Errorf("%d: %w", line, err)
}
