//go:build linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// settleTime is the settle time of startServer's servers.
const settleTime = time.Second

// pause is a writer's pace.
func pause(d time.Duration) { <-time.After(d) }

// arrivals are the ways in which content comes to a path. Each returns when the writer is done.
var arrivals = []struct {
	name   string
	arrive func(t *testing.T, s *server, path string, content []byte)
}{
	{"held open, with pauses longer than the settle time", heldOpen},
	{"mapped for writing, with a pause longer than the settle time", mapped},
	{"growing, closed after each write", growing},
	{"rsync", func(t *testing.T, s *server, path string, content []byte) {
		runTool(t, "rsync", "-a", "--bwlimit=2m", elsewhere(t, t.TempDir(), path, content), filepath.Join(s.dir, path))
	}},
	{"rsync in place", func(t *testing.T, s *server, path string, content []byte) {
		runTool(t, "rsync", "-a", "--bwlimit=2m", "--inplace", elsewhere(t, t.TempDir(), path, content), filepath.Join(s.dir, path))
	}},
	{"cp", func(t *testing.T, s *server, path string, content []byte) {
		runTool(t, "cp", elsewhere(t, t.TempDir(), path, content), filepath.Join(s.dir, path))
	}},
	{"cp with its times", func(t *testing.T, s *server, path string, content []byte) {
		runTool(t, "cp", "-p", elsewhere(t, t.TempDir(), path, content), filepath.Join(s.dir, path))
	}},
	{"mv from another file system", func(t *testing.T, s *server, path string, content []byte) {
		runTool(t, "mv", elsewhere(t, otherFileSystem(t, s.dir), path, content), filepath.Join(s.dir, path))
	}},
	{"under a temporary name, then renamed", func(t *testing.T, s *server, path string, content []byte) {
		temporary := path + ".part"
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, temporary), content, 0o644))
		pause(settleTime * 3 / 2)
		requireUnpublished(t, s, temporary)
		require.NoError(t, os.Rename(filepath.Join(s.dir, temporary), filepath.Join(s.dir, path)))
	}},
	{"a hard link from outside", func(t *testing.T, s *server, path string, content []byte) {
		outside := elsewhere(t, filepath.Dir(s.dir), ".outside "+path, content)
		require.NoError(t, os.Link(outside, filepath.Join(s.dir, path)))
	}},
	{"rewritten while it settles", func(t *testing.T, s *server, path string, content []byte) {
		full := filepath.Join(s.dir, path)
		began := time.Now()
		require.NoError(t, os.WriteFile(full, content[:len(content)/2], 0o644))
		pause(settleTime / 2)
		require.NoError(t, os.WriteFile(full, content, 0o644))
		if time.Since(began) >= settleTime {
			t.Skip("this machine is too slow for a writer that pauses less than the settle time")
		}
	}},
}

// TestSettle: what is published is whole, and it is what lies in the directory. The parts have a server each and wait at the same
// time.
func TestSettle(t *testing.T) {
	t.Parallel()
	requireTool(t, "rsync", "rsync")
	if !inNamespace(t) {
		return
	}
	for i, part := range []struct {
		name string
		test func(t *testing.T, ip string)
	}{
		{"arrivals", testArrivals},
		{"changes", testChanges},
		{"same bytes go on", testSameBytesGoOn},
		{"blind", testBlind},
		{"many files", testManyFiles},
		{"lost events", testLostEvents},
		{"poll", testPoll},
		{"left out", testLeftOut},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, fmt.Sprintf("198.18.2.%d", i+1))
		})
	}
}

// startServerAt runs a server in plain mode at an address of its own.
func startServerAt(t *testing.T, ip string, args ...string) *server {
	t.Helper()
	s := newPlainServer(t, args...).at(ip)
	s.start()
	return s
}

// testArrivals: however content comes to its place, it is published once, when it is whole.
func testArrivals(t *testing.T, ip string) {
	s := startServerAt(t, ip, "--json")
	for i, a := range arrivals {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s, path, content := s.in(t), fmt.Sprintf("arrival %d.bin", i), content(uint64(i), 3<<20)
			a.arrive(t, s, path, content)
			infohash := s.published(path, 30*time.Second)
			s.requireTorrent(path, content)
			require.Equal(t, []string{infohash}, s.publishedAs(path), "published before it was whole")
		})
	}
}

func heldOpen(t *testing.T, s *server, path string, content []byte) {
	f, err := os.Create(filepath.Join(s.dir, path))
	require.NoError(t, err)
	defer f.Close()
	const parts = 3
	for i := range parts {
		_, err := f.Write(content[i*len(content)/parts : (i+1)*len(content)/parts])
		require.NoError(t, err)
		pause(settleTime * 3 / 2)
		requireUnpublished(t, s, path)
	}
	s.eventually(10*time.Second, "the index says why it waits", func() bool {
		e, ok := s.entry(path)
		return ok && e.Reason == "open for writing"
	})
}

// mapped writes as programs do that map their files: the descriptor is closed long before the last byte is written.
func mapped(t *testing.T, s *server, path string, content []byte) {
	f, err := os.Create(filepath.Join(s.dir, path))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(len(content))))
	memory, err := unix.Mmap(int(f.Fd()), 0, len(content), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	half := copy(memory, content[:len(content)/2])
	pause(settleTime * 3 / 2)
	requireUnpublished(t, s, path)
	copy(memory[half:], content[half:])
	require.NoError(t, unix.Munmap(memory))
}

// growing appends and closes, at intervals below the settle time.
func growing(t *testing.T, s *server, path string, content []byte) {
	const parts = 8
	var last time.Time
	for i := range parts {
		f, err := os.OpenFile(filepath.Join(s.dir, path), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		_, err = f.Write(content[i*len(content)/parts : (i+1)*len(content)/parts])
		require.NoError(t, err)
		require.NoError(t, f.Close())
		if i > 0 && time.Since(last) >= settleTime {
			t.Skip("this machine is too slow for a writer that pauses less than the settle time")
		}
		last = time.Now()
		pause(settleTime / 4)
	}
}

// requireUnpublished checks that nobody can have a torrent of path.
func requireUnpublished(t *testing.T, s *server, path string) {
	t.Helper()
	if e, ok := s.entry(path); ok {
		require.Equal(t, "settling", e.State)
		require.Empty(t, e.InfoHash)
	}
	_, resp := s.get(escapePath(path) + "?torrent")
	require.Contains(t, []int{http.StatusServiceUnavailable, http.StatusNotFound}, resp.StatusCode)
}

// elsewhere writes content to a file outside the published directory.
func elsewhere(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	full := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(full, content, 0o644))
	return full
}

// otherFileSystem is a directory on another file system than dir.
func otherFileSystem(t *testing.T, dir string) string {
	t.Helper()
	other, err := os.MkdirTemp("/dev/shm", "seedserver-test-")
	if err != nil {
		missing(t, "a file system in memory at /dev/shm")
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	var a, b unix.Stat_t
	require.NoError(t, unix.Stat(dir, &a))
	require.NoError(t, unix.Stat(other, &b))
	if a.Dev == b.Dev {
		missing(t, "a temporary directory that is not on /dev/shm's file system")
	}
	return other
}

func runTool(t *testing.T, program string, args ...string) {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// testChanges: what happens to published files, each in a way of its own.
func testChanges(t *testing.T, ip string) {
	s := startServerAt(t, ip, "--json")
	t.Run("truncated and rewritten", func(t *testing.T) {
		t.Parallel()
		testRewritten(t, s.in(t))
	})
	t.Run("a hard link beside it", func(t *testing.T) {
		t.Parallel()
		testHardLink(t, s.in(t))
	})
	t.Run("a directory moved in", func(t *testing.T) {
		t.Parallel()
		testMovedIn(t, s.in(t))
	})
	t.Run("removed while it is hashed", func(t *testing.T) {
		t.Parallel()
		testRemovedWhileHashed(t, s.in(t))
	})
	t.Run("removed", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		s.put("removed.bin", content(1, 1000))
		s.published("removed.bin", 30*time.Second)
		require.NoError(t, os.Remove(filepath.Join(s.dir, "removed.bin")))
		s.eventually(30*time.Second, "it is gone", func() bool { _, ok := s.entry("removed.bin"); return !ok })
		_, resp := s.get("removed.bin?torrent")
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
	})
}

func testRewritten(t *testing.T, s *server) {
	const path = "rewritten.bin"
	before, after := content(1, 2<<20), content(2, 2<<20)
	s.put(path, before)
	first := s.published(path, 30*time.Second)

	f, err := os.OpenFile(filepath.Join(s.dir, path), os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = f.Write(after[:1<<20])
	require.NoError(t, err)
	s.eventually(30*time.Second, "the old torrent is retired", func() bool { return len(s.logged("retired", 0)) > 0 })
	pause(settleTime * 3 / 2)
	requireUnpublished(t, s, path)
	_, err = f.Write(after[1<<20:])
	require.NoError(t, err)
	require.NoError(t, f.Close())

	second := s.publishedAnew(path, first, 30*time.Second)
	s.requireTorrent(path, after)
	require.Equal(t, []string{first, second}, s.publishedAs(path))
}

// testHardLink: a second name moves the change time of the first, whose torrent goes on.
func testHardLink(t *testing.T, s *server) {
	content := content(3, 2<<20)
	s.put("name.bin", content)
	first := s.published("name.bin", 30*time.Second)
	require.NoError(t, os.Link(filepath.Join(s.dir, "name.bin"), filepath.Join(s.dir, "other name.bin")))
	second := s.published("other name.bin", 30*time.Second)
	require.NotEqual(t, first, second, "a torrent contains its name")
	require.Equal(t, first, s.published("name.bin", 30*time.Second))
	require.Equal(t, []string{first}, s.publishedAs("name.bin"))
	s.requireDownload(clientIP(3), "other name.bin", content)
}

func testMovedIn(t *testing.T, s *server) {
	outside := filepath.Join(filepath.Dir(s.dir), "incoming")
	files := map[string][]byte{"a.bin": content(4, 100_000), "b/c.bin": content(5, 200_000), "b/d/e.bin": content(6, 300_000)}
	for path, content := range files {
		full := filepath.Join(outside, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, content, 0o644))
	}
	require.NoError(t, os.Rename(outside, filepath.Join(s.dir, "moved")))
	for path, content := range files {
		s.published("moved/"+path, 30*time.Second)
		s.requireTorrent("moved/"+path, content)
	}
}

func testRemovedWhileHashed(t *testing.T, s *server) {
	const path = "huge.bin"
	full := filepath.Join(s.dir, path)
	require.NoError(t, os.WriteFile(full, nil, 0o644))
	require.NoError(t, os.Truncate(full, 16<<30)) // all of it a hole
	s.eventually(30*time.Second, "it is being hashed", func() bool {
		e, ok := s.entry(path)
		return ok && e.State == "hashing" && e.Progress > 0
	})
	require.NoError(t, os.Remove(full))
	s.eventually(30*time.Second, "it is gone", func() bool { _, ok := s.entry(path); return !ok })
	s.put("after "+path, content(7, 1000))
	s.published("after "+path, 30*time.Second)
	require.Empty(t, s.publishedAs(path))
}

// testSameBytesGoOn: what changes a file's name or attributes but not its bytes neither loses the peers of a torrent that is the
// same afterwards, nor the file's place in the ledger.
func testSameBytesGoOn(t *testing.T, ip string) {
	s := startServerAt(t, ip, "--json", "--max-up-torrent", "1MB/s")
	whole := content(1, 4<<20)
	changes := []struct {
		name, path, moved string
		change            func(full, moved string) error
	}{
		{"chmod", "chmod.bin", "chmod.bin", func(full, _ string) error { return os.Chmod(full, 0o600) }},
		{"moved to another directory", "moved.bin", "sub/moved.bin", func(full, moved string) error {
			if err := os.Mkdir(filepath.Dir(moved), 0o755); err != nil {
				return err
			}
			return os.Rename(full, moved)
		}},
	}
	t.Run("while peers download", func(t *testing.T) {
		for i, c := range changes {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := s.in(t)
				s.put(c.path, whole)
				infohash := s.published(c.path, 30*time.Second)
				l, changed := s.leech(clientIP(i), s.fetch(c.path), whole), false
				err := l.run(func(received int) {
					if !changed && received >= len(whole)/4 {
						changed = true
						require.NoError(t, c.change(filepath.Join(s.dir, c.path), filepath.Join(s.dir, c.moved)))
					}
				})
				require.NoError(t, err, "the same connection goes on to the end; it had %d of %d bytes", l.received, len(whole))
				require.Equal(t, infohash, s.published(c.moved, 30*time.Second))
			})
		}
		t.Run("renamed", func(t *testing.T) {
			t.Parallel()
			testRenamed(t, s.in(t))
		})
	})
	s.stop()
	require.Equal(t, []string{"chmod.bin", "new name.bin", "sub/moved.bin"}, ledgerPaths(t, s))
}

// testRenamed: a torrent contains the file's name, so a renamed file is another torrent; the peers of the old one are let go.
func testRenamed(t *testing.T, s *server) {
	whole := content(2, 2<<20)
	s.put("old name.bin", whole)
	first := s.published("old name.bin", 30*time.Second)
	l, renamed := s.leech(clientIP(10), s.fetch("old name.bin"), whole), false
	err := l.run(func(received int) {
		if !renamed && received >= len(whole)/4 {
			renamed = true
			require.NoError(t, os.Rename(filepath.Join(s.dir, "old name.bin"), filepath.Join(s.dir, "new name.bin")))
		}
	})
	requireCleanEnd(t, err)
	require.NotEqual(t, first, s.published("new name.bin", 30*time.Second))
	s.requireDownload(clientIP(10), "new name.bin", whole)
}

// ledgerPaths lists the entries of a stopped server's ledger.
func ledgerPaths(t *testing.T, s *server) []string {
	t.Helper()
	l, err := ledger.Open(t.Context(), s.state)
	require.NoError(t, err)
	defer l.Close()
	files, err := l.Files(t.Context())
	require.NoError(t, err)
	paths := map[string]bool{}
	for _, f := range files {
		require.Zero(t, f.Replaced)
		paths[f.Path] = true
	}
	return sortedKeys(paths)
}

// testBlind: where the system does not tell who writes a file, a longer quiet is waited for, and the index says so.
func testBlind(t *testing.T, ip string) {
	s := newPlainServer(t, "--settle-blind", "5s").at(ip)
	requireNobody(t, s)
	s.start()
	content := content(1, 1<<20)
	full := filepath.Join(s.dir, "blind.bin")
	f, err := os.Create(full) // the server may read it but does not own it
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Write(content[:1000])
	require.NoError(t, err)
	s.eventually(30*time.Second, "the index says that it cannot see writers", func() bool {
		e, ok := s.entry("blind.bin")
		return ok && e.State == "settling" && strings.Contains(e.Reason, "cannot see writers")
	})
	_, err = f.Write(content[1000:])
	require.NoError(t, err)
	written := time.Now()
	s.published("blind.bin", 60*time.Second)
	require.Greater(t, time.Since(written), 4*time.Second)
	s.requireTorrent("blind.bin", content)
}

// testManyFiles drops 5,000 files at once.
func testManyFiles(t *testing.T, ip string) {
	const files = 5000
	s := startServerAt(t, ip, "--json")
	start := time.Now()
	for i := range files {
		full := filepath.Join(s.dir, fmt.Sprintf("dir %d", i%7), fmt.Sprintf("%d.txt", i))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, fmt.Appendf(nil, "this is file %d\n", i), 0o644))
	}
	written := time.Now()
	s.eventually(120*time.Second, "all are published", func() bool { return strings.Count(s.log.String(), `"msg":"published"`) >= files })
	t.Logf("%d files: written in %v, all published %v after that", files, written.Sub(start).Round(time.Millisecond), time.Since(written).Round(time.Millisecond))
	seen := map[string]bool{}
	for _, line := range s.logged("published", 0) {
		seen[line.Path] = true
	}
	require.Len(t, seen, files)
	s.published("dir 3/4504.txt", 10*time.Second)
	s.requireTorrent("dir 3/4504.txt", []byte("this is file 4504\n"))
}

// testLostEvents: when the kernel drops events because nobody takes them, the server looks for itself.
func testLostEvents(t *testing.T, ip string) {
	s := startServerAt(t, ip, "--json", "--rescan", "1h")
	s.put("before.bin", content(1, 1000))
	s.published("before.bin", 30*time.Second)
	queue, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	require.NoError(t, err)
	var events int
	_, err = fmt.Sscan(string(queue), &events)
	require.NoError(t, err)

	// While the server stands still, its queue fills with renames, and then has no room for what matters.
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGSTOP))
	a, b := filepath.Join(s.dir, ".a"), filepath.Join(s.dir, ".b")
	require.NoError(t, os.WriteFile(a, nil, 0o644))
	for range events/2 + 100 { // two events for each
		require.NoError(t, os.Rename(a, b))
		a, b = b, a
	}
	require.NoError(t, os.Remove(filepath.Join(s.dir, "before.bin")))
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "sub", "after.bin"), content(2, 1000), 0o644))
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGCONT))

	s.published("sub/after.bin", 30*time.Second)
	s.eventually(30*time.Second, "what was removed is gone", func() bool { _, ok := s.entry("before.bin"); return !ok })
}

// testPoll: without events, scans find everything.
func testPoll(t *testing.T, ip string) {
	s := startServerAt(t, ip, "--json", "--poll", "--rescan", "300ms")
	before, after := content(1, 100_000), content(2, 100_000)
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "sub"), 0o755))
	full := filepath.Join(s.dir, "sub", "polled.bin")
	require.NoError(t, os.WriteFile(full, before, 0o644))
	first := s.published("sub/polled.bin", 30*time.Second)
	require.NoError(t, os.WriteFile(full, after, 0o644))
	s.publishedAnew("sub/polled.bin", first, 30*time.Second)
	s.requireTorrent("sub/polled.bin", after)
	require.NoError(t, os.Remove(full))
	s.eventually(30*time.Second, "it is gone", func() bool { _, ok := s.entry("sub/polled.bin"); return !ok })
}
