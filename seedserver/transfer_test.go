package seedserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// A client at one address of the machine asks from there for a torrent, too: the other network may not be meant to know of it.
func TestLookupLeavesFromItsAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	c, err := NewClient(t.Context(), ClientConfig{Peer: "127.0.0.2:0", NoDHT: true, NoLocal: true})
	if err != nil {
		t.Log("no second address of this machine:", err)
		return
	}
	defer c.ln.Close()
	magnet := metainfo.Magnet{HasInfoHash: true, InfoHash: metainfo.InfoHash{1}}
	lookup, err := c.NewLookup(magnet, []netip.AddrPort{boundAddr(ln)}, false)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = lookup.Run(ctx)
	}()
	conn, err := ln.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, "127.0.0.2", netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr().String())
	cancel()
	<-ended
}

// A peer that a magnet link names by its host's name is asked like one that it names by its address (BEP 9).
func TestLookupResolvesPeers(t *testing.T) {
	torrent, peers := seedOf(t, "x", letters(100_000))
	magnet := metainfo.Magnet{HasInfoHash: true, InfoHash: torrent.InfoHash, Peers: []string{fmt.Sprintf("localhost:%d", peers[0].Port())}}
	lookup, err := runClient(t, ClientConfig{}).NewLookup(magnet, nil, false)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, found, err := lookup.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, torrent.InfoBytes, got.InfoBytes)
	require.Contains(t, found, peers[0], "the download asks it, too")
}

// letters returns n bytes that do not repeat themselves.
func letters(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(26))
	}
	return string(b)
}

// runClient runs a client until the test ends.
func runClient(t *testing.T, cfg ClientConfig) *Client {
	t.Helper()
	cfg.Peer, cfg.NoDHT, cfg.NoLocal = "127.0.0.1:0", true, true
	c, err := NewClient(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

// runTransfer runs a transfer until stop is called, which returns what Run did.
func runTransfer(t *testing.T, c *Client, cfg TransferConfig) (tr *Transfer, stop func() error) {
	t.Helper()
	tr, err := c.NewTransfer(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tr.Run(ctx) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			_ = stop()
		}
	})
	return tr, stop
}

// seedOf seeds data under a name, and returns its torrent and where the seed is.
func seedOf(t *testing.T, name, data string) (*metainfo.Torrent, []netip.AddrPort) {
	t.Helper()
	dir := t.TempDir()
	putTorrent(t, dir, "x", data)
	raw, err := os.ReadFile(filepath.Join(dir, "x.torrent"))
	require.NoError(t, err)
	raw = []byte(strings.Replace(string(raw), "4:name1:x", "4:name"+bencoded(name), 1))
	torrent, err := metainfo.Parse(raw)
	require.NoError(t, err)
	c := runClient(t, ClientConfig{})
	seed, _ := runTransfer(t, c, TransferConfig{Torrent: torrent, Path: filepath.Join(dir, "x")})
	ends(t, seed.Done())
	return torrent, []netip.AddrPort{c.Addr()}
}

func bencoded(s string) string { return fmt.Sprintf("%d:%s", len(s), s) }

func ends(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		require.FailNow(t, "not in time")
	}
}

// A file that is removed while it is downloaded is not taken for complete, neither then nor the next time.
func TestTransferNoticesThatItsFileIsGone(t *testing.T) {
	data := letters(1 << 20)
	torrent, peers := seedOf(t, "x", data)
	cfg := TransferConfig{Torrent: torrent, Path: filepath.Join(t.TempDir(), "x"), Peers: peers}
	c := runClient(t, ClientConfig{MaxDown: 32 << 10}) // two pieces of 64 a second: it is far from complete when the file goes
	tr, stop := runTransfer(t, c, cfg)
	require.Eventually(t, func() bool { return tr.Status().Swarm.Have > 0 }, 20*time.Second, time.Millisecond)
	require.NoError(t, os.Remove(cfg.Path))
	c.down.SetRate(0)
	require.Eventually(t, func() bool { return tr.Status().Phase == Stopped }, 20*time.Second, time.Millisecond)
	require.ErrorContains(t, stop(), "lost while it was written")
	require.False(t, isDone(tr))

	again, _ := runTransfer(t, runClient(t, ClientConfig{}), cfg)
	ends(t, again.Done())
	got, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)
	require.True(t, string(got) == data)
}

func isDone(tr *Transfer) bool {
	select {
	case <-tr.Done():
		return true
	default:
		return false
	}
}

// A longer file that is replaced leaves nothing behind.
func TestTransferReplacesALongerFile(t *testing.T) {
	data := letters(100_000)
	torrent, peers := seedOf(t, "x", data)
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, make([]byte, 200_000), 0o644))
	tr, _ := runTransfer(t, runClient(t, ClientConfig{}), TransferConfig{Torrent: torrent, Path: path, Peers: peers, Overwrite: true})
	ends(t, tr.Done())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, data, string(got))
}

// With --overwrite, too, a directory is not written to for ever.
func TestTransferRefusesADirectoryInTheWay(t *testing.T) {
	torrent, _ := seedOf(t, "x", letters(100_000))
	tr, err := runClient(t, ClientConfig{}).NewTransfer(TransferConfig{Torrent: torrent, Path: t.TempDir(), Overwrite: true})
	require.NoError(t, err)
	require.ErrorContains(t, tr.Run(t.Context()), "--saveas")
}

// A directory to save to may be a link to where there is room.
func TestTransferFollowsALinkToItsDirectory(t *testing.T) {
	data := letters(100_000)
	torrent, peers := seedOf(t, "x", data)
	many := *torrent
	many.InfoBytes = []byte(strings.Replace(string(torrent.InfoBytes), "6:lengthi100000e", "5:filesld6:lengthi100000e4:pathl1:yeee", 1))
	info, err := metainfo.ParseInfo(many.InfoBytes)
	require.NoError(t, err)
	many.Info = info
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Log("no links here:", err)
		return
	}
	tr, _ := runTransfer(t, runClient(t, ClientConfig{}), TransferConfig{Torrent: &many, Path: link, Peers: peers})
	ends(t, tr.Done())
	got, err := os.ReadFile(filepath.Join(real, "y"))
	require.NoError(t, err)
	require.Equal(t, data, string(got))
}

// The record of a file with as long a name as there can be has a shorter one.
func TestTransferRemembersALongName(t *testing.T) {
	name := strings.Repeat("n", 251) + ".bin"
	torrent, peers := seedOf(t, name, letters(1<<20))
	cfg := TransferConfig{Torrent: torrent, Path: filepath.Join(t.TempDir(), torrent.Info.Name), Peers: peers}
	tr, stop := runTransfer(t, runClient(t, ClientConfig{MaxDown: 256 << 10}), cfg)
	require.Eventually(t, func() bool { return tr.Status().Have > 0 }, 20*time.Second, time.Millisecond)
	require.Equal(t, context.Canceled.Error(), stop().Error(), "and nothing else")
	again, err := runClient(t, ClientConfig{}).NewTransfer(cfg)
	require.NoError(t, err)
	defer again.close()
	record, err := storage.LoadRecord(again.records.Root, again.record)
	require.NoError(t, err)
	require.NotZero(t, record.Pieces)
}

// slowToLeave runs a tracker that answers nobody who takes leave before let is called, and returns its URL.
func slowToLeave(t *testing.T) (announce string, let func()) {
	leave := make(chan struct{})
	let = sync.OnceFunc(func() { close(leave) })
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("event") == "stopped" {
			<-leave
		}
		w.Write([]byte("d8:intervali1800e5:peers0:e"))
	}))
	t.Cleanup(func() { let(); tracker.Close() })
	return tracker.URL + "/announce", let
}

// A torrent that is stopped and started anew while its tracker is slow to take leave is there for its peers.
func TestTransferOutlivesTheLeaveOfTheOneBefore(t *testing.T) {
	tracker, leave := slowToLeave(t)
	torrent, _ := seedOf(t, "x", letters(100_000))
	tracked := *torrent
	tracked.Announce = tracker
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, []byte(letters(100_000)), 0o644))
	c := runClient(t, ClientConfig{})
	cfg := TransferConfig{Torrent: &tracked, Path: path, Private: true}
	first, stop := runTransfer(t, c, cfg)
	ends(t, first.Done())
	require.Eventually(t, func() bool {
		s := first.session.Load() // nil at first: what is complete is so before anybody is told
		return s != nil && len(s.Contacts()) > 0 && s.Contacts()[0].Working
	}, 10*time.Second, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	second, _ := runTransfer(t, c, cfg)
	ends(t, second.Done())
	leave()
	<-stopped
	leech, _ := runTransfer(t, runClient(t, ClientConfig{}), TransferConfig{
		Torrent: torrent, Path: filepath.Join(t.TempDir(), "x"), Peers: []netip.AddrPort{c.Addr()},
	})
	ends(t, leech.Done())
}
