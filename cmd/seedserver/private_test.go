package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// writeUsers writes an htpasswd file; each of lines is NAME:PASSWORD.
func writeUsers(t *testing.T, path string, lines ...string) {
	t.Helper()
	var text strings.Builder
	for _, line := range lines {
		name, password, _ := strings.Cut(line, ":")
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		require.NoError(t, err)
		fmt.Fprintf(&text, "%s:%s\n", name, hash)
	}
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
}

// torrentFor is torrent for a user, whose password is the name.
func (s *server) torrentFor(user, path string) string {
	s.t.Helper()
	credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+user))
	var name string
	s.eventually(20*time.Second, "the torrent of "+path+" for "+user, func() bool {
		body, resp := s.get(escapePath(path)+"?torrent", "Authorization", credentials)
		name = filepath.Join(s.t.TempDir(), "private.torrent")
		return resp.StatusCode == http.StatusOK && os.WriteFile(name, body, 0o644) == nil
	})
	return name
}

// tries lets each client try for a while to download what it must not get, all at the same time.
func tries(t *testing.T, source string, firstIP int) (outs []string) {
	ctx, cancel := context.WithTimeout(t.Context(), 14*time.Second) // transmission needs 10 s to begin
	defer cancel()
	var running []*exec.Cmd
	for i, c := range clients {
		out, bind := t.TempDir(), clientIP(firstIP+i)
		outs = append(outs, out)
		var cmd *exec.Cmd
		switch c.name {
		case "aria2":
			cmd = exec.CommandContext(ctx, "aria2c", "--no-conf", "--dir="+out, "--interface="+bind, "--listen-port=16882", "--enable-dht=false",
				"--enable-dht6=false", "--bt-enable-lpd=false", "--file-allocation=none", "--async-dns=false", "--disable-ipv6=true",
				"--bt-tracker-interval=2", source)
		case "libtorrent":
			cmd = exec.CommandContext(ctx, "/usr/bin/python3", "testdata/leech.py", source, out, bind, "16881")
		case "transmission":
			conf := t.TempDir()
			settings := fmt.Sprintf(`{"dht-enabled":false,"lpd-enabled":false,"utp-enabled":false,"port-forwarding-enabled":false,
				"bind-address-ipv4":%q,"peer-port":16883,"rpc-enabled":false,"watch-dir":%q,"watch-dir-enabled":true,
				"download-dir":%q,"preallocation":0}`, bind, conf, out)
			require.NoError(t, os.WriteFile(filepath.Join(conf, "settings.json"), []byte(settings), 0o644))
			torrent, err := os.ReadFile(source)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(conf, "x.torrent"), torrent, 0o644))
			cmd = exec.CommandContext(ctx, "transmission-daemon", "-f", "-g", conf)
		}
		require.NoError(t, cmd.Start())
		running = append(running, cmd)
	}
	for _, cmd := range running {
		cmd.Wait() // killed, or it gave up
	}
	return outs
}

// TestPrivateClients: real clients download a private file with the user's torrent; with another's key, or one that is revoked, they
// find no peer and get no byte.
func TestPrivateClients(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	users := filepath.Join(t.TempDir(), "users")
	writeUsers(t, users, "alice:alice", "bob:bob")
	s := newServer(t, "--users", users, "--log-dir", t.TempDir(), "--log-addresses", "full")
	s.put("alices/.seedserver.toml", []byte(`access.users = ["alice"]`))
	s.put("bobs/.seedserver.toml", []byte(`access.users = ["bob"]`))
	s.put("alices/secret.bin", content(1, 2<<20))
	s.put("bobs/other.bin", content(2, 1<<20))
	s.start()
	alices, bobs := s.torrentFor("alice", "alices/secret.bin"), s.torrentFor("bob", "bobs/other.bin")
	want := tree(t, s.dir)

	keyOf := func(torrent string) string {
		b, err := os.ReadFile(torrent)
		require.NoError(t, err)
		_, rest, ok := strings.Cut(string(b), "/announce/")
		require.True(t, ok)
		return rest[:32]
	}
	nothing := func(t *testing.T, source string, firstIP int) {
		sent := s.sums()["alices/secret.bin"].Sent
		for _, out := range tries(t, source, firstIP) {
			for path, sum := range tree(t, out) { // an empty file, or one without the content, may have been made
				require.NotEqual(t, want["alices/secret.bin"], sum, path)
			}
		}
		pause(3 * time.Second) // the ledger writes what it counted
		require.Equal(t, sent, s.sums()["alices/secret.bin"].Sent, "not a byte")
		for i := range clients {
			require.NotContains(t, transfers(t, s), clientIP(firstIP+i)+" ", "no peer")
		}
	}
	others := filepath.Join(t.TempDir(), "others.torrent")
	b, err := os.ReadFile(alices)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(others, []byte(strings.Replace(string(b), keyOf(alices), keyOf(bobs), 1)), 0o644))
	t.Run("another's key", func(t *testing.T) { nothing(t, others, 10) })
	t.Run("right", func(t *testing.T) {
		for i, c := range clients {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				out := t.TempDir()
				c.download(t, alices, out, clientIP(i))
				requireSame(t, want["alices/secret.bin"], filepath.Join(out, "secret.bin"))
			})
		}
	})
	t.Run("aria2 with a password", func(t *testing.T) {
		out := t.TempDir()
		runClient(t, "aria2c", "--no-conf", "--dir="+out, "--interface="+clientIP(5), "--listen-port=16882", "--enable-dht=false",
			"--bt-enable-lpd=false", "--seed-time=0", "--file-allocation=none", "--follow-torrent=mem", "--async-dns=false", "--disable-ipv6=true",
			"--http-user=alice", "--http-passwd=alice", s.url("alices/secret.bin"))
		requireSame(t, want["alices/secret.bin"], filepath.Join(out, "secret.bin"))
	})
	writeUsers(t, users, "alice:another", "bob:bob")
	s.eventually(10*time.Second, "the old password is none any more", func() bool {
		_, resp := s.get("alices/", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("alice:alice")))
		return resp.StatusCode != http.StatusOK
	})
	pause(3 * time.Second) // the ledger writes what it counted
	t.Run("revoked", func(t *testing.T) { nothing(t, alices, 20) })
}

// requireSame compares a file with a SHA-256 that tree gave.
func requireSame(t *testing.T, want, path string) {
	t.Helper()
	require.Equal(t, want, tree(t, filepath.Dir(path))[filepath.Base(path)])
}

// transfers is the server's log of the connections of peers.
func transfers(t *testing.T, s *server) string {
	t.Helper()
	for i, arg := range s.args {
		if arg == "--log-dir" {
			b, err := os.ReadFile(filepath.Join(s.args[i+1], "transfer.log"))
			require.NoError(t, err)
			return string(b)
		}
	}
	return ""
}
