package report

import (
	"fmt"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress says how far a piece of work has come: with a bar on a terminal,
// with a line at every tenth elsewhere. It is safe for concurrent use, and the
// nil Progress says nothing. It belongs on stderr.
type Progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	label string
	total int // 0 when it is not known
	done  int
	tenth int // tenths that have been said
	bars  *mpb.Progress
	bar   *mpb.Bar
	open  bool
}

// NewProgress returns a Progress that writes to w, with a bar if w is a terminal.
func NewProgress(w io.Writer, terminal bool) *Progress {
	return &Progress{w: w, terminal: terminal}
}

// Start begins a piece of work of total steps (0: not known), and ends the one
// before it.
func (p *Progress) Start(label string, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.label, p.total, p.done, p.tenth, p.open = clean(label), max(0, total), 0, 0, true
	if !p.terminal {
		p.say(p.label + " …")
		return
	}
	counter := decor.CountersNoUnit(" %d/%d")
	if p.total == 0 {
		counter = decor.CurrentNoUnit(" %d")
	}
	p.bars = mpb.New(mpb.WithOutput(p.w), mpb.WithAutoRefresh(), mpb.WithWidth(40))
	p.bar = p.bars.AddBar(int64(p.total), mpb.PrependDecorators(decor.Name(p.label+" ")), mpb.AppendDecorators(counter))
}

// Add counts n more steps as done.
func (p *Progress) Add(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || n <= 0 {
		return
	}
	p.done += n
	if p.terminal {
		p.bar.IncrBy(n)
		return
	}
	if p.total == 0 {
		return
	}
	if tenth := min(10, p.done*10/p.total); tenth > p.tenth && tenth < 10 {
		p.tenth = tenth
		p.say(fmt.Sprintf("%s: %d of %d", p.label, p.done, p.total))
	}
}

// Note writes a line that stays, above the bar if there is one.
func (p *Progress) Note(line string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open && p.terminal {
		// A note that cannot be written to a terminal has nobody to miss it.
		_, _ = p.bars.Write([]byte(clean(line) + "\n"))
		return
	}
	p.say(clean(line))
}

// Done ends the piece of work.
func (p *Progress) Done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

func (p *Progress) finish() {
	if !p.open {
		return
	}
	p.open = false
	if !p.terminal {
		p.say(fmt.Sprintf("%s: %d done", p.label, p.done))
		return
	}
	p.bar.SetTotal(int64(p.done), true)
	p.bar.Abort(false) // for the bar that was complete before: Wait must not hang
	p.bars.Wait()
}

// say writes a line. Progress is a courtesy: that it cannot be written is no
// reason to stop the work.
func (p *Progress) say(line string) { _, _ = fmt.Fprintln(p.w, line) }
