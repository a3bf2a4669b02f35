package piecepicker

import "errors"

// ErrSnapshot is what every error of [Picker.Restore] is: the snapshot is damaged, of another version, or of another
// torrent. Go on without it.
var ErrSnapshot = errors.New("piecepicker: bad snapshot")

// A SnapshotError says what is wrong with a snapshot.
type SnapshotError struct{ Reason string }

func (e *SnapshotError) Error() string { return "piecepicker: bad snapshot: " + e.Reason }

// Is reports whether target is [ErrSnapshot].
func (e *SnapshotError) Is(target error) bool { return target == ErrSnapshot }
