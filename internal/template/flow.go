package template

import (
	"fmt"
	"strings"
)

// shapes are how kinds of resources are drawn in Mermaid; others are left out.
var shapes = map[string]string{
	"AWS::Scheduler::Schedule":    "%s{{%s}}",
	"AWS::Serverless::HttpApi":    "%s{{%s}}",
	"AWS::Serverless::Function":   "%s[%s]",
	"AWS::SQS::Queue":             "%s[/%s/]",
	"AWS::DynamoDB::Table":        "%s[(%s)]",
	"AWS::S3::Bucket":             "%s[(%s)]",
	"AWS::KMS::Key":               "%s([%s])",
	"AWS::SecretsManager::Secret": "%s([%s])",
}

// Flow draws what starts what and what reaches what, as a Mermaid flowchart.
// Only GitHub itself is not from the template.
func (t Template) Flow() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	b.WriteString("  GitHub([GitHub, ghcr.io])\n")
	for _, name := range t.Order {
		if shape, ok := shapes[t.Resources[name].Type]; ok {
			fmt.Fprintf(&b, "  "+shape+"\n", name, name)
		}
	}
	for _, e := range t.edges() {
		fmt.Fprintf(&b, "  %s -->|\"%s\"| %s\n", e.from, strings.Join(e.says, "<br>"), e.to)
	}
	return b.String()
}

type edge struct {
	from, to string
	says     []string
}

func (t Template) edges() []edge {
	var out []edge
	add := func(from, to, says string) {
		for i, e := range out {
			if e.from == from && e.to == to {
				out[i].says = append(e.says, says)
				return
			}
		}
		out = append(out, edge{from, to, []string{says}})
	}
	for _, s := range t.ofType("AWS::Scheduler::Schedule") {
		add(s.Name, first(references(at(s.Properties, "Target", "Arn"))), text(at(s.Properties, "ScheduleExpression")))
	}
	for _, f := range t.functions() {
		for _, name := range sorted(object(at(f.Properties, "Events"))) {
			e := at(f.Properties, "Events", name)
			switch p := at(e, "Properties"); text(at(e, "Type")) {
			case "HttpApi":
				api := first(references(at(p, "ApiId")))
				add("GitHub", api, "package events")
				add(api, f.Name, text(at(p, "Method"))+" "+text(at(p, "Path")))
			case "SQS":
				queue := first(references(at(p, "Queue")))
				add(queue, f.Name, "one owner after the other")
				add(f.Name, "GitHub", "read, delete, restore")
			}
		}
	}
	for _, q := range t.ofType("AWS::SQS::Queue") {
		if dead := first(references(at(q.Properties, "RedrivePolicy", "deadLetterTargetArn"))); dead != "" {
			times, _ := number(at(q.Properties, "RedrivePolicy", "maxReceiveCount"))
			add(q.Name, dead, fmt.Sprintf("failed %d times", times))
		}
	}
	for _, p := range t.Permissions() {
		if t.Resources[t.holder(p.Role)].Type != "AWS::Serverless::Function" {
			continue // the schedule's arrow is there already
		}
		drawn := ""
		for _, to := range append(references(p.On), p.Policy) {
			if _, ok := shapes[t.Resources[to].Type]; ok && to != drawn {
				add(t.holder(p.Role), to, p.Why())
				drawn = to
			}
		}
	}
	return out
}

// holder is the function or schedule that has a role, the role itself when
// nothing has it.
func (t Template) holder(role string) string {
	for _, name := range t.Order {
		r := t.Resources[name]
		for _, v := range []any{at(r.Properties, "Role"), at(r.Properties, "Target", "RoleArn")} {
			if first(references(v)) == role {
				return name
			}
		}
	}
	return role
}
