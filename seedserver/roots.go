package seedserver

import (
	"os"
	"path/filepath"
	"sync"
)

// roots are the directories that transfers work in. Thousands of transfers may share one, which then takes one descriptor. The zero
// value has none.
type roots struct {
	mu     sync.Mutex
	byPath map[string]*sharedRoot
}

// A sharedRoot is a directory that is open as long as it has users.
type sharedRoot struct {
	*os.Root
	of    *roots
	path  string
	users int
}

// open returns a directory, which is the caller's to close.
func (r *roots) open(dir string) (*sharedRoot, error) {
	dir = filepath.Clean(dir)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.byPath[dir]; s != nil && s.isAt(dir) {
		s.users++
		return s, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if r.byPath == nil {
		r.byPath = map[string]*sharedRoot{}
	}
	s := &sharedRoot{Root: root, of: r, path: dir, users: 1}
	r.byPath[dir] = s // of one that was replaced since, its users have the last word
	return s, nil
}

// isAt reports whether s is what lies at dir now.
func (s *sharedRoot) isAt(dir string) bool {
	ours, err := s.Stat(".")
	if err != nil {
		return false
	}
	there, err := os.Stat(dir)
	return err == nil && os.SameFile(ours, there)
}

// Close closes the directory if nobody else uses it.
func (s *sharedRoot) Close() error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	if s.of.byPath[s.path] == s {
		delete(s.of.byPath, s.path)
	}
	return s.Root.Close()
}
