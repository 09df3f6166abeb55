// Program testsummary reads what go test -json writes and says what the tests did: the
// whole output of those that failed, what was skipped and why, what packages say of
// themselves in lines that begin with their path, and the counts. It fails when a test
// did, and when none ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

const module = "github.com/shelflife-dev/shelflife/"

// event is a line of go test -json, see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of a failed build
}

// summary is what has been read so far.
type summary struct {
	out                     io.Writer
	said                    map[string][]string // by package and test
	passed, failed, skipped int
	skips                   map[string]int
	own                     []string
}

func main() {
	s := &summary{out: os.Stdout, said: map[string][]string{}, skips: map[string]int{}}
	began := time.Now()
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(2)
	}
	s.tell(time.Since(began))
	if s.failed > 0 || s.passed == 0 {
		os.Exit(1)
	}
}

func (s *summary) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(s.out, lines.Text()) // go's own words, such as of a wrong flag
			continue
		}
		s.take(e)
	}
	return lines.Err()
}

func (s *summary) take(e event) {
	key := e.Package + "\n" + e.Test
	switch e.Action {
	case "output":
		s.said[key] = append(s.said[key], e.Output)
		path, _, _ := strings.Cut(e.Output, ":")
		if e.Test == "" && module+path == e.Package {
			s.own = append(s.own, e.Output)
		}
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "pass":
		if e.Test != "" {
			s.passed++
		}
	case "skip":
		if e.Test != "" {
			s.skipped++
			s.skips[reason(s.said[key])]++
		}
	case "fail":
		s.failed++
		fmt.Fprint(s.out, strings.Join(s.said[key], ""))
	}
}

// reason is what a test said when it was skipped.
func reason(said []string) string {
	for _, line := range said {
		if _, why, ok := strings.Cut(line, "skipped: "); ok {
			return "skipped: " + strings.TrimSpace(why)
		}
	}
	return "skipped without a reason"
}

func (s *summary) tell(took time.Duration) {
	var whys []string
	for why, n := range s.skips {
		whys = append(whys, fmt.Sprintf("%s (%d times)", why, n))
	}
	slices.Sort(whys)
	for _, line := range append(whys, s.own...) {
		fmt.Fprintln(s.out, strings.TrimSpace(line))
	}
	fmt.Fprintf(s.out, "%d tests passed, %d failed, %d skipped, in %s\n", s.passed, s.failed, s.skipped, took.Round(time.Second))
}
