package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	const events = `go: a word of its own
{"Action":"output","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestGood","Output":"quiet\n"}
{"Action":"pass","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestGood"}
{"Action":"output","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestBad","Output":"    a_test.go:1: wrong\n"}
{"Action":"fail","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestBad"}
{"Action":"output","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestAbsent","Output":"    a_test.go:2: skipped: there is no moto\n"}
{"Action":"skip","Package":"github.com/shelflife-dev/shelflife/a","Test":"TestAbsent"}
{"Action":"output","Package":"github.com/shelflife-dev/shelflife/a","Output":"a: 3 cases\n"}
{"Action":"output","Package":"github.com/shelflife-dev/shelflife/a","Output":"PASS\n"}
{"Action":"pass","Package":"github.com/shelflife-dev/shelflife/a"}
{"ImportPath":"x","Action":"build-output","Output":"x.go:1: syntax error\n"}
`
	var out bytes.Buffer
	s := &summary{out: &out, said: map[string][]string{}, skips: map[string]int{}}
	if err := s.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	s.tell(1200 * time.Millisecond)
	want := `go: a word of its own
    a_test.go:1: wrong
x.go:1: syntax error
skipped: there is no moto (1 times)
a: 3 cases
1 tests passed, 1 failed, 1 skipped, in 1s
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}
