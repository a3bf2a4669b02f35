package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// TestKilledAgainAndAgain: a server that is killed while it sends has always written down before that it may send as much, so that no
// number of crashes costs more than the budget.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newServer(t, "--web-seed", "--mode", "plain", "--tracker", "off", "--budget", "5TB/month")
	s.put("w.bin", content(1, 32<<20))
	s.start()
	s.published("w.bin", 20*time.Second)
	b, err := os.ReadFile(s.torrent("w.bin"))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(b), "/-/seed/")
	url := s.base + "/-/seed/" + rest[:41] + "w.bin"

	var received atomic.Int64
	for range 4 {
		start := received.Load()
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(func() {
				resp, err := http.Get(url)
				if err != nil {
					return
				}
				defer resp.Body.Close()
				buf := make([]byte, 64<<10)
				for err == nil {
					var n int
					n, err = resp.Body.Read(buf)
					received.Add(int64(n))
				}
				require.NotErrorIs(t, err, io.EOF, "it was to be killed on the way")
			})
		}
		s.eventually(20*time.Second, "something is sent", func() bool { return received.Load() > start+1<<20 })
		s.kill()
		clients.Wait()
		reserved := reservation(t, s.state)
		t.Logf("%d bytes arrived, %d were reserved", received.Load(), reserved)
		require.LessOrEqual(t, received.Load(), reserved)
		s.start()
	}
	s.stop()
	require.LessOrEqual(t, reservation(t, s.state), int64(5e12))
}

// reservation reads what a server that does not run has written down.
func reservation(t *testing.T, state string) int64 {
	t.Helper()
	l, err := ledger.Config{}.Open(t.Context(), state)
	require.NoError(t, err)
	defer l.Close()
	r, ok, err := l.Reservation(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	return r.Bytes
}
