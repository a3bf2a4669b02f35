//go:build linux

package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// testLeftOut: what is not a regular file of the directory is listed with the reason, is not served in any form, and stops nothing.
func testLeftOut(t *testing.T, ip string) {
	s := newPlainServer(t).at(ip)
	const secret = "this must not leave the machine"
	outside := filepath.Join(filepath.Dir(s.dir), "private")
	require.NoError(t, os.Mkdir(outside, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret.txt"), []byte(secret), 0o600))
	inDir := func(name string) string { return filepath.Join(s.dir, name) }
	require.NoError(t, os.WriteFile(inDir("inside.txt"), []byte("public"), 0o644))

	reasons := map[string]string{
		"to inside.txt": "symbolic link", "to secret.txt": "symbolic link", "to private": "symbolic link", "to nothing": "symbolic link",
		"to itself": "symbolic link", "to above": "symbolic link", "pipe": "FIFO", "socket": "socket",
	}
	for link, target := range map[string]string{
		"to inside.txt": "inside.txt", "to secret.txt": filepath.Join(outside, "secret.txt"), "to private": outside,
		"to nothing": "does not exist", "to itself": "to itself", "to above": "../private",
	} {
		require.NoError(t, os.Symlink(target, inDir(link)))
	}
	require.NoError(t, unix.Mkfifo(inDir("pipe"), 0o644))
	l, err := net.Listen("unix", inDir("socket"))
	require.NoError(t, err)
	defer l.Close()
	if unix.Mknod(inDir("device"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))) == nil { // /dev/zero; root only
		reasons["device"] = "device"
	}
	// Rules that cannot be read let nothing through, and nobody look.
	require.NoError(t, os.Mkdir(inDir("ruled"), 0o755))
	require.NoError(t, unix.Mkfifo(inDir("ruled/.seedserver.toml"), 0o644))
	require.NoError(t, os.WriteFile(inDir("ruled/hidden.txt"), []byte(secret), 0o644))

	s.start()
	s.published("inside.txt", 30*time.Second)
	for name, reason := range reasons {
		e, ok := s.entry(name)
		require.True(t, ok, "%s is listed", name)
		require.Equal(t, "left out", e.State, name)
		require.Equal(t, reason, e.Reason, name)
	}
	_, ok := s.entry("ruled/hidden.txt")
	require.False(t, ok, "they may have meant it to be private")
	requireRefused(t, s, secret, reasons)

	// The same when they take the place of what was published.
	require.NoError(t, os.Remove(inDir("inside.txt")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.txt"), inDir("inside.txt")))
	s.eventually(30*time.Second, "the link is left out", func() bool {
		e, ok := s.entry("inside.txt")
		return ok && e.State == "left out"
	})
	requireRefused(t, s, secret, map[string]string{"inside.txt": ""})
	s.put("after.txt", []byte("also public"))
	s.published("after.txt", 30*time.Second)
}

// requireRefused asks for names in every form that there is, and for what clever people ask for.
func requireRefused(t *testing.T, s *server, secret string, names map[string]string) {
	t.Helper()
	paths := []string{
		"to%20private/secret.txt", "to%20private/", "to%20above/secret.txt", "ruled/hidden.txt", "ruled/.seedserver.toml",
		"..%2fprivate%2fsecret.txt", "%2e%2e/private/secret.txt", "inside.txt/..%2f..%2fprivate/secret.txt", ".//../private/secret.txt",
		"to%20private%2fsecret.txt", "secret.txt", "%00", "pipe%00.txt",
	}
	for name := range names {
		for _, form := range []string{"", ".torrent", ".magnet", "?torrent", "?magnet", "?page", "/"} {
			paths = append(paths, escapePath(name)+form)
		}
	}
	for _, path := range paths {
		body, resp := s.get(path)
		for range 3 { // a path that is written in another way may be redirected
			to := resp.Header.Get("Location")
			if to == "" || strings.Contains(to, "://") {
				break
			}
			body, resp = s.get(strings.TrimPrefix(to, "/"))
		}
		require.GreaterOrEqual(t, resp.StatusCode, http.StatusBadRequest, "%s: %s", path, body)
		require.Less(t, resp.StatusCode, http.StatusInternalServerError, "%s: %s", path, body)
		require.NotContains(t, string(body), secret, path)
	}
}
