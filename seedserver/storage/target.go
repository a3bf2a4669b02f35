package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"sort"
)

// MaxTargetFiles is how many files a [Target] takes: what a file system bears in one place, and more than any torrent in use.
const MaxTargetFiles = 200_000

// A Target is the files of a torrent that is being downloaded, laid end to end: what is written to it can be read back. Files
// and directories are made when their first byte is written, take no room for what is not written yet (sparse), and are never
// reached through a symbolic link. Any number of goroutines may use it.
type Target struct {
	pool   *Pool
	root   *os.Root
	files  []file
	length int64
}

// NewTarget returns the target made of files below root; their stamps are not used. Nothing is made on disk before it is
// written. The root must stay open until [Target.Close]; the pool may be shared.
//
// It fails if there are more than [MaxTargetFiles], if a path is empty, absolute or has elements such as "..", or if the sum of
// all lengths exceeds the range of int64.
func NewTarget(pool *Pool, root *os.Root, files []File) (*Target, error) {
	if len(files) > MaxTargetFiles {
		return nil, fmt.Errorf("%d files, more than %d", len(files), MaxTargetFiles)
	}
	t := &Target{pool: pool, root: root, files: make([]file, len(files))}
	for i, f := range files {
		if f.Length < 0 || f.Length > math.MaxInt64-t.length {
			return nil, fmt.Errorf("file %d (%q): length out of range", i, f.Path)
		}
		if err := f.checkPath(); err != nil && !f.Pad {
			return nil, fmt.Errorf("file %d (%q): %w", i, f.Path, err)
		}
		t.files[i].File = f
		t.files[i].offset = t.length
		t.files[i].target = true
		t.length += f.Length
	}
	return t, nil
}

// Length returns the number of bytes of all files, pads included.
func (t *Target) Length() int64 { return t.length }

// NumFiles returns the number of files, pads included.
func (t *Target) NumFiles() int { return len(t.files) }

// File returns file i as it was given to [NewTarget].
func (t *Target) File(i int) File { return t.files[i].File }

// WriteAt writes p at offset off, across as many files as it takes; the zeros that fall on pads are dropped.
//
// It fails with [ErrRange] if the range leaves the target, with [ErrPad] and nothing written if what falls on a pad is not all
// zeros ("the content of padding file is all zeros", BEP 47), with an error that matches [ErrFull] if the disk is full (what was
// not written can be written again later), with [ErrClosed] after Close, and with the system's error else.
func (t *Target) WriteAt(p []byte, off int64) error {
	err := t.walk(p, off, func(f *file, p []byte, off int64) error {
		if f.Pad && slices.ContainsFunc(p, func(b byte) bool { return b != 0 }) {
			return ErrPad
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.walk(p, off, func(f *file, p []byte, off int64) error {
		if f.Pad {
			return nil
		}
		d, err := t.pool.acquire(t.root, f)
		if err == nil {
			f.writing.Lock() // the kernel lets one writer at a time into a file, and the others spin
			err = d.handle.writeAt(p, off)
			f.writing.Unlock()
			d.release()
		}
		return writeError(f, err)
	})
}

// ReadAt fills p with the bytes from offset off on: those that were written, or what the files held before. Bytes of files that
// are not there, or end before, fail with [io.ErrUnexpectedEOF]; nothing is made on disk. Else it fails as WriteAt does.
func (t *Target) ReadAt(p []byte, off int64) error {
	return t.walk(p, off, func(f *file, p []byte, off int64) error {
		if f.Pad {
			clear(p)
			return nil
		}
		if f.open.Load() == nil {
			if s, err := t.root.Lstat(f.Path); err != nil || s.Size() < off+int64(len(p)) {
				return fmt.Errorf("reading %s: %w", f.Path, io.ErrUnexpectedEOF)
			}
		}
		d, err := t.pool.acquire(t.root, f)
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.Path, err)
		}
		n, err := d.handle.readAt(p, off)
		d.release()
		if err == nil && n < len(p) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.Path, err)
		}
		return nil
	})
}

// walk calls do for the part of each file that p covers.
func (t *Target) walk(p []byte, off int64, do func(f *file, p []byte, off int64) error) error {
	if off < 0 || off > t.length || int64(len(p)) > t.length-off {
		return fmt.Errorf("%w: %d bytes at %d of %d", ErrRange, len(p), off, t.length)
	}
	i := sort.Search(len(t.files), func(i int) bool { return t.files[i].offset+t.files[i].Length > off })
	for ; len(p) > 0; i++ {
		f := &t.files[i]
		n := min(int64(len(p)), f.offset+f.Length-off)
		if n > 0 {
			if err := do(f, p[:n], off-f.offset); err != nil {
				return err
			}
		}
		p, off = p[n:], off+n
	}
	return nil
}

// Finish is called when all is written. It makes the files that no byte was written to, because they are empty, and fails if one of
// the others is not there, or not as long as it should be: somebody removed or cut it meanwhile.
func (t *Target) Finish() error {
	for i := range t.files {
		f := &t.files[i]
		if f.Pad {
			continue
		}
		if f.Length == 0 {
			d, err := t.pool.acquire(t.root, f)
			if err != nil {
				return writeError(f, err)
			}
			d.release()
			continue
		}
		switch info, err := t.root.Lstat(f.Path); {
		case err != nil:
			return fmt.Errorf("was lost while it was written: %w", err)
		case !info.Mode().IsRegular() || info.Size() != f.Length:
			return fmt.Errorf("%s was changed by somebody else while it was written", f.Path)
		}
	}
	return nil
}

// Cut makes files that are longer than they should be as long as they should: what replaces another's file is not followed by the
// rest of that.
func (t *Target) Cut() error {
	for i := range t.files {
		f := &t.files[i]
		if info, err := t.root.Lstat(f.Path); f.Pad || err != nil || info.Size() <= f.Length {
			continue
		}
		d, err := t.pool.acquire(t.root, f)
		if err == nil {
			err = d.handle.truncate(f.Length)
			d.release()
		}
		if err != nil {
			return writeError(f, err)
		}
	}
	return nil
}

// Sync waits until what was written to the files that are open is on the disk.
func (t *Target) Sync() error {
	var errs []error
	for i := range t.files {
		f := &t.files[i]
		if d := f.open.Load(); d != nil && d != closed && d.tryAcquire() {
			errs = append(errs, d.handle.sync())
			d.release()
		}
	}
	return errors.Join(errs...)
}

// Stamps returns the stamp of each file as it is on disk now; the zero Stamp for pads and for what is not there.
func (t *Target) Stamps() []Stamp {
	stamps := make([]Stamp, len(t.files))
	for i := range t.files {
		if f := &t.files[i]; !f.Pad {
			stamps[i], _ = lookAt(t.root, f.Path)
		}
	}
	return stamps
}

// Existing returns how many of the files are there, and of those how many are longer than they should be: another's. It fails if
// something else is in the place of one, a directory or a link, or if none can be there.
func (t *Target) Existing() (there, longer int, err error) {
	for i := range t.files {
		f := &t.files[i]
		if f.Pad {
			continue
		}
		info, err := t.root.Lstat(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return there, longer, err
		case !info.Mode().IsRegular():
			return there, longer, fmt.Errorf("%s: %w", f.Path, errNotRegular)
		}
		there++
		if info.Size() > f.Length {
			longer++
		}
	}
	return there, longer, nil
}

// Unoccupied returns how many bytes of the disk the files have yet to take, whatever is in those that are there.
func (t *Target) Unoccupied() (n int64) {
	for i := range t.files {
		f := &t.files[i]
		if f.Pad {
			continue
		}
		n += f.Length
		if info, err := t.root.Lstat(f.Path); err == nil {
			n -= min(occupied(info), f.Length)
		}
	}
	return n
}

// lookAt returns the stamp of the file at p.
func lookAt(root *os.Root, p string) (Stamp, error) {
	h, s, err := openFile(root, p, false)
	if err != nil {
		return Stamp{}, err
	}
	h.close()
	return s, nil
}

// Close gives the descriptors back. Calls under way finish; later ones fail with [ErrClosed].
func (t *Target) Close() error {
	for i := range t.files {
		if d := t.files[i].open.Swap(closed); d != nil && d != closed {
			t.pool.drop(d)
		}
	}
	return nil
}

// make opens a file to be written, and makes it and its directories if need be.
func (f *file) make(root *os.Root) (handle, Stamp, error) {
	h, s, err := openFile(root, f.Path, true)
	if errors.Is(err, fs.ErrNotExist) && f.opened.Load() {
		return handle{}, Stamp{}, fmt.Errorf("was lost while it was written: %w", err) // and with it what it had
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(path.Dir(f.Path), 0o777); err != nil {
			return handle{}, Stamp{}, err
		}
		made, failed := root.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if failed == nil {
			failed = made.Close()
		}
		if failed != nil && !errors.Is(failed, fs.ErrExist) {
			return handle{}, Stamp{}, failed
		}
		h, s, err = openFile(root, f.Path, true)
		if err != nil {
			return handle{}, Stamp{}, err
		}
	}
	if err != nil { // complete, maybe, and only to be read, as is all on some disks, and a program that runs
		if h, s, failed := openFile(root, f.Path, false); failed == nil {
			f.opened.Store(true)
			return h, s, nil
		}
	}
	if err == nil {
		f.opened.Store(true)
	}
	return h, s, err
}

// A FullError says that the disk had no room for a file. It matches [ErrFull].
type FullError struct {
	Path string
	Err  error // the system's
}

// Error says where.
func (e *FullError) Error() string { return fmt.Sprintf("writing %s: %v", e.Path, e.Err) }

// Is reports whether target is [ErrFull].
func (e *FullError) Is(target error) bool { return target == ErrFull }

// Unwrap returns Err.
func (e *FullError) Unwrap() error { return e.Err }

func writeError(f *file, err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return &FullError{Path: f.Path, Err: err}
	}
	return fmt.Errorf("writing %s: %w", f.Path, err)
}
