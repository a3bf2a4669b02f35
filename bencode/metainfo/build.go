package metainfo

import (
	"cmp"
	"context"
	"crypto/sha1"
	"io"
	"slices"
	"strings"
)

// Input is one file for [Build].
type Input struct {
	// Path are the elements below BuildConfig.Name; empty in a torrent of a
	// single file. An element is not empty, ".", or "..", and has no "/" or NUL.
	Path []string
	// Length is the number of bytes the file must have.
	Length int64
	// Open opens the file. It is called at most once, by any goroutine; Build
	// closes what it returns. A reader that is an [io.ReaderAt] too, like
	// *os.File, is read by many workers at once; another one by one at a time.
	Open func() (io.ReadCloser, error)
}

// BuildConfig says what [Build] makes a torrent of, and how. It is not
// modified.
type BuildConfig struct {
	// Name is the name of the file, or with Multi of the directory. The rules
	// for an element of Input.Path hold.
	Name string
	// PieceLength is in bytes, 1 to 512 MiB. If zero, PieceLengthFor(sum of
	// the lengths).
	PieceLength int64
	// Private sets the private flag (BEP 27).
	Private bool
	// Source, if not empty, is put into the info dict.
	Source string
	// Multi makes a torrent of a directory. Without it there is exactly one file.
	Multi bool
	// Files in any order: Build puts them in the order of [ComparePaths].
	Files []Input
	// Workers is how many pieces are hashed at once. If zero or negative,
	// GOMAXPROCS. One worker reads the files from start to end, which suits a
	// disk that seeks.
	Workers int
	// Done are the hashes of the leading pieces as a Checkpoint of the same
	// configuration and content gave them. They are believed, not checked, and
	// files that lie in these pieces alone are not opened.
	Done []byte
	// Progress, if not nil, gets the bytes hashed (those of Done included) and
	// the sum of all: at the start, then at most 20 times a second if there is
	// news, and at the end of a success.
	Progress func(done, total int64)
	// Checkpoint, if not nil, gets the hashes of the pieces before the first
	// unfinished one: every 5 seconds if there is news, and once more before
	// Build returns an error. The caller may keep the slice.
	Checkpoint func(leading []byte)
	// Wait, if not nil, is called before n bytes are read, 1 to 262,144 at a
	// time, by several goroutines at once. It lets the caller pace the reading.
	// Its error ends Build.
	Wait func(ctx context.Context, n int) error
	// Around, if not nil, runs the worker goroutines: it is called on each of
	// them, calls work once on that goroutine, and returns after it. It lets
	// the caller give their threads another priority.
	Around func(work func())
}

// Build reads every byte of the files once and returns the raw info dict of
// their torrent, which [ParseInfo] reads. Its SHA-1 is the infohash. For the
// same names, lengths, bytes and piece length it is always the same dict, and
// the one that mktorrent makes.
//
// Build holds 256 KiB of content for each worker and 20 bytes for each piece.
// It returns after all it started has ended; Progress and Checkpoint are called
// by the goroutine that called Build. When ctx ends, so does Build, without
// reading on: at once unless a read hangs.
//
// The error matches [ErrInvalid] for the configuration (content of 0 bytes
// included), [ErrSizeChanged], what a file's Open, Read or Close or Wait
// returned, or is [context.Cause] of ctx.
func Build(ctx context.Context, cfg BuildConfig) (info []byte, err error) {
	files := slices.SortedFunc(slices.Values(cfg.Files), func(a, b Input) int { return ComparePaths(a.Path, b.Path) })
	total, err := cfg.check(files)
	if err != nil {
		return nil, err
	}
	pieceLength := cmp.Or(cfg.PieceLength, PieceLengthFor(total))
	if pieceLength < 0 || pieceLength > maxPieceLength {
		return nil, invalid("PieceLength", "not from 1 to %d", maxPieceLength)
	}
	n, err := countPieces(total, pieceLength)
	if err != nil {
		return nil, err
	}
	if len(cfg.Done)%sha1.Size != 0 || len(cfg.Done) > n*sha1.Size {
		return nil, invalid("Done", "%d bytes are not the hashes of up to %d pieces", len(cfg.Done), n)
	}
	h := newHasher(&cfg, files, total, pieceLength, n)
	if err := h.run(ctx); err != nil {
		return nil, err
	}
	return cfg.encodeInfo(files, pieceLength, h.pieces), nil
}

// ComparePaths orders the files of a directory as [Build] does: by the bytes of
// their elements joined with "/". It is mktorrent's order. "a-b" is before
// "a/b" and that before "a0", so a directory's files are together but need not
// be where its name would be. The result is as of [cmp.Compare].
func ComparePaths(a, b []string) int {
	return strings.Compare(strings.Join(a, "/"), strings.Join(b, "/"))
}

// check returns the sum of the lengths if name and files may be in a torrent.
func (cfg *BuildConfig) check(files []Input) (total int64, err error) {
	if !usableElement(cfg.Name) {
		return 0, invalid("Name", "%q cannot name a file", cfg.Name)
	}
	if !cfg.Multi && (len(files) != 1 || len(files[0].Path) != 0) {
		return 0, invalid("Files", "not one file without a path, and Multi is not set")
	}
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		joined := strings.Join(f.Path, "/")
		switch {
		case f.Length < 0 || f.Length > maxTotal-total:
			return 0, invalid("Files", "length of %q: negative, or more than 2^48 bytes in all", joined)
		case f.Open == nil:
			return 0, invalid("Files", "%q has no Open", joined)
		case cfg.Multi && (len(f.Path) == 0 || len(f.Path) > maxPathElements || !all(f.Path, usableElement)):
			return 0, invalid("Files", "%q cannot be a path", joined)
		case seen[joined]:
			return 0, invalid("Files", "two are named %q", joined)
		}
		seen[joined] = true
		total += f.Length
	}
	for joined := range seen {
		for i := range len(joined) {
			if joined[i] == '/' && seen[joined[:i]] {
				return 0, invalid("Files", "%q is a file, yet %q lies below it", joined[:i], joined)
			}
		}
	}
	if total == 0 {
		return 0, invalid("Files", "0 bytes in all: clients refuse such a torrent")
	}
	return total, nil
}

// usableElement reports whether a file can have the name s.
func usableElement(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\x00")
}

func all[T any](items []T, is func(T) bool) bool {
	return !slices.ContainsFunc(items, func(item T) bool { return !is(item) })
}
