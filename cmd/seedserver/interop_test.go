package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	slowFile    = "release.iso"
	unitDir     = "album"
	unicodeFile = "Grüße aus 東京 – naïve café.bin"
	tinyFile    = "one.byte"
)

// publishAll fills the directory with what the clients will download, and returns the names.
func publishAll(t *testing.T, s *server) []string {
	t.Helper()
	s.put(unitDir+"/.seedserver.toml", []byte("unit = true\n"))
	s.put(unitDir+"/01 intro.flac", content(1, 700_000))
	s.put(unitDir+"/disc 2/02.flac", content(2, 300_001))
	s.put(unitDir+"/empty", nil)
	s.put(unicodeFile, content(3, 2_500_000))
	s.put(tinyFile, []byte{'x'})
	copySlowly(t, s, slowFile, content(4, 200<<20))
	names := []string{slowFile, unitDir, unicodeFile, tinyFile}
	for _, name := range names {
		s.published(name, 60*time.Second)
	}
	return names
}

// copySlowly writes content as scp over a slow line does, and checks that nobody gets a torrent before the end.
func copySlowly(t *testing.T, s *server, name string, content []byte) {
	t.Helper()
	f, err := os.Create(filepath.Join(s.dir, name))
	require.NoError(t, err)
	defer f.Close()
	const parts = 8
	for i := range parts {
		_, err := f.Write(content[i*len(content)/parts : (i+1)*len(content)/parts])
		require.NoError(t, err)
		<-time.After(400 * time.Millisecond) // the writer's pace
		if e, ok := s.entry(name); ok {
			require.Equal(t, "settling", e.State, "after part %d of %d", i+1, parts)
			_, resp := s.get(name + "?torrent")
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		}
	}
}

// TestClientsDownload is the promise of the whole program: what is dropped into the directory downloads identically with the clients
// people run, from the torrent that the index gives them, with nothing but our tracker and our seed.
func TestClientsDownload(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	names := publishAll(t, s)
	want := tree(t, s.dir)

	bind := 0
	// downloadAll takes all names at once with one client: what it gets can only come from us.
	downloadAll := func(c client, how string, source func(name string) string) {
		t.Run(c.name+how, func(t *testing.T) {
			for _, name := range names {
				bind++
				ip := clientIP(bind)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					out := t.TempDir()
					c.download(t, source(name), out, ip)
					requireCopy(t, want, name, out)
				})
			}
		})
	}
	for _, c := range clients {
		downloadAll(c, "", s.torrent)
		if c.magnets {
			downloadAll(c, " by magnet", s.magnet)
		}
	}
	t.Run("aria2 by the file's URL", func(t *testing.T) {
		out := t.TempDir()
		before := s.sums()[slowFile].Completed
		aria2(t, s.url(slowFile), out, clientIP(bind+1))
		requireCopy(t, want, slowFile, out)
		s.eventually(10*time.Second, "it is counted, though aria2 that does not seed sends no completed", func() bool {
			return s.sums()[slowFile].Completed > before
		})
	})
}

// requireCopy compares what a client wrote with what was published under name. Empty files do not count: some clients, such as
// transmission 3.00, do not make them.
func requireCopy(t *testing.T, want map[string]string, name, out string) {
	t.Helper()
	expected := map[string]string{}
	for path, sum := range want {
		if path == name || strings.HasPrefix(path, name+"/") {
			expected[path] = sum
		}
	}
	require.NotEmpty(t, expected)
	got := tree(t, out)
	for _, sums := range []map[string]string{expected, got} {
		maps.DeleteFunc(sums, func(_, sum string) bool { return sum == emptySum })
	}
	require.Equal(t, expected, got)
}

// emptySum is the SHA-256 of nothing.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestRestartKeepsEverything: after a stop, and after a kill, nothing is hashed again and no infohash changes.
func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	s.put("a.bin", content(1, 3<<20))
	s.put(unitDir+"/.seedserver.toml", []byte("unit = true\n"))
	s.put(unitDir+"/b.bin", content(2, 1<<20))
	before := []string{s.published("a.bin", 20*time.Second), s.published(unitDir, 20*time.Second)}

	for _, end := range []func(){s.stop, s.kill} {
		end()
		mark := len(s.log.String())
		s.start()
		after := []string{s.published("a.bin", 5*time.Second), s.published(unitDir, 5*time.Second)}
		require.Equal(t, before, after)
		require.NotContains(t, s.log.String()[mark:], "hashed", "a restart hashed again")
	}
}

// TestBehindProxy runs nginx in front, and downloads through it and past it.
func TestBehindProxy(t *testing.T) {
	t.Parallel()
	requireTool(t, "nginx", "nginx-light")
	requireTool(t, "aria2c", "aria2")
	if !inNamespace(t) {
		return
	}
	startProxy(t)
	s := newServer(t, "--url", "http://"+proxyIP, "--http", "127.0.0.1:8080", "--advertise", serverIP+":6881")
	s.base = "http://127.0.0.1:8080"
	s.start()
	s.put("a.bin", content(1, 3<<20))
	s.published("a.bin", 20*time.Second)
	out := t.TempDir()
	aria2(t, "http://"+proxyIP+"/a.bin.torrent", out, clientIP(0))
	requireCopy(t, tree(t, s.dir), "a.bin", out)
}

// startProxy runs nginx on port 80 of proxyIP in front of the server's usual address.
func startProxy(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `
daemon off; pid %[1]s/pid; error_log %[1]s/error.log; worker_processes 1; user root;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	server {
		listen %[2]s:80;
		location / {
			proxy_pass http://127.0.0.1:8080;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
		}
	}
}`, dir, proxyIP), 0o644))
	cmd := exec.Command("nginx", "-p", dir, "-c", conf)
	cmd.WaitDelay = time.Second // its workers hold the pipe
	log := &logBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + proxyIP + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}, 10*time.Second, 50*time.Millisecond, "%s", log)
}

// TestPlainAddress: without --url the torrent names the host that the request named, so a client elsewhere can use it.
func TestPlainAddress(t *testing.T) {
	t.Parallel()
	requireTool(t, "aria2c", "aria2")
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	s.put("a.bin", content(1, 3<<20))
	s.published("a.bin", 20*time.Second)
	out := t.TempDir()
	aria2(t, "http://"+serverIP+":8080/a.bin.torrent", out, clientIP(0))
	requireCopy(t, tree(t, s.dir), "a.bin", out)
}

// TestCurl follows design.md's table of what a plain HTTP client sees.
func TestCurl(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	small, large := content(1, 100_000), content(2, 3<<20)
	s.put("small.txt", small)
	s.put("large.bin", large)
	s.published("small.txt", 20*time.Second)
	s.published("large.bin", 20*time.Second)

	body, resp := s.get("small.txt")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, small, body)
	require.Contains(t, resp.Header.Get("Link"), `rel="describedby"`)

	body, resp = s.get("small.txt", "Range", "bytes=100-199")
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, small[100:200], body)

	body, resp = s.get("large.bin")
	require.Equal(t, http.StatusFound, resp.StatusCode)
	require.Equal(t, "large.bin.torrent", resp.Header.Get("Location"), "relative: it works below any prefix")
	require.Contains(t, string(body), "aria2c")

	_, resp = s.get("large.bin", "Range", "bytes=0-9")
	require.Equal(t, http.StatusFound, resp.StatusCode)

	_, resp = s.get("large.bin", "Accept", "application/x-bittorrent")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "application/x-bittorrent", resp.Header.Get("Content-Type"))

	f, err := os.Create(filepath.Join(s.dir, "growing.bin"))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Write(large)
	require.NoError(t, err)
	s.eventually(10*time.Second, "growing.bin is listed", func() bool { _, ok := s.entry("growing.bin"); return ok })
	body, resp = s.get("growing.bin")
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.Contains(t, string(body), "still being written")
}
