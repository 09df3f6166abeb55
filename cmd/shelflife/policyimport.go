package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shelflife-dev/shelflife/internal/policy"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/policies"
)

// vendors are the documents that can be taken over, and the policy that reads each.
func vendors() map[string]string {
	return map[string]string{
		"ecr": "ecr_lifecycle", "artifact-registry": "artifact_registry_cleanup", "harbor": "harbor_retention",
	}
}

// maxVendorDocument bounds a vendor's document; ECR's own limit is 30,720 characters.
const maxVendorDocument = 1 << 20

func (a *app) policyImportCommand() *cobra.Command {
	kinds := slices.Sorted(maps.Keys(vendors()))
	return &cobra.Command{
		Use:   "import KIND FILE",
		Short: "Take over another registry's retention document",
		Long: `Print the part of shelflife.yaml that applies a retention document of another
registry as it is: ` + strings.Join(kinds, ", ") + `. The document is tried first; what
is not understood is said, and nothing is printed. docs/migrate.md says what each
one can and can't carry over.`,
		Example: `  aws ecr get-lifecycle-policy --repository-name api --query lifecyclePolicyText --output text > policy.json
  shelflife policy import ecr policy.json >> shelflife.yaml
  shelflife policy import artifact-registry cleanup.json
  shelflife policy import harbor retention.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			name, ok := vendors()[args[0]]
			if !ok {
				return usagef("kind %q is none of %s", args[0], strings.Join(kinds, ", "))
			}
			f, err := a.openFile("document", args[1])
			if err != nil {
				return err
			}
			defer f.Close()
			text, err := io.ReadAll(io.LimitReader(f, maxVendorDocument+1))
			if err != nil {
				return fmt.Errorf("read %s: %w", args[1], err)
			}
			if len(text) > maxVendorDocument {
				return usagef("%s is larger than %d KiB, so it is no retention document", args[1], maxVendorDocument>>10)
			}
			return a.importDocument(c.Context(), name, args[1], text)
		},
	}
}

func (a *app) importDocument(ctx context.Context, name, file string, text []byte) error {
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return usagef("%s is no JSON: %w", file, err)
	}
	if err := tryDocument(ctx, name, document); err != nil {
		return usagef("%s: %w", file, err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(text), "      ", "  "); err != nil {
		return usagef("%s is no JSON: %w", file, err)
	}
	fmt.Fprintf(a.out, `# only: leaves out every other policy; add the names of those that are to stay.
policies: {builtin: true, only: [%s]}
params:
  %[1]s:
    document:
      %s
`, name, indented.String())
	a.note("the policy observes; plan and read what it would do before an own copy of it enforces (docs/migrate.md)")
	return nil
}

// tryDocument asks the policy about an image and says why it refuses.
func tryDocument(ctx context.Context, name string, document any) error {
	engine, err := policy.Load(ctx, policies.FS, policy.Options{
		Only: []string{name}, Params: policy.Params{All: policy.Values{name: {"document": document}}},
	})
	if err != nil {
		return err
	}
	at := retention.Inventory{
		Owner:    retention.Owner{Login: "acme", Kind: retention.Organization},
		Package:  retention.Package{Name: "api", Type: retention.Container, State: retention.Active},
		Complete: true,
	}
	j, err := engine.Decide(ctx, policy.Request{Inventory: at, Trigger: retention.Trigger{Kind: retention.TriggerCLI}})
	if err != nil {
		return err
	}
	var problems []error
	for _, f := range j.Failures {
		problems = append(problems, errors.New(f.Detail))
	}
	return errors.Join(problems...)
}
