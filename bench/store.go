package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// goBenchmark is one line of go test -bench that becomes a figure.
type goBenchmark struct {
	pkg, name string
	what      string
	unit      string
	figure    func(nsPerOp float64) float64
}

func perSecond(ns float64) float64 { return 1e9 / ns }
func toMillis(ns float64) float64  { return ns / 1e6 }

// store times the ledger and the snapshots on this disk, and the building of graphs.
func store(ctx context.Context, b *bench) error {
	const sqlite, graphs, manifests = "./internal/ledger/sqlite", "./internal/retention", "./internal/oci"
	all := []goBenchmark{
		{sqlite, "BenchmarkBeginFinish", "intent and outcome of one action, each flushed to the disk", "pairs/s", perSecond},
		{sqlite, "BenchmarkBegin40", "40 intents in one commit", "commits/s", perSecond},
		{sqlite, "BenchmarkSaveSnapshot1000", "keep a changed snapshot of 1,000 versions", "ms", toMillis},
		{sqlite, "BenchmarkSnapshotOfNPM/versions=100", "read a snapshot of 100 versions", "ms", toMillis},
		{sqlite, "BenchmarkKnown/packages=1000", "what is known of 1,000 packages", "ms", toMillis},
		{graphs, "BenchmarkNewGraph/nodes=1000", "build a graph of 1,000 nodes", "ms", toMillis},
		{graphs, "BenchmarkNewGraph/nodes=10000", "build a graph of 10,000 nodes", "ms", toMillis},
		{manifests, "BenchmarkGraphFromCache/nodes=1000", "read a graph of 1,000 nodes from cached manifests", "ms", toMillis},
		{manifests, "BenchmarkGraphFromCache/nodes=10000", "read a graph of 10,000 nodes from cached manifests", "ms", toMillis},
	}
	out := map[string]string{}
	for _, g := range all {
		if _, ran := out[g.pkg]; ran {
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "test", g.pkg, "-run", "^$", "-bench", "BeginFinish|Begin40|SaveSnapshot1000|SnapshotOfNPM|Known|NewGraph|GraphFromCache", "-benchtime", "1s")
		text, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("go test %s: %w\n%s", g.pkg, err, text)
		}
		out[g.pkg] = string(text)
	}
	for _, g := range all {
		line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(g.name) + `(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`).FindStringSubmatch(out[g.pkg])
		if line == nil {
			return fmt.Errorf("go test %s printed no %s", g.pkg, g.name)
		}
		ns, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			return err
		}
		b.add(info("store", g.what, g.unit, g.figure(ns)))
	}
	return nil
}
