package peerstore

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// DamagedError tells that a state file was no snapshot or a damaged one, and
// that it was put aside. Its store is a fresh one: a warning is enough.
type DamagedError struct {
	Path  string // of the state file
	Aside string // where it is now
	Err   error  // what is wrong with it; [ErrSnapshot]
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the state file %s is damaged and now at %s: %v", e.Path, e.Aside, e.Err)
}

// Unwrap returns e.Err.
func (e *DamagedError) Unwrap() error { return e.Err }

// Load returns a store with the swarms of a state file, see [Restore]. A missing
// file is made. A damaged one is put aside, and the store is a fresh one: then,
// and only then, Load returns a store and an error as well, a [*DamagedError].
// Any other error means that the file cannot be read, or not be written.
func Load(cfg Config, path string, now time.Time) (*Store, error) {
	s, err := load(cfg, path, now)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, fs.ErrNotExist):
		s = New(cfg)
		return s, s.Save(path)
	case !errors.Is(err, ErrSnapshot):
		return nil, fmt.Errorf("loading the tracker's state: %w", err)
	}
	damaged := &DamagedError{path, path + ".damaged-" + now.UTC().Format("20060102T150405"), err}
	if err := os.Rename(path, damaged.Aside); err != nil {
		return nil, fmt.Errorf("putting the tracker's damaged state aside: %w", err)
	}
	s = New(cfg)
	if err := s.Save(path); err != nil {
		return nil, err
	}
	return s, damaged
}

func load(cfg Config, path string, now time.Time) (*Store, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Restore(cfg, bufio.NewReaderSize(f, 1<<18), now)
}

// Save writes a snapshot to a file that only its owner can read, under another
// name first: whatever happens, path is the whole state before or the whole
// state after. One call at a time.
func (s *Store) Save(path string) error {
	if err := s.save(path); err != nil {
		return fmt.Errorf("saving the tracker's state: %w", err)
	}
	return nil
}

func (s *Store) save(path string) error {
	temp := path + ".new" // one name: what a crash leaves behind is overwritten
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := s.writeTo(f); err != nil {
		os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeTo writes a snapshot to f, makes it durable, and closes f.
func (s *Store) writeTo(f *os.File) error {
	w := bufio.NewWriterSize(f, 1<<18)
	err := s.Snapshot(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes a new name in a directory durable. Windows does so by itself.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
