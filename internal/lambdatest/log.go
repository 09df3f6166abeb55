package lambdatest

import (
	"bytes"
	"strings"
	"sync"
)

// Line is what a sandbox wrote to its standard output or error, up to a newline.
type Line struct {
	Function string
	Sandbox  int // counted from 1 in each function
	Text     string
}

// Log keeps all lines of the functions that share it, in the order of arrival. It is
// safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	lines []Line
}

// Lines returns a copy of all lines so far.
func (l *Log) Lines() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Line(nil), l.lines...)
}

// Matching returns the texts of the lines that hold every one of the parts.
func (l *Log) Matching(parts ...string) []string {
	var out []string
	for _, line := range l.Lines() {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line.Text, p)
		}
		if all {
			out = append(out, line.Text)
		}
	}
	return out
}

// Tail is the last n lines, for a failed test to show.
func (l *Log) Tail(n int) string {
	lines := l.Lines()
	var b strings.Builder
	for _, line := range lines[max(0, len(lines)-n):] {
		b.WriteString(line.Function + ": " + line.Text + "\n")
	}
	return b.String()
}

func (l *Log) add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// splitter is the standard output or error of one sandbox. The process's exec.Cmd
// writes to it from one goroutine.
type splitter struct {
	log  *Log
	line Line
	rest []byte
}

// Write keeps whole lines and holds back what is not one yet.
func (s *splitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		text, rest, ok := bytes.Cut(s.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		s.rest = rest
		s.emit(text)
	}
}

// flush keeps what the process wrote last, without a newline.
func (s *splitter) flush() {
	if len(s.rest) > 0 {
		s.emit(s.rest)
	}
	s.rest = nil
}

func (s *splitter) emit(text []byte) {
	line := s.line
	line.Text = string(text)
	s.log.add(line)
}
