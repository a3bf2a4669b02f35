package storage

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// File is one file of a torrent, in the order of the info dict.
type File struct {
	Path   string // slash separated, relative to the root; unused for pads
	Length int64  // bytes
	Pad    bool   // not on disk: reads as zeros (BEP 47)
	Stamp  Stamp  // what it was when its pieces were hashed; unused for pads
}

// Content is the bytes of one torrent: its files laid end to end. Any number of
// goroutines may use it.
type Content struct {
	pool   *Pool
	root   *os.Root
	files  []file
	length int64
	slots  chan struct{} // those who wait for the disk; nil unless scattered
	hints  atomic.Int32  // how many more ReadAhead passes on
}

// file is a File with its place in the content and its open descriptor.
type file struct {
	File
	offset  int64
	target  bool                       // written, and made if it is not there; it has no stamp
	opened  atomic.Bool                // a target that was there, and is not made again
	apart   bool                       // read by many in different places: see Content.Scatter
	open    atomic.Pointer[descriptor] // nil: not open; closed: never again
	writing sync.Mutex                 // held while it is written to
}

// Open returns the content made of files, which lie below root. Nothing is
// opened on disk before it is read. The root must stay open until
// [Content.Close]; the pool may be shared by all contents.
//
// It fails if a path is empty, absolute or has elements such as "..", if a
// length is negative or not that of the stamp, or if the sum of all lengths
// exceeds the range of int64.
func Open(pool *Pool, root *os.Root, files []File) (*Content, error) {
	c := &Content{pool: pool, root: root, files: make([]file, len(files))}
	for i, f := range files {
		if err := f.check(math.MaxInt64 - c.length); err != nil {
			return nil, fmt.Errorf("file %d (%q): %w", i, f.Path, err)
		}
		c.files[i].File = f
		c.files[i].offset = c.length
		c.length += f.Length
	}
	return c, nil
}

// openIn opens f below root, and makes it if it is one to write.
func (f *file) openIn(root *os.Root) (handle, Stamp, error) {
	if f.target {
		return f.make(root)
	}
	h, stamp, err := openFile(root, f.Path, false)
	if err == nil && f.apart {
		h.scatter()
	}
	return h, stamp, err
}

func (f *File) check(room int64) error {
	switch {
	case f.Length < 0 || f.Length > room:
		return errors.New("length out of range")
	case f.Pad:
		return nil
	case f.Length != f.Stamp.Size:
		return fmt.Errorf("%d bytes with a stamp of %d", f.Length, f.Stamp.Size)
	}
	return f.checkPath()
}

func (f *File) checkPath() error {
	for element := range strings.SplitSeq(f.Path, "/") {
		if element == "" || element == "." || element == ".." || strings.ContainsRune(element, 0) {
			return errors.New("not a clean relative path")
		}
	}
	return nil
}

// NumFiles returns the number of files, pads included.
func (c *Content) NumFiles() int { return len(c.files) }

// File returns file i as it was given to [Open].
func (c *Content) File(i int) File { return c.files[i].File }

// Length returns the number of bytes of all files, pads included.
func (c *Content) Length() int64 { return c.length }

// ReadAt fills p with the bytes from offset off of the content, across as many
// files as it takes. Every file touched is examined once, after its bytes were
// read. On any error the bytes in p must not be used.
//
// It fails with a [ChangedError] if a file is not as published, with [ErrRange]
// if the range leaves the content, with [ErrClosed] after Close, with
// [io.ErrUnexpectedEOF] if the system delivers fewer bytes than the size it
// shows, and with the system's error else. It does not allocate while the
// descriptors it needs are open.
func (c *Content) ReadAt(p []byte, off int64) error {
	if off < 0 || off > c.length || int64(len(p)) > c.length-off {
		return fmt.Errorf("%w: %d bytes at %d of %d", ErrRange, len(p), off, c.length)
	}
	for i := c.find(off); len(p) > 0; i++ {
		f := &c.files[i]
		n := min(int64(len(p)), f.offset+f.Length-off)
		if f.Pad {
			clear(p[:n])
		} else if n > 0 {
			if err := c.readFile(f, p[:n], off-f.offset); err != nil {
				return err
			}
		}
		p, off = p[n:], off+n
	}
	return nil
}

// find returns the index of the file that holds the byte at off, or the number
// of files if off is the end.
func (c *Content) find(off int64) int {
	return sort.Search(len(c.files), func(i int) bool {
		return c.files[i].offset+c.files[i].Length > off
	})
}

// readFile reads from one file, then examines it: in this order.
func (c *Content) readFile(f *file, p []byte, off int64) error {
	d, err := c.pool.acquire(c.root, f)
	if err != nil {
		return err
	}
	n, readErr := c.read(d.handle, p, off)
	now, statErr := d.handle.stamp()
	d.release()
	if statErr != nil {
		return f.fails("examining", statErr)
	}
	if err := f.differs(now); err != nil {
		return err
	}
	if readErr != nil {
		return f.fails("reading", readErr)
	}
	if n < len(p) {
		return fmt.Errorf("reading %s: %w", f.Path, io.ErrUnexpectedEOF)
	}
	return nil
}

// Close gives the descriptors back. Reads under way finish; later ones fail
// with [ErrClosed]. Closing twice is harmless. It does not close the root.
func (c *Content) Close() error {
	for i := range c.files {
		if d := c.files[i].open.Swap(closed); d != nil && d != closed {
			c.pool.drop(d)
		}
	}
	return nil
}
