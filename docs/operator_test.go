package docs_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the only SQL that is here; the queries keep to what both speak

	"github.com/shelflife-dev/shelflife/internal/template"
)

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")

// decisionLog is a database with the columns of the template's Glue table, and a
// few rows.
func decisionLog(t *testing.T) *sql.DB {
	t.Helper()
	tmpl, err := template.Load("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	t.Cleanup(func() { _ = db.Close() })
	columns := tmpl.Columns()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE decisions ("`+strings.Join(columns, `" TEXT, "`)+`" TEXT)`); err != nil {
		t.Fatal(err)
	}
	rows := []struct{ account, dt, version, status string }{
		{"acme", "2027-01-30", "1", "observed"},
		{"acme", "2027-01-31", "123456", "planned"},
		{"acme", "2027-01-31", "3", "held"},
		{"acme-labs", "2027-01-31", "4", "kept"},
	}
	for _, r := range rows {
		_, err := db.ExecContext(t.Context(), `INSERT INTO decisions (account, dt, package, version_id, policy, action, status) VALUES (?, ?, 'team/api', ?, ?, 'delete', ?)`,
			r.account, r.dt, r.version, "policy-of-"+r.account, r.status)
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestQueriesOfTheDecisionLogRun(t *testing.T) {
	raw, err := os.ReadFile("operator.md")
	if err != nil {
		t.Fatal(err)
	}
	db := decisionLog(t)
	blocks := sqlBlock.FindAllStringSubmatch(string(raw), -1)
	if len(blocks) < 5 {
		t.Fatalf("only %d queries were found", len(blocks))
	}
	for _, b := range blocks {
		query := b[1]
		if !strings.Contains(query, "account = '") && !strings.Contains(query, "account IN (") {
			t.Errorf("Athena refuses a query that does not name an account:\n%s", query)
		}
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Errorf("%v:\n%s", err, query)
			continue
		}
		if !rows.Next() {
			t.Errorf("nothing is found by:\n%s", query)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
}

// manifest is a GitHub App's, https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
type manifest struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Hook        struct {
		URL    string `json:"url"`
		Active bool   `json:"active"`
	} `json:"hook_attributes"`
	Redirect    string            `json:"redirect_url"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

func TestTheAppAsksForWhatTheGuideExplains(t *testing.T) {
	page, err := exec.Command("../scripts/app-manifest-page.sh", "acme", "https://x.execute-api.us-east-1.amazonaws.com/webhook").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), ` name="manifest" value="`)
	value, _, ok2 := strings.Cut(rest, `">`)
	if !ok || !ok2 || !strings.Contains(string(page), `action="https://github.com/organizations/acme/settings/apps/new"`) {
		t.Fatalf("no form:\n%s", page)
	}
	var m manifest
	dec := json.NewDecoder(strings.NewReader(strings.ReplaceAll(value, "&quot;", `"`)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	want := manifest{
		Name: "Shelflife of acme", URL: "https://github.com/shelflife-dev/shelflife", Description: m.Description, Redirect: "http://localhost:8765/",
		Permissions: map[string]string{"metadata": "read", "packages": "write"}, Events: []string{"package", "registry_package"},
	}
	want.Hook.URL, want.Hook.Active = "https://x.execute-api.us-east-1.amazonaws.com/webhook", true
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	raw, err := os.ReadFile("operator.md")
	if err != nil {
		t.Fatal(err)
	}
	for permission, level := range m.Permissions {
		if !strings.Contains(string(raw), "permission `"+permission+": "+level+"`") {
			t.Errorf("docs/operator.md does not explain the permission %s", permission)
		}
	}
	for _, event := range m.Events {
		if !strings.Contains(string(raw), "`"+event+"`") {
			t.Errorf("docs/operator.md does not explain the event %s", event)
		}
	}
	for _, args := range [][]string{{"acme"}, {"a b", "https://x/webhook"}, {"acme", "http://x/webhook"}, {"acme", `https://x/"><script>`}} {
		if err := exec.Command("../scripts/app-manifest-page.sh", args...).Run(); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
