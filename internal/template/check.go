package template

import "fmt"

// Facts are what the code wants of the template.
type Facts struct {
	Environment map[string][]string // function: the variables that it reads, AWS's own aside
	Ledger      Ledger
	Columns     []string // JSON fields of a row of the decision log
	// Folders are those of the bucket, Decisions where the log is in it, with
	// <owner> and <day> in it.
	Folders []string
	// Calls are the operations of AWS that the enforcer's code makes, such as
	// dynamodb:TransactWriteItems.
	Calls     []string
	Decisions string
	// Metrics are the names that the functions emit with the dimension service
	// alone, by namespace and service: "Shelflife/enforcer".
	Metrics map[string][]string
}

// Ledger is what the ledger wants its table to be.
type Ledger struct {
	BillingMode string
	Keys        []Key
	TTL         string
	// Partitions are patterns of the partition keys that it writes, those of
	// webhook deliveries among them.
	Partitions []string
	Deliveries string // the pattern of the deliveries
	Deleted    string // the pattern of what it deletes
}

// Key is one part of a table's key.
type Key struct{ Name, Role, Type string }

// Problem is one breach of a rule.
type Problem struct {
	Rule   string
	Detail string
}

// rule is one thing that holds of the template. check returns what breaks it.
type rule struct {
	name  string
	check func(Template, Facts) []string
}

// rules are all there are, in the order of their report.
func rules() []rule {
	return []rule{
		{"ships safe", shipsSafe},
		{"environment", environment},
		{"timeouts", timeouts},
		{"queues", queues},
		{"event sources", eventSources},
		{"table", table},
		{"retained", retained},
		{"rights in one place", rightsInOnePlace},
		{"no wildcards", noWildcards},
		{"never allowed", neverAllowed},
		{"calls are allowed", callsAreAllowed},
		{"partition keys", partitionKeys},
		{"folders of the bucket", folders},
		{"webhook has little", webhookHasLittle},
		{"keys are used as meant", keyUse},
		{"alarms", alarms},
		{"metrics are emitted", metricsAreEmitted},
		{"decision columns", decisionColumns},
		{"suppressions are explained", suppressions},
		{"no secrets in variables", noSecretsInVariables},
	}
}

// Check returns every breach of every rule.
func (t Template) Check(f Facts) []Problem {
	var out []Problem
	for _, r := range rules() {
		for _, detail := range r.check(t, f) {
			out = append(out, Problem{Rule: r.name, Detail: detail})
		}
	}
	return out
}

// ofType returns the resources of one type, in the file's order.
func (t Template) ofType(kind string) []Resource {
	var out []Resource
	for _, name := range t.Order {
		if t.Resources[name].Type == kind {
			out = append(out, t.Resources[name])
		}
	}
	return out
}

func (t Template) functions() []Resource { return t.ofType("AWS::Serverless::Function") }

// breaches collects what a rule finds.
type breaches []string

func (b *breaches) add(format string, args ...any) { *b = append(*b, fmt.Sprintf(format, args...)) }

// want reports v unless it is what is wanted.
func (b *breaches) want(what string, got, want any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.add("%s is %v, not %v", what, show(got), want)
	}
}
