package metainfo

import (
	"errors"
	"fmt"
)

// Sentinels, one for each thing a caller does. Errors of this package match
// exactly one of them through errors.Is, or one of package bencode's, or are
// the error of a reader, of [BuildConfig.Wait] or of the context.
var (
	// ErrInvalid says that a torrent, info dict, infohash, magnet link or
	// BuildConfig breaks a rule: refuse it.
	ErrInvalid = errors.New("metainfo: invalid")
	// ErrUnsupported says that the input is of a kind this package does not
	// read, such as a v2-only torrent: tell the user which.
	ErrUnsupported = errors.New("metainfo: unsupported")
	// ErrSizeChanged says that a file given to Build was not as long as
	// announced: look at the file again and start over.
	ErrSizeChanged = errors.New("metainfo: file size changed")
)

// FieldError says which field broke which rule. It matches [ErrInvalid].
type FieldError struct {
	Field  string // the dictionary key, magnet parameter or BuildConfig field
	Reason string
}

func (e *FieldError) Error() string { return fmt.Sprintf("metainfo: %s: %s", e.Field, e.Reason) }

// Is reports whether target is ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// UnsupportedError says which "meta version" (BEP 52) a torrent asks for. It
// matches [ErrUnsupported].
type UnsupportedError struct {
	MetaVersion int64 // 2 when the torrent has no v1 part, else the unknown version
}

func (e *UnsupportedError) Error() string {
	if e.MetaVersion == 2 {
		return "metainfo: this is a v2-only torrent (BEP 52); only v1 and hybrid torrents are supported"
	}
	return fmt.Sprintf("metainfo: this torrent has meta version %d; only versions 1 and 2 are known", e.MetaVersion)
}

// Is reports whether target is ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// SizeError says that a file given to [Build] ended before its Length or went
// on after it. It matches [ErrSizeChanged].
type SizeError struct {
	Path   string // the torrent's name and the elements below it, joined by "/"
	Want   int64  // Input.Length, in bytes
	Longer bool   // else the file is shorter
}

func (e *SizeError) Error() string {
	than := "shorter"
	if e.Longer {
		than = "longer"
	}
	return fmt.Sprintf("metainfo: %s is %s than %d bytes", e.Path, than, e.Want)
}

// Is reports whether target is ErrSizeChanged.
func (e *SizeError) Is(target error) bool { return target == ErrSizeChanged }

// invalid returns a FieldError with a formatted reason.
func invalid(field, format string, args ...any) error {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
