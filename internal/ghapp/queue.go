package ghapp

import "slices"

// queue holds the requests that wait: the reads and the writes, each in order
// of arrival. Only the first of each can be next, so only these two are woken
// by most changes, however many wait behind them.
type queue struct {
	reads, writes []*call
	arrived       int
}

func (q *queue) of(write bool) *[]*call {
	if write {
		return &q.writes
	}
	return &q.reads
}

// head returns the first of the reads or of the writes, nil when there is none.
func (q *queue) head(write bool) *call {
	if waiting := *q.of(write); len(waiting) > 0 {
		return waiting[0]
	}
	return nil
}

func (q *queue) add(c *call) {
	q.arrived++
	c.arrival = q.arrived
	waiting := q.of(c.write)
	*waiting = append(*waiting, c)
}

func (q *queue) remove(c *call) {
	waiting := q.of(c.write)
	if i := slices.Index(*waiting, c); i >= 0 {
		*waiting = slices.Delete(*waiting, i, i+1)
	}
}

// wakeHeads makes the two that can be next look again: after anything that
// lets more pass.
func (q *queue) wakeHeads() {
	for _, write := range []bool{false, true} {
		if c := q.head(write); c != nil {
			c.look()
		}
	}
}

// wakeAll makes everybody look again: after a refusal, so that those who cannot
// wait that long are told at once.
func (q *queue) wakeAll() {
	for _, c := range q.reads {
		c.look()
	}
	for _, c := range q.writes {
		c.look()
	}
}
