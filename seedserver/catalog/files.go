package catalog

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// errMoved says that something else lies at a path than a moment before.
var errMoved = fmt.Errorf("it was replaced just now: %w", fs.ErrNotExist)

// folder is a directory below the root that is open. Its zero value with the
// root set is ready for use; it keeps the one last asked for, since files come
// sorted by directory.
type folder struct {
	root *os.Root
	path string
	dir  *os.Root
}

// open returns the directory at path. No component of it is a symbolic link:
// each is looked at, then opened, and must be the same.
func (f *folder) open(path string) (*os.Root, error) {
	if f.dir != nil && f.path == path {
		return f.dir, nil
	}
	f.close()
	dir, err := openDirectory(f.root, path)
	if err != nil {
		return nil, err
	}
	f.path, f.dir = path, dir
	return dir, nil
}

func (f *folder) close() {
	if f.dir != nil {
		f.dir.Close()
		f.dir = nil
	}
}

func openDirectory(root *os.Root, path string) (*os.Root, error) {
	dir, err := root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	for path != "" {
		name, rest := cutElement(path)
		below, err := openChild(dir, name)
		dir.Close()
		if err != nil {
			return nil, err
		}
		dir, path = below, rest
	}
	return dir, nil
}

func cutElement(path string) (first, rest string) {
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i+1:]
		}
	}
	return path, ""
}

func openChild(dir *os.Root, name string) (*os.Root, error) {
	looked, err := dir.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !looked.IsDir() {
		return nil, errMoved
	}
	below, err := dir.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := below.Stat(".")
	if err == nil && !os.SameFile(looked, opened) {
		err = errMoved
	}
	if err != nil {
		below.Close()
		return nil, err
	}
	return below, nil
}

// openRegular opens the regular file name in dir without following a link or
// waiting for anybody, and returns what fstat says of it.
func openRegular(dir *os.Root, name string) (*os.File, fs.FileInfo, error) {
	looked, err := dir.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !looked.Mode().IsRegular() {
		return nil, nil, errMoved
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(looked, opened) {
		err = errMoved
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, opened, nil
}

// unseenRules is the stamp of a .seedserver.toml that may be there or not: the
// system does not tell.
var unseenRules = Stamp{Size: -1}

// readRules reads the .seedserver.toml in dir, unless its stamp is known
// already: then the result is nil.
func readRules(dir *os.Root, known Stamp) *rulesFile {
	r := &rulesFile{}
	looked, err := dir.Lstat(rulesName)
	switch {
	case err == nil:
		r.stamp = stampOf(looked)
	case !isNotExist(err):
		r.stamp, r.err = unseenRules, &RulesError{Reason: plainError(err)}
	}
	if r.stamp == known {
		return nil
	}
	if err != nil {
		return r
	}
	f, opened, err := openRegular(dir, rulesName)
	if err != nil {
		r.err = &RulesError{Reason: plainError(err)}
		if !looked.Mode().IsRegular() {
			r.err = &RulesError{Reason: "is not a regular file"}
		}
		return r
	}
	defer f.Close()
	r.stamp = stampOf(opened)
	b, err := io.ReadAll(io.LimitReader(f, maxRulesSize+1))
	if err != nil {
		r.err = &RulesError{Reason: plainError(err)}
		return r
	}
	rules, warning, err := ParseRules(b, trusted(opened))
	if err != nil {
		r.err = err
		return r
	}
	r.warning = warning
	r.set, r.err = compileRules(rules)
	return r
}

// sameDirectory reports whether the directory at path is the one root was
// opened as. A path that cannot be examined just now counts as the same.
func sameDirectory(root *os.Root, path string) bool {
	opened, err := root.Stat(".")
	if err != nil {
		return true
	}
	there, err := os.Stat(filepath.Clean(path))
	if err != nil {
		return !isNotExist(err)
	}
	return os.SameFile(opened, there)
}
