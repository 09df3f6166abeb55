package template

import (
	"fmt"
	"slices"
	"strings"
)

// Rights is the table of who may do what, in Markdown.
func (t Template) Rights() string {
	var b strings.Builder
	b.WriteString("| who | may | on | only | why |\n|---|---|---|---|---|\n")
	permissions := t.Permissions()
	slices.SortStableFunc(permissions, func(a, b Permission) int { return strings.Compare(t.holder(a.Role), t.holder(b.Role)) })
	for _, p := range permissions {
		only := conditions(p.Only)
		if p.When != "" {
			only = append(only, "in the template if "+p.When)
		}
		row(&b, t.holder(p.Role), code(p.Actions), code(strings.Split(p.Where(), ", ")), strings.Join(only, "; "), p.Why())
	}
	return b.String()
}

// conditions are the words of a statement's condition: the values that it
// allows.
func conditions(v any) []string {
	var out []string
	for _, operator := range sorted(object(v)) {
		if operator == "Null" { // says that the other condition must apply
			continue
		}
		for _, key := range sorted(object(at(v, operator))) {
			name := key
			if key == "dynamodb:LeadingKeys" {
				name = "items"
			}
			out = append(out, name+" "+code(texts(at(v, operator, key))))
		}
	}
	return out
}

// Options is the table of the parameters, by name.
func (t Template) Options(order []string) string {
	var b strings.Builder
	b.WriteString("| parameter | default | what |\n|---|---|---|\n")
	for _, name := range order {
		p := t.Parameters[name]
		value := fmt.Sprint(at(p, "Default"))
		if value == "" {
			value = "(empty)"
		} else {
			value = code([]string{value})
		}
		row(&b, code([]string{name}), value, text(at(p, "Description")))
	}
	return b.String()
}

// Alarms is the table of what is watched.
func (t Template) Alarms() string {
	var b strings.Builder
	b.WriteString("| alarm | speaks when | of |\n|---|---|---|\n")
	signs := map[string]string{"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<"}
	for _, r := range t.ofType("AWS::CloudWatch::Alarm") {
		p := r.Properties
		period, _ := number(at(p, "Period"))
		times, _ := number(at(p, "EvaluationPeriods"))
		var of []string
		for _, d := range list(at(p, "Dimensions")) {
			of = append(of, show(at(d, "Value")))
		}
		name := strings.TrimPrefix(text(at(p, "AlarmName", "Fn::Sub")), "${AWS::StackName}-")
		when := fmt.Sprintf("%s of `%s` %s %s over %d min", strings.ToLower(text(at(p, "Statistic"))), text(at(p, "MetricName")),
			signs[text(at(p, "ComparisonOperator"))], fmt.Sprint(at(p, "Threshold")), period*times/60)
		if r.Condition != "" {
			when += "; only if " + r.Condition
		}
		row(&b, code([]string{name}), when, strings.TrimSuffix(strings.Join(of, ", "), ".QueueName"))
	}
	return b.String()
}

// Columns are what a query of the decision log can name: the columns of its
// table and its partitions.
func (t Template) Columns() []string {
	var out []string
	for _, r := range t.ofType("AWS::Glue::Table") {
		in := at(r.Properties, "TableInput")
		out = append(out, names(at(in, "StorageDescriptor", "Columns"))...)
		out = append(out, names(at(in, "PartitionKeys"))...)
	}
	return out
}

func row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(c), " "), "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "`" + w + "`"
	}
	return strings.Join(out, " ")
}
