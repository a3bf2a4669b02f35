//go:build unix

package storage_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/stretchr/testify/require"
)

// TestChanged alters a published file in each way a file can change. Each is tried on a file whose descriptor is open and
// on one that is opened afterwards; what cannot be seen through an open descriptor is marked.
func TestChanged(t *testing.T) {
	const path = "sub/file"
	old := random(1, 1000)
	for _, tt := range []struct {
		name    string
		change  func(t *testing.T, d *dir, name string)
		suspect bool  // when opened afterwards
		err     error // what the error wraps when opened afterwards

		suspectOpen bool // through a descriptor that was open before
	}{
		{
			name: "overwritten in place",
			change: func(t *testing.T, _ *dir, name string) {
				f, err := os.OpenFile(name, os.O_WRONLY, 0)
				require.NoError(t, err)
				defer f.Close()
				_, err = f.WriteAt([]byte("x"), 500)
				require.NoError(t, err)
			},
		}, {
			name: "appended to",
			change: func(t *testing.T, _ *dir, name string) {
				f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
				require.NoError(t, err)
				defer f.Close()
				_, err = f.Write([]byte("x"))
				require.NoError(t, err)
			},
		}, {
			name:   "truncated",
			change: func(t *testing.T, _ *dir, name string) { require.NoError(t, os.Truncate(name, 10)) },
		}, {
			name: "truncated and filled again",
			change: func(t *testing.T, _ *dir, name string) {
				require.NoError(t, os.WriteFile(name, random(2, 1000), 0o644))
			},
		}, {
			name: "overwritten, modification time set back",
			change: func(t *testing.T, _ *dir, name string) {
				info, err := os.Stat(name)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(name, random(2, 1000), 0o644))
				require.NoError(t, os.Chtimes(name, time.Time{}, info.ModTime()))
			},
			suspect: true, suspectOpen: true,
		}, {
			name: "replaced by rename",
			change: func(t *testing.T, d *dir, name string) {
				d.file(t, "new", random(2, 1001))
				require.NoError(t, os.Rename(filepath.Join(d.path, "new"), name))
			},
			suspectOpen: true,
		}, {
			name: "replaced by rename with the same size and time",
			change: func(t *testing.T, d *dir, name string) {
				info, err := os.Stat(name)
				require.NoError(t, err)
				d.file(t, "new", random(2, 1000))
				require.NoError(t, os.Chtimes(filepath.Join(d.path, "new"), time.Time{}, info.ModTime()))
				require.NoError(t, os.Rename(filepath.Join(d.path, "new"), name))
			},
			suspect: true, suspectOpen: true,
		}, {
			name:    "deleted",
			change:  func(t *testing.T, _ *dir, name string) { require.NoError(t, os.Remove(name)) },
			suspect: true, suspectOpen: true, err: fs.ErrNotExist,
		}, {
			name:    "renamed",
			change:  func(t *testing.T, _ *dir, name string) { require.NoError(t, os.Rename(name, name+"2")) },
			suspect: true, suspectOpen: true, err: fs.ErrNotExist,
		}, {
			name:    "chmod",
			change:  func(t *testing.T, _ *dir, name string) { require.NoError(t, os.Chmod(name, 0o600)) },
			suspect: true, suspectOpen: true,
		}, {
			name:    "hard link",
			change:  func(t *testing.T, _ *dir, name string) { require.NoError(t, os.Link(name, name+"2")) },
			suspect: true, suspectOpen: true,
		}, {
			name: "symbolic link in its place",
			change: func(t *testing.T, _ *dir, name string) {
				require.NoError(t, os.Rename(name, name+"2"))
				require.NoError(t, os.Symlink("file2", name))
			},
			suspectOpen: true,
		}, {
			name: "symbolic link in place of the directory",
			change: func(t *testing.T, d *dir, name string) {
				require.NoError(t, os.Chmod(name, 0o600)) // moves the change time: an open descriptor sees no directory
				require.NoError(t, os.Rename(filepath.Join(d.path, "sub"), filepath.Join(d.path, "sub2")))
				require.NoError(t, os.Symlink("sub2", filepath.Join(d.path, "sub")))
			},
			suspectOpen: true,
		}, {
			name: "file in place of the directory",
			change: func(t *testing.T, d *dir, name string) {
				require.NoError(t, os.RemoveAll(filepath.Join(d.path, "sub")))
				d.file(t, "sub", nil)
			},
			suspectOpen: true,
		}, {
			name: "directory in its place",
			change: func(t *testing.T, _ *dir, name string) {
				require.NoError(t, os.Remove(name))
				require.NoError(t, os.Mkdir(name, 0o755))
			},
			suspectOpen: true,
		}, {
			name: "FIFO in its place",
			change: func(t *testing.T, _ *dir, name string) {
				require.NoError(t, os.Remove(name))
				require.NoError(t, syscall.Mkfifo(name, 0o644))
			},
			suspectOpen: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t, 0)
			f := d.file(t, path, old)
			before, after := d.open(t, f), d.open(t, f)
			_, err := readAll(before, len(old))
			require.NoError(t, err)

			tt.change(t, d, filepath.Join(d.path, path))

			var changed *storage.ChangedError
			err = before.ReadAt(make([]byte, 10), 0)
			require.ErrorIs(t, err, storage.ErrChanged)
			require.ErrorAs(t, err, &changed)
			require.Equal(t, tt.suspectOpen, changed.Suspect, "through an open descriptor: %v", err)

			err = after.ReadAt(make([]byte, 10), 0)
			require.ErrorIs(t, err, storage.ErrChanged)
			require.ErrorAs(t, err, &changed)
			require.Equal(t, tt.suspect, changed.Suspect, "when opened afterwards: %v", err)
			require.Equal(t, path, changed.Path)
			require.Equal(t, f.Stamp, changed.Want)
			require.Contains(t, err.Error(), path)
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
			}
			require.Equal(t, 1, d.pool.NumOpen(), "a refused file is not kept open")
		})
	}
}

// TestChangedInNeighbour: only the files a read touches are examined, and each of them is.
func TestChangedInNeighbour(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, 100)), d.file(t, "b", random(2, 100)), d.file(t, "c", random(3, 100)))
	require.NoError(t, os.Truncate(filepath.Join(d.path, "b"), 1))
	pieces := hashes(slices.Concat(random(1, 100), random(2, 100), random(3, 100)), 100)
	p := make([]byte, 300)
	require.NoError(t, c.ReadAt(p[:100], 0))
	require.NoError(t, c.ReadAt(p[:100], 200))
	require.ErrorIs(t, c.ReadAt(p[:101], 0), storage.ErrChanged)
	require.ErrorIs(t, c.ReadAt(p[:101], 199), storage.ErrChanged)
	require.ErrorIs(t, c.ReadAt(p, 0), storage.ErrChanged)
	require.ErrorIs(t, c.Verify(t.Context(), 100, pieces, nil), storage.ErrChanged)
}

// TestNotChanged: reading, and what happens to neighbours, does not move a stamp.
func TestNotChanged(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "sub/a", random(1, 100)))
	p := make([]byte, 100)
	require.NoError(t, c.ReadAt(p, 0))
	d.file(t, "sub/b", nil)
	require.NoError(t, os.Remove(filepath.Join(d.path, "sub", "b")))
	_, err := os.ReadFile(filepath.Join(d.path, "sub", "a"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(d.path, "sub"), filepath.Join(d.path, "moved")))
	require.NoError(t, os.Rename(filepath.Join(d.path, "moved"), filepath.Join(d.path, "sub")))
	require.NoError(t, c.ReadAt(p, 0))
	require.NoError(t, d.open(t, c.File(0)).ReadAt(p, 0))
}

// TestSuspectVerified is the way back after a chmod: fresh stamps, all pieces checked, and the same torrent goes on.
func TestSuspectVerified(t *testing.T) {
	const pieceLength = 256
	data := random(1, 1000)
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", data))
	require.NoError(t, os.Chmod(filepath.Join(d.path, "a"), 0o600))
	require.ErrorIs(t, c.Verify(t.Context(), pieceLength, hashes(data, pieceLength), nil), storage.ErrChanged)

	c = d.open(t, d.published(t, "a"))
	require.NoError(t, c.Verify(t.Context(), pieceLength, hashes(data, pieceLength), nil))
	got, err := readAll(c, 333)
	require.NoError(t, err)
	require.Equal(t, data, got)
}
