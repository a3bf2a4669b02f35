//go:build unix

package storage_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

const benchFile = 64 << 20 // bytes; stays in the page cache

// BenchmarkReadAt reads from the page cache with all cores, through a Content and, for comparison, with the two bare
// system calls it cannot do without.
func BenchmarkReadAt(b *testing.B) {
	d := newDir(b, 0)
	c := d.open(b, d.file(b, "a", random(1, benchFile)))
	f, err := os.Open(filepath.Join(d.path, "a"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())

	for _, size := range []int{16 << 10, 256 << 10} {
		for _, way := range []struct {
			name string
			read func(p []byte, off int64) error
		}{
			{"bare", func(p []byte, off int64) error {
				var st unix.Stat_t
				if _, err := unix.Pread(fd, p, off); err != nil {
					return err
				}
				return unix.Fstat(fd, &st)
			}},
			{"content", c.ReadAt},
		} {
			b.Run(fmt.Sprintf("size=%dKiB/%s", size>>10, way.name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				var next atomic.Int64
				b.RunParallel(func(pb *testing.PB) {
					p := make([]byte, size)
					for pb.Next() {
						off := next.Add(int64(size)) % (benchFile - int64(size))
						if err := way.read(p, off); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

// BenchmarkReadAtCold opens a file for each read, because the pool holds a tenth of the files.
func BenchmarkReadAtCold(b *testing.B) {
	const files = 100
	d := newDir(b, files/10)
	var contents [files]interface {
		ReadAt(p []byte, off int64) error
	}
	for i := range contents {
		contents[i] = d.open(b, d.file(b, fmt.Sprintf("sub/dir/%d", i), random(uint64(i), 16<<10)))
	}
	p := make([]byte, 16<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	i := 0
	for b.Loop() {
		if err := contents[i%files].ReadAt(p, 0); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkVerify(b *testing.B) {
	const pieceLength = 1 << 20
	d := newDir(b, 0)
	data := random(1, benchFile)
	c := d.open(b, d.file(b, "a", data))
	pieces := hashes(data, pieceLength)
	b.SetBytes(benchFile)
	for b.Loop() {
		if err := c.Verify(b.Context(), pieceLength, pieces, nil); err != nil {
			b.Fatal(err)
		}
	}
}
