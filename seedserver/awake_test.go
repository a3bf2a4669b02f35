package seedserver

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/tracker"
)

// shake connects to the peer port of srv and shakes hands for t.
func shake(t *testing.T, srv *Server, of *torrent) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.peer.Addr().String())
	require.NoError(t, err)
	h := peerwire.Handshake{InfoHash: of.infohash(), PeerID: peerwire.PeerID{'-', 'T', 'T', 1}}
	_, err = conn.Write(h.AppendTo(nil))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, infohash, err := peerwire.ReadHandshakeHead(conn)
	require.NoError(t, err)
	require.EqualValues(t, of.infohash(), infohash)
	return conn
}

// publishedIn starts a server that publishes one file, and returns its torrent.
func publishedIn(t *testing.T) (*Server, *torrent) {
	t.Helper()
	srv, dir, _ := running(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), make([]byte, 100<<10), 0o644))
	require.Eventually(t, func() bool { return len(srv.torrents.all()) == 1 }, 10*time.Second, 10*time.Millisecond)
	for _, one := range srv.torrents.all() {
		return srv, one
	}
	return nil, nil
}

// TestTorrentsSleep: a torrent has no swarm until a peer comes for it, keeps it while somebody is there, and what its picker
// knows when it has fallen asleep.
func TestTorrentsSleep(t *testing.T) {
	srv, one := publishedIn(t)
	require.Nil(t, one.awake.Load(), "nobody came yet")
	require.Len(t, one.availability(), 7, "seven pieces, which nobody has")
	require.Eventually(t, func() bool { return status(t, srv, "a") == http.StatusOK }, 10*time.Second, 10*time.Millisecond)
	require.Nil(t, one.awake.Load(), "reading it by HTTP needs no swarm")

	conn := shake(t, srv, one)
	require.Eventually(t, func() bool { return one.stats().Peers == 1 }, 10*time.Second, time.Millisecond)
	now := time.Now()
	srv.torrents.lullAlone(now)
	srv.torrents.lullAlone(now.Add(time.Hour))
	require.NotNil(t, one.awake.Load(), "somebody is connected")

	conn.Close()
	require.Eventually(t, func() bool { return one.stats().Peers == 0 }, 10*time.Second, time.Millisecond)
	srv.torrents.savePickers(t.Context())
	srv.torrents.lullAlone(now)
	srv.torrents.lullAlone(now.Add(sleepAfter - time.Second))
	require.NotNil(t, one.awake.Load(), "they may come back")
	srv.torrents.lullAlone(now.Add(sleepAfter))
	require.Nil(t, one.awake.Load())
	require.NotEmpty(t, srv.pickers.loaded[one.infohash()], "for the next swarm")

	conn = shake(t, srv, one)
	defer conn.Close()
	require.Eventually(t, func() bool { return one.stats().Peers == 1 }, 10*time.Second, time.Millisecond)
	require.Empty(t, srv.pickers.loaded[one.infohash()], "taken")
}

// TestPausedWhileAsleep: a torrent whose bytes are being checked wakes paused.
func TestPausedWhileAsleep(t *testing.T) {
	srv, one := publishedIn(t)
	h := one.infohash()
	srv.torrents.Pause(h)
	require.True(t, one.stats().Paused)
	conn := shake(t, srv, one)
	defer conn.Close()
	require.True(t, one.stats().Paused)
	require.NoError(t, srv.torrents.Resume(one.version.Load()))
	require.False(t, one.stats().Paused)
}

// TestRetiredStaysAsleep: who comes for a torrent that ended is turned away, also if it was found a moment before.
func TestRetiredStaysAsleep(t *testing.T) {
	srv, one := publishedIn(t)
	conn := shake(t, srv, one)
	defer conn.Close()
	srv.torrents.Retire(one.infohash(), "removed")
	_, err := io.Copy(io.Discard, conn)
	require.NoError(t, err, "a clean end")
	require.Nil(t, srv.torrents.wake(one))
	require.Nil(t, srv.torrents.swarmOf(one.infohash()))
}

// TestAnnounceWakes: a leech that announces wakes the torrent, a seed or one that leaves does not.
func TestAnnounceWakes(t *testing.T) {
	srv, one := publishedIn(t)
	w := &witness{Store: srv.peers, torrents: srv.torrents}
	for _, tt := range []struct {
		left  int64
		event tracker.Event
		wakes bool
	}{{0, tracker.EventNone, false}, {10, tracker.EventStopped, false}, {10, tracker.EventStarted, true}} {
		w.heardOf(one, &tracker.AnnounceRequest{Left: tt.left, Event: tt.event})
		require.Equal(t, tt.wakes, one.awake.Load() != nil, "%+v", tt)
	}
}

// TestLimitsOfSleepers: a limit for each torrent holds for what is read by HTTP, too.
func TestLimitsOfSleepers(t *testing.T) {
	srv, one := publishedIn(t)
	require.Same(t, srv.limit, srv.torrents.limitOf(one))
	srv.torrents.setRate(5000)
	require.EqualValues(t, 5000, srv.torrents.limitOf(one).Rate())
	srv.torrents.setRate(6000)
	require.EqualValues(t, 6000, srv.torrents.limitOf(one).Rate())
}

// TestLostTorrentIsHashedAgain: the info dict that a torrent needs to wake is read from the state. If it is not there, or is that
// of another one, the file is hashed again.
func TestLostTorrentIsHashedAgain(t *testing.T) {
	srv, one := publishedIn(t)
	h := one.infohash()
	path := filepath.Join(srv.cfg.State, "torrents", h.String()+".torrent")
	for name, lose := range map[string]func() error{
		"missing": func() error { return os.Remove(path) },
		"another": func() error {
			return os.WriteFile(path, []byte("d4:infod6:lengthi1e4:name1:b12:piece lengthi1e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sleeps := func() {
				one.mu.Lock()
				defer one.mu.Unlock()
				srv.torrents.lull(one)
			}
			require.Eventually(t, func() bool { // what the loss before asked for may still be written
				if err := lose(); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
				if srv.torrents.wake(one) == nil {
					return true
				}
				sleeps()
				return false
			}, 20*time.Second, 10*time.Millisecond)
			require.Eventually(t, func() bool { return srv.torrents.wake(one) != nil }, 20*time.Second, 10*time.Millisecond)
			sleeps()
		})
	}
}
