// Package metrics writes figures as lines of CloudWatch's embedded metric format,
// which Lambda's logs turn into metrics without a call. Dimensions are the service
// and, where a figure is one owner's, the owner as well; never a package, whose
// names are many and nobody's but the owner's.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"
)

// Namespace is where the metrics are found.
const Namespace = "Shelflife"

// Unit is CloudWatch's word for what a figure counts.
type Unit string

// The units that are used.
const (
	Count   Unit = "Count"
	Percent Unit = "Percent"
	Seconds Unit = "Seconds"
)

// Metric is one figure.
type Metric struct {
	Name  string
	Unit  Unit
	Value float64
}

// Of is a count.
func Of(name string, n int) Metric { return Metric{name, Count, float64(n)} }

// Emitter writes metrics of one service. It is safe for concurrent use.
type Emitter struct {
	service string
	now     func() time.Time
	mu      sync.Mutex
	w       io.Writer
}

// New returns an emitter that writes to w, the function's standard output.
func New(w io.Writer, service string, now func() time.Time) *Emitter {
	return &Emitter{service: service, now: now, w: w}
}

type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

type definition struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

// Emit writes figures as one line: of an owner, or of the service alone when owner
// is "". Those of an owner count for the service too.
func (e *Emitter) Emit(owner string, figures ...Metric) error {
	if len(figures) == 0 {
		return nil
	}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{"service"}}}
	line := map[string]any{"service": e.service}
	if owner != "" {
		d.Dimensions = append(d.Dimensions, []string{"service", "owner"})
		line["owner"] = strings.ToLower(owner)
	}
	for _, f := range figures {
		d.Metrics = append(d.Metrics, definition{f.Name, f.Unit})
		line[f.Name] = f.Value
	}
	line["_aws"] = map[string]any{"Timestamp": e.now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err = e.w.Write(append(b, '\n'))
	return err
}
