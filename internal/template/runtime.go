package template

import (
	"slices"
	"strings"
)

// shipsSafe: as long as nobody changes a parameter, nothing runs by itself and
// nothing is deleted.
func shipsSafe(t Template, _ Facts) []string {
	var b breaches
	b.want("the default of Mode", at(t.Parameters, "Mode", "Default"), "observe")
	b.want("the default of Schedule", at(t.Parameters, "Schedule", "Default"), "DISABLED")
	schedules := t.ofType("AWS::Scheduler::Schedule")
	if len(schedules) == 0 {
		b.add("there is no schedule")
	}
	for _, s := range schedules {
		b.want("the state of "+s.Name, at(s.Properties, "State", "Ref"), "Schedule")
		b.want("the input of "+s.Name, at(s.Properties, "Target", "Input"), `{"kind":"tick"}`)
	}
	for _, f := range t.functions() {
		if len(t.queuesOf(f)) > 0 {
			b.want("SHELFLIFE_MODE of "+f.Name, at(t.variables(f)["SHELFLIFE_MODE"], "Ref"), "Mode")
		}
		for _, e := range object(at(f.Properties, "Events")) {
			if kind := text(at(e, "Type")); strings.HasPrefix(kind, "Schedule") || kind == "EventBridgeRule" || kind == "CloudWatchEvent" {
				b.add("%s has a schedule beside Tick", f.Name)
			}
		}
	}
	return b
}

// variables are the environment of a function, the globals included.
func (t Template) variables(f Resource) map[string]any {
	out := map[string]any{}
	for _, from := range []any{at(t.Globals, "Function", "Environment", "Variables"), at(f.Properties, "Environment", "Variables")} {
		for name, v := range object(from) {
			out[name] = v
		}
	}
	return out
}

// environment: each function gets what it reads, by the name it reads.
func environment(t Template, f Facts) []string {
	var b breaches
	for _, fn := range t.functions() {
		given, read := sorted(t.variables(fn)), f.Environment[fn.Name]
		for _, name := range given {
			if !slices.Contains(read, name) {
				b.add("%s is given %s, which it does not read", fn.Name, name)
			}
		}
		for _, name := range read {
			if !slices.Contains(given, name) {
				b.add("%s reads %s, which it is not given", fn.Name, name)
			}
		}
	}
	return b
}

// leastTimeout is what the enforcer needs at least, in seconds: a slice of a
// minute, twice that when it came to nothing, and 30 s to put itself back.
const leastTimeout = 150

// timeouts: the enforcer has time for a slice, and no item comes back while it
// is still worked on.
func timeouts(t Template, _ Facts) []string {
	var b breaches
	for _, f := range t.functions() {
		timeout, ok := number(at(f.Properties, "Timeout"))
		if !ok {
			b.add("%s has no timeout", f.Name)
			continue
		}
		for _, queue := range t.queuesOf(f) {
			if timeout < leastTimeout {
				b.add("the timeout of %s is %d s; a slice needs %d s", f.Name, timeout, leastTimeout)
			}
			visibility, _ := number(at(queue.Properties, "VisibilityTimeout"))
			if visibility < timeout {
				b.add("%s is visible again after %d s, while %s may work for %d s", queue.Name, visibility, f.Name, timeout)
			}
		}
		if t.isWebhook(f) && timeout > 10 {
			b.add("the timeout of %s is %d s; GitHub waits for 10 s", f.Name, timeout)
		}
	}
	return b
}

// queuesOf are the queues that a function is fed from.
func (t Template) queuesOf(f Resource) []Resource {
	var out []Resource
	for _, e := range object(at(f.Properties, "Events")) {
		if text(at(e, "Type")) == "SQS" {
			for _, name := range references(at(e, "Properties", "Queue")) {
				out = append(out, t.Resources[name])
			}
		}
	}
	return out
}

func (t Template) isWebhook(f Resource) bool {
	for _, e := range object(at(f.Properties, "Events")) {
		if text(at(e, "Type")) == "HttpApi" {
			return true
		}
	}
	return false
}

// queues: first in, first out for each owner; no item is lost, and no change is
// taken for an earlier one.
func queues(t Template, _ Facts) []string {
	var b breaches
	fed := 0
	for _, f := range t.functions() {
		for _, q := range t.queuesOf(f) {
			fed++
			b.want(q.Name+": FifoQueue", at(q.Properties, "FifoQueue"), true)
			b.want(q.Name+": ContentBasedDeduplication", at(q.Properties, "ContentBasedDeduplication"), false)
			b.want(q.Name+": DeduplicationScope", at(q.Properties, "DeduplicationScope"), "messageGroup")
			b.want(q.Name+": FifoThroughputLimit", at(q.Properties, "FifoThroughputLimit"), "perMessageGroupId")
			b.want(q.Name+": maxReceiveCount", at(q.Properties, "RedrivePolicy", "maxReceiveCount"), 5)
			dead := t.Resources[first(references(at(q.Properties, "RedrivePolicy", "deadLetterTargetArn")))]
			if dead.Type != "AWS::SQS::Queue" {
				b.add("%s has no dead-letter queue", q.Name)
				continue
			}
			b.want(dead.Name+": FifoQueue", at(dead.Properties, "FifoQueue"), true)
			kept, _ := number(at(q.Properties, "MessageRetentionPeriod"))
			if longer, _ := number(at(dead.Properties, "MessageRetentionPeriod")); longer < kept {
				b.add("%s keeps items for %d s, less than %s", dead.Name, longer, q.Name) // age counts from the first queue
			}
		}
	}
	if fed != 1 {
		b.add("%d queues feed functions, not 1", fed)
	}
	return b
}

// eventSources: a failed item alone is repeated, and FIFO's bounds are kept.
func eventSources(t Template, _ Facts) []string {
	var b breaches
	least, _ := number(at(t.Parameters, "MaximumConcurrency", "MinValue"))
	if usual, _ := number(at(t.Parameters, "MaximumConcurrency", "Default")); least < 2 || usual < least {
		b.add("MaximumConcurrency may be below 2, which Lambda refuses")
	}
	for _, f := range t.functions() {
		for name, e := range object(at(f.Properties, "Events")) {
			p := at(e, "Properties")
			switch text(at(e, "Type")) {
			case "SQS":
				if !slices.Contains(texts(at(p, "FunctionResponseTypes")), "ReportBatchItemFailures") {
					b.add("%s.%s repeats a whole batch for one failed item", f.Name, name)
				}
				if size, _ := number(at(p, "BatchSize")); size < 1 || size > 10 {
					b.add("%s.%s: a FIFO batch has 1 to 10 items", f.Name, name)
				}
				b.want(f.Name+"."+name+": MaximumConcurrency", at(p, "ScalingConfig", "MaximumConcurrency", "Ref"), "MaximumConcurrency")
			case "HttpApi":
				b.want(f.Name+"."+name+": route", text(at(p, "Method"))+" "+text(at(p, "Path")), "POST /webhook")
				api := t.Resources[first(references(at(p, "ApiId")))]
				if at(api.Properties, "RouteSettings", "POST /webhook", "ThrottlingRateLimit") == nil {
					b.add("the route of %s is not throttled", f.Name)
				}
				format := text(at(api.Properties, "AccessLogSettings", "Format"))
				if !strings.Contains(format, "$context.requestId") || strings.Contains(format, "body") || strings.Contains(format, "signature") {
					b.add("the access log of %s has to name the request and to leave out what is in it", api.Name)
				}
			}
		}
	}
	return b
}
