package storage

import (
	"bytes"
	"crypto/sha1"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// targetFiles is a torrent of 40 bytes in pieces of 8: with an empty file, a pad, a directory.
var targetFiles = []File{
	{Path: "a", Length: 13}, {Path: "d/e/b", Length: 11}, {Path: "d/empty"}, {Length: 8, Pad: true}, {Path: "c", Length: 8},
}

func newTarget(t *testing.T, files []File) (*Target, *os.Root) {
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	target, err := NewTarget(NewPool(2), root, files)
	require.NoError(t, err)
	t.Cleanup(func() { target.Close(); root.Close() })
	return target, root
}

// content is what targetFiles hold: the pad is zeros.
func targetContent() ([]byte, []byte) {
	data := make([]byte, 40)
	for i := range data {
		data[i] = byte(i + 1)
	}
	clear(data[24:32])
	var hashes []byte
	for i := 0; i < len(data); i += 8 {
		sum := sha1.Sum(data[i : i+8])
		hashes = append(hashes, sum[:]...)
	}
	return data, hashes
}

func TestTargetHoldsWhatIsWritten(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	data, hashes := targetContent()
	require.ErrorIs(t, target.ReadAt(make([]byte, 1), 0), io.ErrUnexpectedEOF)
	require.NoError(t, target.WriteAt(data[16:], 16))
	_, err := root.Lstat("a")
	require.ErrorIs(t, err, os.ErrNotExist, "made before it is written")
	bits, err := target.Check(t.Context(), 8, hashes, nil, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{0b00111000}, bits)
	require.NoError(t, target.WriteAt(data[:16], 0))
	require.NoError(t, target.Finish())
	require.NoError(t, target.Sync())
	got := make([]byte, 40)
	require.NoError(t, target.ReadAt(got, 0))
	require.Equal(t, data, got)
	for _, f := range targetFiles {
		if !f.Pad {
			info, err := root.Stat(f.Path)
			require.NoError(t, err)
			require.Equal(t, f.Length, info.Size(), f.Path)
		}
	}
	bits, err = target.Check(t.Context(), 8, hashes, nil, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{0b11111000}, bits)
	require.ErrorIs(t, target.WriteAt(data, 1), ErrRange)
	require.NoError(t, target.Close())
	require.ErrorIs(t, target.WriteAt(data, 0), ErrClosed)
}

func TestTargetRefusesPathsThatLeave(t *testing.T) {
	for _, p := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "a/.", "x\x00y"} {
		_, err := NewTarget(NewPool(2), nil, []File{{Path: p, Length: 1}})
		require.Error(t, err, "%q", p)
	}
	_, err := NewTarget(NewPool(2), nil, make([]File, MaxTargetFiles+1))
	require.ErrorContains(t, err, "more than")
	_, err = NewTarget(NewPool(2), nil, []File{{Path: "a", Length: 1 << 62}, {Path: "b", Length: 1 << 62}})
	require.ErrorContains(t, err, "out of range")
}

func TestTargetWritesThroughNoLink(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("mine"), 0o600))
	if err := root.Symlink(outside, "a"); err != nil {
		t.Log("no links here:", err)
		return
	}
	require.NoError(t, root.Symlink(filepath.Dir(outside), "d"))
	require.Error(t, target.WriteAt([]byte("x"), 0))
	require.Error(t, target.WriteAt([]byte("x"), 14))
	kept, err := os.ReadFile(outside)
	require.NoError(t, err)
	require.Equal(t, "mine", string(kept))
}

// What may be read and not written, as a program that runs or all on a disk mounted so, can be checked and seeded.
func TestTargetReadsWhatCannotBeWritten(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	root, err := os.OpenRoot(filepath.Dir(program))
	require.NoError(t, err)
	defer root.Close()
	info, err := root.Stat(filepath.Base(program))
	require.NoError(t, err)
	target, err := NewTarget(NewPool(2), root, []File{{Path: filepath.Base(program), Length: info.Size()}})
	require.NoError(t, err)
	defer target.Close()
	require.NoError(t, target.ReadAt(make([]byte, 100), 1000))
}

func TestOverlappingFilesFailCleanly(t *testing.T) {
	target, _ := newTarget(t, []File{{Path: "a", Length: 4}, {Path: "a/b", Length: 4}})
	require.NoError(t, target.WriteAt([]byte("1234"), 0))
	require.Error(t, target.WriteAt([]byte("5678"), 4))
}

func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // the others have no device that is always full
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		return
	}
	require.True(t, isFull(func() error {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Write([]byte("x"))
		return err
	}()))
	err := writeError(&file{File: File{Path: "a"}}, os.NewSyscallError("pwrite", errFull))
	require.ErrorIs(t, err, ErrFull)
}

func TestRecord(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	data, hashes := targetContent()
	require.NoError(t, target.WriteAt(data[:32], 0))
	bits, err := target.Check(t.Context(), 8, hashes, nil, nil)
	require.NoError(t, err)
	r := &Record{InfoHash: [20]byte{1}, Pieces: bits, Files: target.Stamps()}
	require.NoError(t, r.Save(root, "record"))
	loaded, err := LoadRecord(root, "record")
	require.NoError(t, err)
	require.Equal(t, r, loaded)

	trusted := func(r *Record) (list []int) {
		ok := target.Trusted([20]byte{1}, 8, r)
		for i := range 5 {
			if good, known := ok(i); good && known {
				list = append(list, i)
			}
		}
		return list
	}
	require.Equal(t, []int{0, 1, 2, 3}, trusted(loaded))
	require.Empty(t, trusted(nil))
	require.Empty(t, trusted(&Record{InfoHash: [20]byte{2}, Pieces: bits, Files: r.Files}))
	require.NoError(t, root.Chmod("a", 0o400))
	require.Equal(t, []int{2, 3}, trusted(loaded), "file a is not as it was")

	_, err = LoadRecord(root, "none")
	require.ErrorIs(t, err, os.ErrNotExist)
	raw, err := root.ReadFile("record")
	require.NoError(t, err)
	raw[len(raw)/2] ^= 1
	_, err = parseRecord(raw)
	require.ErrorIs(t, err, ErrRecord)
}

// A record that was saved when files were removed, or cut short, behind the back of who wrote them promises nothing of the bytes
// that are lost: its stamps are those of what is left.
func TestRecordOfLostBytes(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	data, hashes := targetContent()
	require.NoError(t, target.WriteAt(data, 0))
	require.NoError(t, root.Remove("d/e/b"))
	require.NoError(t, root.WriteFile("c", data[32:35], 0o600))
	r := &Record{InfoHash: [20]byte{1}, Pieces: []byte{0b11111000}, Files: target.Stamps()}
	trusted := target.Trusted([20]byte{1}, 8, r)
	bits, err := target.Check(t.Context(), 8, hashes, trusted, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{0b10010000}, bits)
}

// What was removed or cut short while it was written is noticed when all is written.
func TestFinishNoticesLostFiles(t *testing.T) {
	for name, lose := range map[string]func(root *os.Root) error{
		"removed":   func(root *os.Root) error { return root.Remove("a") },
		"cut short": func(root *os.Root) error { return root.WriteFile("a", nil, 0o600) },
		"replaced": func(root *os.Root) error {
			if err := root.Remove("a"); err != nil {
				return err
			}
			return root.Mkdir("a", 0o700)
		},
	} {
		t.Run(name, func(t *testing.T) {
			target, root := newTarget(t, targetFiles)
			data, _ := targetContent()
			require.NoError(t, target.WriteAt(data, 0))
			require.NoError(t, lose(root))
			require.ErrorContains(t, target.Finish(), "a")
		})
	}
}

// A file that was removed while nothing had it open is not made again: what was written to it before is lost, and nobody would know.
func TestLostFileIsNotMadeAgain(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	defer root.Close()
	pool := NewPool(1)
	target, err := NewTarget(pool, root, []File{{Path: "a", Length: 8}, {Path: "b", Length: 8}})
	require.NoError(t, err)
	t.Cleanup(func() { target.Close() })
	require.NoError(t, target.WriteAt([]byte("first"), 0))
	require.NoError(t, target.WriteAt([]byte("other"), 8)) // takes the only descriptor
	require.NoError(t, root.Remove("a"))
	err = target.WriteAt([]byte("abc"), 5)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "writing a: was lost while it was written")
	require.NoFileExists(t, filepath.Join(root.Name(), "a"))
}

// What replaces a longer file is not followed by the rest of that.
func TestTargetCutsWhatIsLonger(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	data, _ := targetContent()
	require.NoError(t, root.WriteFile("a", make([]byte, 20), 0o600))
	there, longer, err := target.Existing()
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{there, longer})
	require.NoError(t, target.Cut())
	require.NoError(t, target.WriteAt(data, 0))
	require.NoError(t, target.Finish())
	got, err := root.ReadFile("a")
	require.NoError(t, err)
	require.Equal(t, data[:13], got)
}

// What a file takes of the disk already, written over or reserved, is not needed again.
func TestTargetCountsWhatItTakes(t *testing.T) {
	target, root := newTarget(t, []File{{Path: "a", Length: 1 << 20}, {Path: "b", Length: 1 << 20}, {Length: 1 << 20, Pad: true}})
	if _, known := FreeSpace(root); !known {
		return
	}
	require.EqualValues(t, 2<<20, target.Unoccupied())
	data := make([]byte, 1<<20) // that cannot be compressed
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	require.NoError(t, target.WriteAt(data[:1<<19], 0))
	require.NoError(t, target.WriteAt(data, 1<<20))
	require.NoError(t, target.Sync())
	require.InDelta(t, 1<<19, target.Unoccupied(), 1<<16)
}

// What is no file, or stands where a directory is to be, can never be written to.
func TestExistingTellsObstacles(t *testing.T) {
	for name, put := range map[string]func(root *os.Root) error{
		"a directory":              func(root *os.Root) error { return root.Mkdir("a", 0o700) },
		"a file for the directory": func(root *os.Root) error { return root.WriteFile("d", nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			target, root := newTarget(t, targetFiles)
			require.NoError(t, put(root))
			_, _, err := target.Existing()
			require.Error(t, err)
		})
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(recordHead))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseRecord(body); err != nil {
			require.ErrorIs(t, err, ErrRecord)
			require.Nil(t, r)
		}
	})
}

// Whatever is written in whatever order, the files hold it.
func TestTargetModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var files []File
		total := 0
		for i := range rapid.IntRange(1, 6).Draw(rt, "files") {
			n := rapid.IntRange(0, 9).Draw(rt, "length")
			files = append(files, File{Path: string(rune('a' + i)), Length: int64(n)})
			total += n
		}
		root, err := os.OpenRoot(t.TempDir())
		require.NoError(rt, err)
		defer root.Close()
		target, err := NewTarget(NewPool(2), root, files)
		require.NoError(rt, err)
		defer target.Close()
		model := make([]byte, total)
		for i := range model {
			model[i] = byte(rand.Uint32())
		}
		for _, i := range rand.Perm(total) {
			n := min(rapid.IntRange(1, 12).Draw(rt, "run"), total-i)
			require.NoError(rt, target.WriteAt(model[i:i+n], int64(i)))
		}
		require.NoError(rt, target.Finish())
		var all []byte
		for _, f := range files {
			data, err := root.ReadFile(f.Path)
			require.NoError(rt, err)
			all = append(all, data...)
		}
		require.True(rt, bytes.Equal(model, all))
	})
}

// TestTargetRefusesPadsThatAreNotZeros: what is not kept has to read as it was written.
func TestTargetRefusesPadsThatAreNotZeros(t *testing.T) {
	target, root := newTarget(t, targetFiles)
	data, _ := targetContent()
	require.NoError(t, target.WriteAt(data[24:32], 24))
	data[31] = 1
	require.ErrorIs(t, target.WriteAt(data, 0), ErrPad)
	_, err := root.Lstat("a")
	require.ErrorIs(t, err, os.ErrNotExist, "a part of it was written")
}
