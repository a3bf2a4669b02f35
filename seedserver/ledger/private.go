package ledger

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
)

// makeDir makes dir for its owner alone. If it exists and others may enter, it
// is closed to them, unless it holds files and none of ours: then it is somebody
// else's, such as /tmp.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("making the directory for the state: %w; choose another with --state", err)
	}
	if open, err := isOpen(dir, dirMode); err != nil || !open {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == lockName || e.Name() == databaseName
	})
	if len(entries) > 0 && !ours {
		return fmt.Errorf("%s holds other files and others may enter it; name a directory for the state alone", dir)
	}
	return narrow(dir, dirMode)
}

// narrow takes from the mode of an existing file what mode does not have.
func narrow(path string, mode fs.FileMode) error {
	open, err := isOpen(path, mode)
	if err != nil || !open {
		return err
	}
	return os.Chmod(path, mode)
}

// isOpen reports whether a file allows more than mode does. Where modes mean
// nothing, it never does.
func isOpen(path string, mode fs.FileMode) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return runtime.GOOS != "windows" && info.Mode().Perm()&^mode != 0, nil
}
