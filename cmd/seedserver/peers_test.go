package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// meet runs a leech that knows nobody but whom its options name, and returns what it says of whom it met.
func meet(t *testing.T, source, bind string, options ...string) string {
	t.Helper()
	out, err := tryToMeet(t.Context(), source, t.TempDir(), bind, options...)
	require.NoError(t, err, "%v: %s", options, out)
	return out
}

// tryToMeet is meet for a leech that saves in dir.
func tryToMeet(ctx context.Context, source, dir, bind string, options ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Second)
	defer cancel()
	args := append([]string{"testdata/meet.py", source, dir, bind, "16881"}, options...)
	out, err := exec.CommandContext(ctx, "/usr/bin/python3", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestLeechesMeetThroughUs: two leeches that know nobody but us learn of each other by peer exchange (BEP 11).
func TestLeechesMeetThroughUs(t *testing.T) {
	t.Parallel()
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	for n, mode := range []string{"plain", "conservative"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "--mode", mode, "--tracker", "off", "--lsd", "off", "--max-up", "32KiB/s", "--piece-length", "32KiB").at(clientIP(100 + n))
			s.start()
			s.put("release.iso", content(11, 8<<20))
			s.published("release.iso", 30*time.Second)
			source, one, two := s.torrent("release.iso"), clientIP(10*n), clientIP(10*n+1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := exec.CommandContext(ctx, "/usr/bin/python3", "testdata/meet.py", source, t.TempDir(), one, "16881", "peer="+s.peer)
			require.NoError(t, first.Start())
			defer func() { cancel(); first.Wait() }()
			require.Contains(t, meet(t, source, two, "peer="+s.peer, "until="+one, "source=pex"), "pex")
		})
	}
}

// TestLocalPeersFindEachOther: a leech on our network that knows nobody finds us by our announces, and is found by its own (BEP 14).
func TestLocalPeersFindEachOther(t *testing.T) {
	t.Parallel()
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	requireTool(t, "ip", "iproute2")
	out, err := exec.Command("ip", "link", "set", "lo", "multicast", "on").CombinedOutput()
	require.NoError(t, err, "%s", out)
	start := func(t *testing.T, ip string, args ...string) (s *server, source string) {
		s = newServer(t, append([]string{"--tracker", "off"}, args...)...).at(ip)
		s.start()
		s.put("release.iso", content(12, 1<<20))
		s.published("release.iso", 30*time.Second)
		return s, s.torrent("release.iso")
	}
	// Slowly, so that there is a moment to see them connected: two seeds hang up.
	s, source := start(t, clientIP(100), "--max-up", "256KiB/s")
	t.Run("it finds us", func(t *testing.T) {
		s.stop()
		dir, met := t.TempDir(), make(chan string, 1)
		go func() {
			out, err := tryToMeet(t.Context(), source, dir, clientIP(0), "lsd=1", "until="+clientIP(100), "source=lsd")
			met <- strings.TrimSpace(fmt.Sprint(out, " ", err))
		}()
		// We announce when we start, before we dial. It is to be there by then, which can take it a while.
		for range 5 {
			<-time.After(5 * time.Second)
			s.start()
			select {
			case out := <-met:
				require.Equal(t, "lsd outgoing <nil>", out)
				return
			case <-time.After(10 * time.Second):
			}
			s.stop()
		}
		require.Fail(t, "it does not find us")
	})
	t.Run("we find it", func(t *testing.T) {
		meet(t, source, clientIP(1), "lsd=1", "dials=0") // it gets all of it, and cannot dial
	})
	s.stop()
	t.Run("off", func(t *testing.T) {
		_, source := start(t, clientIP(100), "--lsd", "off")
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		args := []string{"testdata/meet.py", source, t.TempDir(), clientIP(2), "16881", "lsd=1"}
		require.Error(t, exec.CommandContext(ctx, "/usr/bin/python3", args...).Run())
		require.Error(t, ctx.Err(), "it waits in vain")
	})
}

// TestLeechThatDialsNobody: transmission dials no peer at 127.x, so it gets something only if we dial it.
func TestLeechThatDialsNobody(t *testing.T) {
	t.Parallel()
	requireTool(t, "transmission-daemon", "transmission-daemon")
	requireTool(t, "transmission-remote", "transmission-cli")
	if !inNamespace(t) {
		return
	}
	s := newServer(t).at("127.0.0.2")
	s.start()
	s.put("release.iso", content(13, 3<<20))
	s.published("release.iso", 30*time.Second)
	want, out := tree(t, s.dir), t.TempDir()
	transmission(t, s.torrent("release.iso"), out, "127.0.0.3")
	requireCopy(t, want, "release.iso", out)
}
