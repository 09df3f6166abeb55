package template

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/shelflife-dev/shelflife/internal/decisions"
	"github.com/shelflife-dev/shelflife/internal/ledger/dynamodb"
)

const file = "../../template.yaml"

// facts are read from the code itself wherever it says them.
func facts(t *testing.T) Facts {
	t.Helper()
	where, log := bucket(t)
	return Facts{
		Folders:     where,
		Calls:       calls(t, sources(t, "enforcer")),
		Decisions:   log,
		Environment: environmentOf(),
		Ledger:      ledger(t),
		Columns:     jsonFields(reflect.TypeFor[decisions.Row]()),
		Metrics:     metricsOf(t),
	}
}

func ledger(t *testing.T) Ledger {
	t.Helper()
	def := dynamodb.Definition("any")
	out := Ledger{BillingMode: string(def.BillingMode), TTL: dynamodb.TTLAttribute, Deliveries: "delivery#*", Deleted: "active#*", Partitions: partitions(t)}
	for _, k := range def.KeySchema {
		for _, a := range def.AttributeDefinitions {
			if aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName) {
				out.Keys = append(out.Keys, Key{Name: aws.ToString(k.AttributeName), Role: string(k.KeyType), Type: string(a.AttributeType)})
			}
		}
	}
	return out
}

var itemLine = regexp.MustCompile(`^//\t([a-z]+)(#\S+)? +\S`)

// partitions are the patterns of the partition keys in the ledger's own table of
// its items.
func partitions(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../ledger/dynamodb/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(raw), "// # Items\n")
	section, _, _ = strings.Cut(section, "// # Access patterns\n")
	var out []string
	for line := range strings.Lines(section) {
		m := itemLine.FindStringSubmatch(line)
		if m == nil || m[1] == "pk" {
			continue
		}
		pattern := m[1]
		if m[2] != "" {
			pattern += "#*"
		}
		if !slices.Contains(out, pattern) {
			out = append(out, pattern)
		}
	}
	if len(out) < 9 {
		t.Fatalf("only %v: the table of items has changed its form", out)
	}
	return out
}

var objectLine = regexp.MustCompile(`(?m)^//\t(([a-z]+)/\S+)  +\S`)

// bucket is what the packages that write the bucket say of their keys.
func bucket(t *testing.T) (folders []string, decisions string) {
	t.Helper()
	var raw []byte
	for _, file := range []string{"../inventory/s3snap/doc.go", "../bundles/awsbundle/doc.go"} {
		b, err := os.ReadFile(file)
		if err != nil || !objectLine.Match(b) {
			t.Fatalf("%s lists no keys: %v", file, err)
		}
		raw = append(raw, b...)
	}
	for _, m := range objectLine.FindAllStringSubmatch(string(raw), -1) {
		folders = append(folders, m[2])
		if m[2] == "decisions" {
			decisions, _, _ = strings.Cut(m[1], "run=")
		}
	}
	if len(folders) < 3 || decisions == "" {
		t.Fatalf("folders %v, decisions in %q: the list of keys has changed its form", folders, decisions)
	}
	return folders, decisions
}

func jsonFields(row reflect.Type) []string {
	var out []string
	for i := range row.NumField() {
		name, _, _ := strings.Cut(row.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}
