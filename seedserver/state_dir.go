package seedserver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// userState returns the state directory of dir below the user's own.
func userState(dir string) (string, error) {
	real, err := realPath(dir)
	if err != nil {
		return "", err
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding a place for state: %w; name one with --state", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	sum := sha256.Sum256([]byte(real))
	return filepath.Join(base, "seedserver", hex.EncodeToString(sum[:6])), nil
}

// realPath resolves dir, which need not exist yet, to an absolute path without symbolic links.
func realPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for there := abs; ; there = filepath.Dir(there) { // as much of it as exists
		if real, err := filepath.EvalSymlinks(there); err == nil {
			return filepath.Join(real, strings.TrimPrefix(abs, there)), nil
		}
		if there == filepath.Dir(there) {
			return abs, nil
		}
	}
}

// inside reports whether path is dir or lies below it; both are absolute and clean.
func inside(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
