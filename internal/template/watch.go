package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// watched are the alarms there have to be: what each looks at, and the bound
// beyond which it speaks.
var watched = []struct {
	alarm, metric, of string // of: the resource or service that is meant
	operator          string
	threshold         int
	missing           string
}{
	{"DeadLetterAlarm", "AWS/SQS ApproximateNumberOfMessagesVisible", "DeadLetterQueue", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
	{"OldestMessageAlarm", "AWS/SQS ApproximateAgeOfOldestMessage", "WorkQueue", "GreaterThanThreshold", 1800, "notBreaching"},
	{"HeartbeatAlarm", "Shelflife Heartbeat", "enforcer", "LessThanThreshold", 1, "breaching"},
	{"EnforcerErrorsAlarm", "AWS/Lambda Errors", "EnforcerFunction", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
	{"WebhookErrorsAlarm", "AWS/Lambda Errors", "WebhookFunction", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
	{"EnforcerThrottlesAlarm", "AWS/Lambda Throttles", "EnforcerFunction", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
	{"WebhookThrottlesAlarm", "AWS/Lambda Throttles", "WebhookFunction", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
	{"BudgetAlarm", "Shelflife BudgetUsedPercent", "enforcer", "GreaterThanThreshold", 80, "notBreaching"},
	{"PausedAlarm", "Shelflife PausedSeconds", "enforcer", "GreaterThanThreshold", 3600, "notBreaching"},
	{"UnknownOutcomesAlarm", "Shelflife UnknownOutcomes", "enforcer", "GreaterThanThreshold", 0, "notBreaching"},
	{"Webhook5xxAlarm", "AWS/ApiGateway 5xx", "WebhookApi", "GreaterThanOrEqualToThreshold", 1, "notBreaching"},
}

// alarms: every alarm is there, looks at what it is named for, and tells
// whoever is to be told.
func alarms(t Template, _ Facts) []string {
	var b breaches
	for _, w := range watched {
		r := t.Resources[w.alarm]
		if r.Type != "AWS::CloudWatch::Alarm" {
			b.add("there is no %s", w.alarm)
			continue
		}
		p := r.Properties
		b.want(w.alarm+"'s metric", text(at(p, "Namespace"))+" "+text(at(p, "MetricName")), w.metric)
		var of []string
		for _, d := range list(at(p, "Dimensions")) {
			of = append(of, append(references(at(d, "Value")), texts(at(d, "Value"))...)...)
		}
		of = slices.DeleteFunc(of, func(s string) bool { return s == "" })
		if !slices.Equal(of, []string{w.of}) {
			b.add("%s looks at %v, not at %s", w.alarm, of, w.of)
		}
		b.want(w.alarm+"'s operator", at(p, "ComparisonOperator"), w.operator)
		b.want(w.alarm+"'s threshold", at(p, "Threshold"), w.threshold)
		b.want(w.alarm+"'s treatment of missing data", at(p, "TreatMissingData"), w.missing)
		for _, to := range []string{"AlarmActions", "OKActions"} {
			if got := references(at(p, to)); !slices.Contains(got, "AlarmTopic") || !slices.Contains(got, "AlarmTopicArn") {
				b.add("%s tells only %v by its %s", w.alarm, got, to)
			}
		}
	}
	for _, r := range t.ofType("AWS::CloudWatch::Alarm") {
		known := false
		for _, w := range watched {
			known = known || w.alarm == r.Name
		}
		if !known {
			b.add("nothing is known of %s", r.Name)
		}
	}
	return b
}

var search = regexp.MustCompile(`SEARCH\('\{([A-Za-z]+),([a-z,]+)\} MetricName="([A-Za-z]+)"'`)

// metricsAreEmitted: alarms and dashboard look at metrics of ours that exist.
func metricsAreEmitted(t Template, f Facts) []string {
	var b breaches
	check := func(where, namespace, service, metric string) {
		if namespace == "Shelflife" && !slices.Contains(f.Metrics[namespace+"/"+service], metric) {
			b.add("%s shows %s of %s, which nothing emits", where, metric, service)
		}
	}
	for _, r := range t.ofType("AWS::CloudWatch::Alarm") {
		for _, d := range list(at(r.Properties, "Dimensions")) {
			check(r.Name, text(at(r.Properties, "Namespace")), text(at(d, "Value")), text(at(r.Properties, "MetricName")))
		}
	}
	boards := t.ofType("AWS::CloudWatch::Dashboard")
	if len(boards) != 1 {
		b.add("there are %d dashboards, not 1", len(boards))
	}
	for _, r := range boards {
		body := text(at(r.Properties, "DashboardBody", "Fn::Sub"))
		var board struct {
			Widgets []struct {
				Type       string
				Properties struct{ Metrics [][]any }
			}
		}
		if err := json.Unmarshal([]byte(body), &board); err != nil || len(board.Widgets) == 0 {
			b.add("%s is no dashboard: %v", r.Name, err)
		}
		for _, w := range board.Widgets {
			for _, m := range w.Properties.Metrics {
				expression := text(at(m[0], "expression"))
				if s := search.FindStringSubmatch(expression); s != nil {
					check(r.Name, s[1], "enforcer", s[3])
				} else if strings.Contains(expression, "SEARCH") {
					b.add("%s: %s can't be read", r.Name, expression)
				}
				if len(m) >= 4 && text(m[0]) == "Shelflife" {
					check(r.Name, "Shelflife", text(m[3]), text(m[1]))
				}
			}
		}
		for _, name := range sorted(t.Resources) {
			a := t.Resources[name]
			if a.Type == "AWS::CloudWatch::Alarm" && a.Condition == "" && !strings.Contains(body, "${"+name+".Arn}") {
				b.add("%s does not show %s", r.Name, name)
			}
		}
	}
	return b
}
