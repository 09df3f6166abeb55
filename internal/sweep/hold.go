package sweep

import (
	"context"
	"slices"
	"strings"
)

// Hold keeps the engine from working on the owners until release is called: for
// what reads or writes on GitHub beside it, such as an undo, whose children are
// back before their index and would look unneeded to a sweep. It waits for what is
// at hand; while it is held, Handle, PutOff and Retry wait.
func (e *Engine) Hold(ctx context.Context, logins ...string) (release func(), err error) {
	keys := make([]string, len(logins))
	for i, l := range logins {
		keys[i] = lockKey(l)
	}
	slices.Sort(keys) // two holds of the same owners must not wait for each other
	var unlocks []func()
	release = func() {
		for _, unlock := range unlocks {
			unlock()
		}
	}
	for _, key := range slices.Compact(keys) {
		unlock, err := e.lock(ctx, key)
		if err != nil {
			release()
			return nil, err
		}
		unlocks = append(unlocks, unlock)
	}
	return release, nil
}

// lock waits until nobody else works on the owner.
func (e *Engine) lock(ctx context.Context, login string) (unlock func(), err error) {
	if unlock, ok := e.tryLock(login); ok {
		return unlock, nil
	}
	e.Log.InfoContext(ctx, "waits for what is under way on the owner", "owner", login)
	sem := e.semaphore(login)
	select {
	case sem <- struct{}{}:
		return func() { <-sem }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tryLock is lock without waiting; false when somebody works on the owner.
func (e *Engine) tryLock(login string) (unlock func(), ok bool) {
	sem := e.semaphore(login)
	select {
	case sem <- struct{}{}:
		return func() { <-sem }, true
	default:
		return nil, false
	}
}

func (e *Engine) semaphore(login string) chan struct{} {
	key := lockKey(login)
	e.mu.Lock()
	defer e.mu.Unlock()
	sem, ok := e.locks[key]
	if !ok {
		sem = make(chan struct{}, 1)
		e.locks[key] = sem
	}
	return sem
}

func lockKey(login string) string { return strings.ToLower(login) }
