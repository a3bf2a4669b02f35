//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// badByteRate makes a download of badByteSize bytes last long enough for something to happen under it.
const (
	badByteRate = "512KiB/s"
	badByteSize = 2 << 20
)

// mutations are the ways in which a published file can become another one under a download. after is the new content, as long as
// the old; the result is what is to be published in the end, nil for nothing.
var mutations = []struct {
	name   string
	mutate func(t *testing.T, full string, after []byte) (published []byte)
}{
	{"overwritten in place", func(t *testing.T, full string, after []byte) []byte {
		overwrite(t, full, after)
		return after
	}},
	{"overwritten in place, its time set back", func(t *testing.T, full string, after []byte) []byte {
		before, err := os.Stat(full)
		require.NoError(t, err)
		overwrite(t, full, after)
		require.NoError(t, os.Chtimes(full, time.Time{}, before.ModTime()))
		return after
	}},
	{"overwritten through a mapping", func(t *testing.T, full string, after []byte) []byte {
		f, err := os.OpenFile(full, os.O_RDWR, 0)
		require.NoError(t, err)
		defer f.Close()
		memory, err := unix.Mmap(int(f.Fd()), 0, len(after), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		require.NoError(t, err)
		copy(memory, after)
		require.NoError(t, unix.Munmap(memory))
		return after
	}},
	{"one byte overwritten near the end", func(t *testing.T, full string, after []byte) []byte {
		whole, err := os.ReadFile(full)
		require.NoError(t, err)
		whole[len(whole)-100]++
		f, err := os.OpenFile(full, os.O_WRONLY, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteAt(whole[len(whole)-100:len(whole)-99], int64(len(whole)-100))
		require.NoError(t, err)
		return whole
	}},
	{"truncated", func(t *testing.T, full string, after []byte) []byte {
		whole, err := os.ReadFile(full)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(full, int64(len(after)/2)))
		return whole[:len(after)/2]
	}},
	{"truncated and filled again", func(t *testing.T, full string, after []byte) []byte {
		require.NoError(t, os.WriteFile(full, after, 0o644))
		return after
	}},
	{"appended to", func(t *testing.T, full string, after []byte) []byte {
		whole, err := os.ReadFile(full)
		require.NoError(t, err)
		f, err := os.OpenFile(full, os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Write(after[:1000])
		require.NoError(t, err)
		return append(whole, after[:1000]...)
	}},
	{"replaced by rename", func(t *testing.T, full string, after []byte) []byte {
		replace(t, full, after[:len(after)-1000])
		return after[:len(after)-1000]
	}},
	{"replaced by rename, with the same size and time", func(t *testing.T, full string, after []byte) []byte {
		before, err := os.Stat(full)
		require.NoError(t, err)
		replace(t, full, after)
		require.NoError(t, os.Chtimes(full, time.Time{}, before.ModTime()))
		return after
	}},
	{"replaced by a symbolic link", func(t *testing.T, full string, after []byte) []byte {
		outside := elsewhere(t, t.TempDir(), "outside", after)
		require.NoError(t, os.Remove(full))
		require.NoError(t, os.Symlink(outside, full))
		return nil
	}},
	{"deleted", func(t *testing.T, full string, _ []byte) []byte {
		require.NoError(t, os.Remove(full))
		return nil
	}},
	{"deleted and made anew", func(t *testing.T, full string, after []byte) []byte {
		require.NoError(t, os.Remove(full))
		require.NoError(t, os.WriteFile(full, after, 0o644))
		return after
	}},
}

// overwrite writes from the end to the start: the blocks that leave last are the first to be wrong.
func overwrite(t *testing.T, full string, after []byte) {
	t.Helper()
	f, err := os.OpenFile(full, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	const step = 64 << 10
	for end := len(after); end > 0; end -= step {
		start := max(0, end-step)
		_, err := f.WriteAt(after[start:end], int64(start))
		require.NoError(t, err)
	}
}

func replace(t *testing.T, full string, after []byte) {
	t.Helper()
	tmp := filepath.Join(filepath.Dir(full), "."+filepath.Base(full))
	require.NoError(t, os.WriteFile(tmp, after, 0o644))
	require.NoError(t, os.Rename(tmp, full))
}

// TestNeverABadByte: whatever happens to a file under a download, not one byte of another content goes out under its infohash, the
// client sees a clean end, and the new content is published under a new infohash.
func TestNeverABadByte(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	for i, way := range []struct {
		name string
		test func(t *testing.T, s *server, i int)
		args []string
	}{
		{"to peers", testMutationUnderPeer, nil},
		{"over HTTP", testMutationUnderHTTP, nil},
		// Without events nobody but the reader of the blocks can see the change.
		{"to peers, by the guard alone", testMutationUnderPeer, []string{"--poll", "--rescan", "1h"}},
		{"over HTTP, by the guard alone", testMutationUnderHTTP, []string{"--poll", "--rescan", "1h"}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--json", "--max-up-torrent", badByteRate, "--large", "plain"}, way.args...)
			s := newPlainServer(t, args...).at(fmt.Sprintf("198.18.2.%d", i+1))
			for i := range mutations {
				s.put(mutated(i))
			}
			s.start()
			t.Run("file", func(t *testing.T) {
				for i, m := range mutations {
					t.Run(m.name, func(t *testing.T) {
						t.Parallel()
						way.test(t, s.in(t), i)
					})
				}
			})
		})
	}
	t.Run("unreadable", func(t *testing.T) {
		t.Parallel()
		testUnreadable(t, "198.18.2.100")
	})
}

// mutated is the file that the i-th mutation is done to, as it is before.
func mutated(i int) (path string, before []byte) {
	return fmt.Sprintf("file %d.bin", i), content(uint64(i), badByteSize)
}

func testMutationUnderPeer(t *testing.T, s *server, i int) {
	path, before := mutated(i)
	after := content(uint64(1000+i), badByteSize)
	first := s.published(path, 30*time.Second)

	l := s.leech(clientIP(i), s.fetch(path), before)
	var want []byte
	done := false
	err := l.run(func(received int) {
		if !done && received >= badByteSize/4 {
			done = true
			want = mutations[i].mutate(t, filepath.Join(s.dir, path), after)
		}
	})
	require.True(t, done, "the download ended too early: %v", err)
	requireCleanEnd(t, err)

	_, err = s.connect(clientIP(i), l.infohash)
	requireCleanEnd(t, err)
	if want == nil {
		requireNothingAt(t, s, path)
		return
	}
	s.publishedAnew(path, first, 30*time.Second)
	s.requireDownload(clientIP(i), path, want)
	require.Len(t, s.publishedAs(path), 2)
}

func requireNothingAt(t *testing.T, s *server, path string) {
	t.Helper()
	s.eventually(30*time.Second, "it is not served", func() bool {
		_, resp := s.request(http.MethodHead, escapePath(path))
		return resp.StatusCode == http.StatusNotFound
	})
}

func testMutationUnderHTTP(t *testing.T, s *server, i int) {
	path, before := mutated(i)
	after := content(uint64(1000+i), badByteSize)
	s.published(path, 30*time.Second)

	var want []byte
	done := false
	status, got, whole := s.download(path, func(received int) {
		if !done && received >= badByteSize/4 {
			done = true
			want = mutations[i].mutate(t, filepath.Join(s.dir, path), after)
		}
	})
	require.Equal(t, http.StatusOK, status)
	require.True(t, done, "the download ended after %d bytes", len(got))
	require.True(t, bytes.HasPrefix(before, got), "bytes of another content after %d", len(got))
	require.False(t, whole, "the answer looks complete")

	if want == nil {
		requireNothingAt(t, s, path)
		return
	}
	s.eventually(60*time.Second, "the new content is served", func() bool {
		status, got, whole := s.download(path, nil)
		if status != http.StatusOK {
			return false
		}
		if whole {
			require.True(t, bytes.Equal(want, got), "a whole answer that is not the new content")
		}
		require.True(t, bytes.HasPrefix(before, got) || bytes.HasPrefix(want, got), "an answer of mixed content")
		return whole
	})
}

// download fetches path over HTTP, and reports whether the answer had the length it announced. progress is called as bytes come.
func (s *server) download(path string, progress func(received int)) (status int, body []byte, whole bool) {
	s.t.Helper()
	resp, err := http.Get(s.url(path))
	require.NoError(s.t, err)
	defer resp.Body.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		body = append(body, buf[:n]...)
		if progress != nil {
			progress(len(body))
		}
		if err != nil {
			return resp.StatusCode, body, err == io.EOF
		}
	}
}

// testUnreadable: a file whose bytes cannot be checked any more is not sent; when they can, and are the same, the same connection
// goes on.
func testUnreadable(t *testing.T, ip string) {
	s := newPlainServer(t, "--json", "--max-up-torrent", badByteRate).at(ip)
	requireNobody(t, s)
	const path = "unreadable.bin"
	before := content(100, badByteSize)
	s.put(path, before)
	full := filepath.Join(s.dir, path)
	require.NoError(t, os.Chown(full, nobody, nobody))
	s.start()
	first := s.published(path, 30*time.Second)

	l := s.leech(clientIP(100), s.fetch(path), before)
	locked := make(chan struct{})
	progress := make(chan int, len(before)/blockSize)
	end := make(chan error, 1)
	go func() {
		end <- l.run(func(received int) {
			progress <- received
			if received == badByteSize/4 {
				<-locked // not one byte is taken before the file is locked
			}
		})
	}()
	for received := range progress {
		if received == badByteSize/4 {
			break
		}
	}
	require.NoError(t, os.Chmod(full, 0))
	close(locked)
	s.eventually(30*time.Second, "the index says why it is not shared", func() bool {
		e, ok := s.entry(path)
		return ok && e.State != "published" && strings.Contains(e.Reason, "permission denied")
	})
	select {
	case err := <-end:
		t.Fatal("the download ended while the file was unreadable: ", err)
	default:
	}
	require.NoError(t, os.Chmod(full, 0o644))
	require.NoError(t, <-end)
	require.Equal(t, first, s.published(path, 30*time.Second))
	require.Equal(t, []string{first}, s.publishedAs(path))
}

// requireCleanEnd checks that a connection ended because the server closed it, and for no worse reason. The last message may have
// been cut.
func requireCleanEnd(t *testing.T, err error) {
	t.Helper()
	clean := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	require.True(t, clean, "it ended with: %v", err)
}
