package catalog

import "errors"

// ErrReplaced says that the watched directory was removed, or another one lies
// at its path: start anew.
var ErrReplaced = errors.New("catalog: the watched directory was removed or replaced")
