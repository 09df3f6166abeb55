package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long files must be left alone before work starts again: an
// editor writes one file in several steps.
const settleTime = 150 * time.Millisecond

// watch does the work now and after every change below dir, until ctx ends.
// What the work says is wrong is shown and does not end it.
func (a *app) watch(ctx context.Context, dir string, work func() error) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	defer w.Close()
	if err := watchBelow(w, dir); err != nil {
		return usagef("watch %s: %w; name a folder", dir, err)
	}
	settled := time.NewTimer(0)
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.Errors:
			return fmt.Errorf("watch %s: %w", dir, err)
		case e := <-w.Events:
			if !isPolicyFile(e.Name) && !e.Has(fsnotify.Create) {
				continue
			}
			if e.Has(fsnotify.Create) {
				_ = watchBelow(w, e.Name) // a file is no folder, and a folder may be gone already
			}
			settled.Reset(settleTime)
		case <-settled.C:
			if err := work(); err != nil && ctx.Err() == nil {
				if coded, ok := errors.AsType[*codeError](err); !ok || coded.err != nil {
					a.note("%s", err)
				}
			}
			if ctx.Err() == nil {
				a.note("waiting for changes below %s; Ctrl-C ends", dir)
			}
		}
	}
}

// isPolicyFile reports whether a change of the file can change what the tests say.
func isPolicyFile(name string) bool {
	switch filepath.Ext(name) {
	case ".rego", ".yaml", ".yml", ".json":
		return !strings.HasPrefix(filepath.Base(name), ".")
	}
	return false
}

// watchBelow adds a folder and those in it.
func watchBelow(w *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		return w.Add(path)
	})
}
