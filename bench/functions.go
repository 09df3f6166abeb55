package main

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// functions measures the real bootstraps, run as Lambda runs them against moto, and
// the size of what is deployed.
func functions(ctx context.Context, b *bench) error {
	for _, f := range []struct {
		logical, name string
		mb            float64
	}{{"EnforcerFunction", "enforcer", 12}, {"WebhookFunction", "webhook", 4}} {
		size, err := b.rig.deployed(ctx, f.logical, "arm64")
		if err != nil {
			return err
		}
		b.add(figure{Row: "functions", What: "zipped arm64 size of the " + f.name + " function", Rule: atMost, Bound: f.mb, Figure: megabytes(size), Unit: "MB"})
	}
	cmd := exec.CommandContext(ctx, "go", "test", "./functions/e2e", "-run", "^$", "-bench", ".", "-benchtime", "1x")
	cmd.Env = append(os.Environ(), "CI=true") // a machine without moto is told, not passed over
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test ./functions/e2e: %w\n%s", err, text)
	}
	var m metrics
	start := m.of(text, "BenchmarkStart/enforcer", "ms/start")
	startWebhook := m.of(text, "BenchmarkStart/webhook", "ms/start")
	p99, queue := m.of(text, "BenchmarkWebhook", "ms/p99"), m.of(text, "BenchmarkWebhook", "ms/queue-p99")
	p50, queue50 := m.of(text, "BenchmarkWebhook", "ms/p50"), m.of(text, "BenchmarkWebhook", "ms/queue-p50")
	queued, took, sandboxes := m.of(text, "BenchmarkBurst", "queued"), m.of(text, "BenchmarkBurst", "s/burst"), m.of(text, "BenchmarkBurst", "sandboxes")
	if m.err != nil {
		return m.err
	}
	webhook := figure{Row: "functions", What: "webhook: p99 of verify and enqueue, over the queue's own p99", Rule: atMost, Bound: 10, Figure: p99 - queue, Unit: "ms"}
	webhook.Note = fmt.Sprintf("%.1f ms in all, %.1f ms of it the queue's; medians %.1f and %.1f ms; the rest holds the function's calls of DynamoDB, answered by moto", p99, queue, p50, queue50)
	burst := figure{Row: "functions", What: "webhook: deliveries queued of a burst of 500", Rule: exactly, Bound: 500, Figure: queued, Unit: "deliveries"}
	burst.Note = fmt.Sprintf("in %.1f s, by %.0f sandboxes", took, sandboxes)
	b.add(
		figure{Row: "functions", What: "start to ready of the enforcer function, median of 10", Rule: atMost, Bound: 150, Figure: start, Unit: "ms"},
		figure{Row: "functions", What: "start to ready of the webhook function, median of 10", Rule: atMost, Bound: 25, Figure: startWebhook, Unit: "ms"},
		webhook, burst,
	)
	return nil
}

// metrics reads what benchmarks report by themselves, and keeps the first error.
type metrics struct{ err error }

func (m *metrics) of(text []byte, benchmark, unit string) float64 {
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(benchmark) + `(?:-\d+)?\s.*?\s([0-9.]+) ` + regexp.QuoteMeta(unit) + `(?:\s|$)`).FindSubmatch(text)
	if line == nil {
		m.err = cmp.Or(m.err, fmt.Errorf("go test ./functions/e2e printed no %s of %s", unit, benchmark))
		return 0
	}
	n, err := strconv.ParseFloat(string(line[1]), 64)
	m.err = cmp.Or(m.err, err)
	return n
}

// deployed is the size of the archive that sam deploy would upload: the folder of a
// build target, zipped.
func (r *rig) deployed(ctx context.Context, logical, arch string) (int64, error) {
	dir, err := r.scratch()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "make", "-s", "build-"+logical, "ARTIFACTS_DIR="+dir, "ARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("make build-%s: %w\n%s", logical, err, out)
	}
	var size counter
	z := zip.NewWriter(&size)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) })
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return pack(z, path, name)
	})
	if err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return int64(size), nil
}

func pack(z *zip.Writer, path, name string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := z.Create(filepath.ToSlash(name))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
