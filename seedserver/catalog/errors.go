package catalog

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrReplaced says that the watched directory was removed, or another one lies
// at its path: start anew.
var ErrReplaced = errors.New("catalog: the watched directory was removed or replaced")

// ErrRules says that a .seedserver.toml cannot be obeyed: tell its author.
var ErrRules = errors.New("catalog: bad rules")

// RulesError says what is wrong with a .seedserver.toml. It matches [ErrRules].
type RulesError struct {
	// Line counts from 1; 0 if it is not known.
	Line   int
	Reason string
}

func (e *RulesError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("catalog: %s line %d: %s", rulesName, e.Line, e.Reason)
	}
	return fmt.Sprintf("catalog: %s: %s", rulesName, e.Reason)
}

// Is reports whether target is ErrRules.
func (e *RulesError) Is(target error) bool { return target == ErrRules }

// plainError returns the cause without the call and path around it, which the
// reader of a listing knows.
func plainError(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
