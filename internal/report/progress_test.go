package report

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgressElsewhereIsPlainLines(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, false)
	p.Add(3) // before any work: nothing
	p.Start("read acme\x1b[2J", 4)
	for range 4 {
		p.Add(1)
	}
	p.Note("acme/npm/x is not\nreadable")
	p.Start("delete", 0)
	p.Add(2)
	p.Done()
	p.Done()
	p.Add(1)
	want := `read acme\x1b[2J …
read acme\x1b[2J: 1 of 4
read acme\x1b[2J: 2 of 4
read acme\x1b[2J: 3 of 4
acme/npm/x is not\nreadable
read acme\x1b[2J: 4 done
delete …
delete: 2 done
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProgressSaysAtMostEveryTenth(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, false)
	p.Start("read", 100_000)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 10_000 {
				p.Add(1)
			}
		})
	}
	wg.Wait()
	p.Done()
	if n := strings.Count(b.String(), "\n"); n != 11 {
		t.Errorf("%d lines, want 11:\n%s", n, b.String())
	}
	if !strings.HasSuffix(b.String(), "read: 100000 done\n") {
		t.Errorf("steps are lost:\n%s", b.String())
	}
}

func TestProgressOnATerminalIsABar(t *testing.T) {
	for name, total := range map[string]int{"whole": 3, "ends early": 5, "goes beyond": 2, "not known": 0} {
		var b bytes.Buffer
		p := NewProgress(&b, true)
		p.Start("read", total)
		p.Add(1)
		p.Note("a note")
		p.Add(2)
		p.Done() // must end whatever the total
		if out := b.String(); !strings.Contains(out, "read") || !strings.Contains(out, "a note\n") {
			t.Errorf("%s: %q", name, out)
		}
	}
}

func TestTheNilProgressSaysNothing(t *testing.T) {
	var p *Progress
	p.Start("x", 1)
	p.Add(1)
	p.Note("x")
	p.Done()
}
