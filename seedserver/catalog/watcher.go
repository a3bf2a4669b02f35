package catalog

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// touches are what events told of, by directory and name.
type touches map[string]map[string]hint

func (t touches) add(dir, name string, h hint) {
	if t[dir] == nil {
		t[dir] = map[string]hint{}
	}
	t[dir][name] |= h
}

// watcher turns the events of directories into touches. Without events, as with
// Config.Poll, it is nil, and its methods do nothing.
type watcher struct {
	events *fsnotify.Watcher
	top    string // path of the watched directory

	mu     sync.Mutex
	failed error // why a directory cannot be watched
}

// gather is how long events are collected before the loop is told.
const gather = 20 * time.Millisecond

func newWatcher(top string) (*watcher, error) {
	// Room for a burst, so that the kernel's queue is emptied while the loop
	// works.
	events, err := fsnotify.NewBufferedWatcher(4096)
	if err != nil {
		return nil, err
	}
	return &watcher{events: events, top: top}, nil
}

// add begins the events of dir. If they cannot be had, failure says so.
func (w *watcher) add(dir string) {
	if w == nil {
		return
	}
	err := w.events.Add(filepath.Join(w.top, filepath.FromSlash(dir)))
	if err != nil && !missesNothing(err) {
		w.mu.Lock()
		w.failed = err
		w.mu.Unlock()
	}
}

// missesNothing reports whether a directory that cannot be watched because of err is none of which events would be missed: it is
// gone, may not be read, which the look at it tells of, or nothing is watched any more. When it may be read, its parent has an event.
func missesNothing(err error) bool {
	return isNotExist(err) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fsnotify.ErrClosed)
}

// remove ends the events of dir.
func (w *watcher) remove(dir string) {
	if w != nil {
		// The usual error is that the kernel ended it with the directory.
		_ = w.events.Remove(filepath.Join(w.top, filepath.FromSlash(dir)))
	}
}

// failure returns why some directory is not watched, once.
func (w *watcher) failure() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.failed
	w.failed = nil
	return err
}

// run hands touches to touched and calls lost when events were lost, until ctx
// ends. It closes the watcher.
func (w *watcher) run(ctx context.Context, touched func(touches), lost func(error)) {
	defer w.events.Close()
	pending := touches{}
	var deadline <-chan time.Time
	afterRename := false
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.events.Events:
			if !ok {
				return
			}
			if w.take(pending, e, afterRename) && deadline == nil {
				deadline = time.After(gather)
			}
			afterRename = e.Has(fsnotify.Rename)
		case err, ok := <-w.events.Errors:
			if !ok {
				return
			}
			lost(err)
		case <-deadline:
			touched(pending)
			pending, deadline = touches{}, nil
		}
	}
}

// take adds e to pending, and reports false if it is not about anything below
// the watched directory. A creation right after a rename is the other half of
// it: inotify reports both in one go, under one cookie.
func (w *watcher) take(pending touches, e fsnotify.Event, afterRename bool) bool {
	rel, ok := strings.CutPrefix(e.Name, w.top+string(filepath.Separator))
	if !ok {
		return false
	}
	var h hint
	if e.Has(fsnotify.Create) && afterRename {
		h |= renamed
	}
	if e.Has(fsnotify.Write) {
		h |= wrote
	}
	dir, name := split(filepath.ToSlash(rel))
	pending.add(dir, name, h)
	return true
}
