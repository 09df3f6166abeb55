package faults

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
)

// Case is one play of a campaign. Its methods may be called from several
// goroutines, but Fatalf and Must only from the one that plays.
type Case struct {
	Seed uint64
	Rand *rand.Rand // drawn from by the goroutine that plays, in order
	Dir  string     // empty at first, gone after the case

	ctx    context.Context
	counts *counts

	mu       sync.Mutex
	found    []string
	cleanups []func()
}

// Context ends when the case's time is over.
func (c *Case) Context() context.Context { return c.ctx }

// Errorf notes what must not be; the case goes on.
func (c *Case) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// Found notes all of what a check has found at some point.
func (c *Case) Found(when string, violations []string) {
	for _, v := range violations {
		c.Errorf("%s: %s", when, v)
	}
}

// Fatalf notes what must not be and ends the case.
func (c *Case) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	runtime.Goexit()
}

// Must ends the case on an error.
func (c *Case) Must(err error) {
	if err != nil {
		c.Fatalf("%v", err)
	}
}

// Count adds one to a figure of the campaign, shown in its notes.
func (c *Case) Count(what string) { c.CountN(what, 1) }

// CountN adds n to a figure of the campaign.
func (c *Case) CountN(what string, n int) { c.counts.add(what, n) }

// Cleanup has f called when the case is over, the last one first.
func (c *Case) Cleanup(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleanups = append(c.cleanups, f)
}

// play runs one case to its end and returns what was found.
func play(ctx context.Context, cp Campaign, seed uint64, n *counts) []string {
	limit := cp.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "shelflife-faults-")
	if err != nil {
		return []string{err.Error()}
	}
	c := &Case{Seed: seed, Rand: rand.New(rand.NewPCG(seed, stream(cp))), Dir: dir, ctx: ctx, counts: n}
	c.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			c.Errorf("clean up: %v", err)
		}
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer c.cleanUp()
		defer func() {
			if r := recover(); r != nil {
				c.Errorf("panic: %v\n%s", r, stack())
			}
		}()
		cp.Play(c)
	}()
	<-over
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		c.Errorf("the case took longer than %s", limit)
	}
	return slices.Clone(c.found)
}

// stream has each campaign draw by itself: with the same draws, one seed would put
// every kind of fault at the same place of the same owner.
func stream(cp Campaign) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, cp.Name+"/"+cp.Target) // a hash takes everything
	return h.Sum64()
}

func (c *Case) cleanUp() {
	for _, f := range slices.Backward(c.cleanups) {
		f()
	}
}

func stack() string {
	b := make([]byte, 8<<10)
	return string(b[:runtime.Stack(b, false)])
}
