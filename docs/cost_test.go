package docs_test

import (
	"fmt"
	"strings"
	"testing"
)

// size is one installation that the guide counts for.
type size struct {
	name                                string
	owners, packages, versions          float64
	changed, deleted, deliveries, hours float64 // a day; hours in which an owner has work
}

var sizes = []size{
	{"small", 1, 100, 10_000, 20, 50, 50, 2},
	{"medium", 5, 2_000, 200_000, 300, 500, 1_000, 6},
	{"large", 20, 50_000, 5_000_000, 5_000, 10_000, 20_000, 12},
}

const days, ticks = 30, 12 * 24 * 30

// seconds that the enforcer works in a month.
func (s size) seconds() float64 {
	return days*(s.deleted/3+2*s.changed+s.versions/10_000) + 0.2*ticks
}

func (s size) items() float64 { return days * (s.deliveries + s.seconds()/days/60 + s.owners) }

// line is one line of the bill: an amount in a month, and its price in dollars.
type line struct {
	what, how string
	amount    func(size) float64
	unit      string
	price     float64
}

var lines = []line{
	{"Lambda, time", "1 GB × seconds", size.seconds, "GB-s", 0.0000133334},
	{"Lambda, calls", "ticks + items + deliveries", func(s size) float64 { return (ticks + s.items() + days*s.deliveries) / 1e6 }, "million", 0.20},
	{"SQS FIFO", "3 × items + 5 pollers × 3 a minute", func(s size) float64 { return (3*s.items() + 5*3*60*24*days) / 1e6 }, "million", 0.50},
	{"HTTP API", "deliveries", func(s size) float64 { return days * s.deliveries / 1e6 }, "million", 1.00},
	{"DynamoDB, writes", "days × (12 × deleted + 6 × changed + 2 × deliveries) + 2 × owners × ticks", func(s size) float64 {
		return (days*(12*s.deleted+6*s.changed+2*s.deliveries) + 2*s.owners*ticks) / 1e6
	}, "million", 0.625},
	{"DynamoDB, reads", "days × (packages ÷ 10 + 10 × changed + 10 × deleted) + 10 × owners × ticks", func(s size) float64 {
		return (days*(s.packages/10+10*s.changed+10*s.deleted) + 10*s.owners*ticks) / 1e6
	}, "million", 0.125},
	{"DynamoDB, kept", "a year of actions at 3 KB and a manifest per version at 0.5 KB, with recovery", func(s size) float64 {
		return (365*s.deleted*3 + s.versions*0.5) / 1e6
	}, "GB", 0.45},
	{"S3, writes", "days × 2 × changed", func(s size) float64 { return days * 2 * s.changed / 1e3 }, "thousand", 0.005},
	{"S3, reads", "days × packages", func(s size) float64 { return days * s.packages / 1e3 }, "thousand", 0.0004},
	{"S3, kept", "5 copies × versions at 0.1 KB, 400 days of decisions at 0.1 KB", func(s size) float64 {
		return (5*s.versions*0.1 + 400*s.deleted*3*0.1) / 1e6
	}, "GB", 0.023},
	{"KMS and secrets", "2 keys at $1, 2 secrets at $0.40", func(size) float64 { return 2 }, "pair", 1.40},
	{"metrics", "(3 + 16 × hours ÷ 24) × (owners + 1) + 8", func(s size) float64 { return (3+16*s.hours/24)*(s.owners+1) + 8 }, "metric", 0.30},
	{"alarms", "11", func(size) float64 { return 11 }, "alarm", 0.10},
	{"dashboard", "1", func(size) float64 { return 1 }, "dashboard", 3.00},
	{"logs", "ticks × 2 KB + (deleted + items) × 1 KB", func(s size) float64 { return (2*ticks + days*s.deleted + s.items()) / 1e6 }, "GB", 0.53},
	{"X-Ray", "a trace a call", func(s size) float64 { return (ticks + s.items() + days*s.deliveries) / 1e6 }, "million", 5.00},
}

func costTable() string {
	var b strings.Builder
	b.WriteString("List prices of us-east-1 as the project knew them in 2025, in US dollars a month, without free tiers (which cover much of the small size). **Look the prices up\n" +
		"before you count on them.** The amounts are assumptions, not measurements; put your own in `docs/cost_test.go`.\n\n")
	b.WriteString("| a day | " + sizes[0].name + " | " + sizes[1].name + " | " + sizes[2].name + " |\n|---|---|---|---|\n")
	for _, r := range []struct {
		name string
		of   func(size) float64
	}{
		{"owners", func(s size) float64 { return s.owners }}, {"packages", func(s size) float64 { return s.packages }},
		{"versions", func(s size) float64 { return s.versions }}, {"packages that changed", func(s size) float64 { return s.changed }},
		{"versions deleted", func(s size) float64 { return s.deleted }}, {"webhook deliveries", func(s size) float64 { return s.deliveries }},
		{"hours in which an owner has work", func(s size) float64 { return s.hours }},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.name, figure(r.of(sizes[0])), figure(r.of(sizes[1])), figure(r.of(sizes[2])))
	}
	b.WriteString("\nOne sweep a day and owner, 30 days, 8,640 ticks. The enforcer works `30 × (deleted ÷ 3 + 2 × changed + versions ÷ 10,000) + 0.2 × 8,640` seconds: GitHub takes at most\n" +
		"three deletes a second, a changed package is two seconds of reading, a version in a snapshot 0.1 ms, a tick 0.2 s. `items` are the deliveries, a slice for each minute, and the sweeps.\n\n")
	b.WriteString("| | amount | price | small | medium | large |\n|---|---|---|---|---|---|\n")
	var sums [3]float64
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %s | %s / %s |", l.what, l.how, price(l.price), l.unit)
		for i, s := range sizes {
			cost := l.amount(s) * l.price
			sums[i] += cost
			fmt.Fprintf(&b, " %s × %s = %.2f |", figure(l.amount(s)), price(l.price), cost)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "| **together, about** | | | **%.0f** | **%.0f** | **%.0f** |\n", sums[0], sums[1], sums[2])
	b.WriteString("\nAthena is $5 for each TB that a query reads; a day of the large size is megabytes. The queue's pollers are Lambda's own; their number is a guess. Metrics\n" +
		"are paid for by the hour in which they come; most come only when there is work.\n")
	return b.String()
}

func price(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("$%.10f", f), "0"), ".")
}

// figure writes an amount with three digits that matter.
func figure(f float64) string {
	switch {
	case f >= 1000:
		s := fmt.Sprintf("%.0f", f)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case f == float64(int(f)):
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}

func TestCostIsComputed(t *testing.T) { inStep(t, "operator.md", "cost", costTable()) }
