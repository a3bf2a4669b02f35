package seedserver

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// join announces n leeches of a torrent to store.
func join(t *testing.T, store *peerstore.Store, infohash [20]byte, n int) {
	for i := range n {
		_, err := store.Announce(time.Now(), &tracker.AnnounceRequest{
			InfoHash: infohash, Left: 5, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), uint16(1000+i))}, new(tracker.AnnounceResponse))
		require.NoError(t, err)
	}
}

// The page of a tracker of many torrents shows the largest, and the sums of all.
func TestSurveyShowsTheLargest(t *testing.T) {
	store := peerstore.New(peerstore.Config{})
	number := func(i int) (h [20]byte) {
		binary.BigEndian.PutUint32(h[16:], uint32(i))
		return h
	}
	for i := range 3*surveyRows + 7 {
		join(t, store, number(i), 1+i%2)
	}
	join(t, store, number(5), 9)
	s := &survey{peers: store, about: func(row *web.TrackerTorrent) bool {
		return row.InfoHash != number(6) // one that is not to be shown
	}}
	now := time.Unix(1e9, 0)
	table := s.table(now)
	require.Len(t, table.Torrents, surveyRows)
	require.EqualValues(t, number(5), table.Torrents[0].InfoHash)
	require.Equal(t, 9, table.Torrents[0].Downloading)
	require.Equal(t, 2, table.Torrents[surveyRows-1].Downloading)
	require.Equal(t, 3*surveyRows+6, table.Total.Torrents)
	require.Equal(t, 9, table.Total.Addresses)
	require.Equal(t, table.Total.Downloading, table.Total.Connections, "those of the one that is not shown are not counted")

	join(t, store, number(1<<20), 1)
	require.Equal(t, table.Total, s.table(now.Add(surveyEvery-1)).Total, "it is not made for each who looks")
	require.Equal(t, 3*surveyRows+7, s.table(now.Add(surveyEvery)).Total.Torrents)
}

// Swarms are saved every minute and at the end, peers that fall silent are forgotten, and not before the time they were told is over.
func TestKeepPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Minute
		life := interval * 3 / 2
		path := filepath.Join(t.TempDir(), "swarms")
		store := peerstore.New(peerstore.Config{TTL: life})
		pace := admission.NewPace(interval, 0.01) // 12 peers are asked to come every 20 minutes
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			keepPeers(ctx, store, pace, life, path, newTroubles(slog.New(slog.DiscardHandler)))
		}()
		join(t, store, [20]byte{1}, 12)
		time.Sleep(keepPeersEvery + time.Second)
		synctest.Wait()
		require.Equal(t, 20*time.Minute, pace.Interval())
		require.FileExists(t, path)
		time.Sleep(28 * time.Minute)
		synctest.Wait()
		require.Equal(t, 12, store.Stats().Peers4, "they were told 20 minutes")
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		require.Zero(t, store.Stats().Peers4)
		require.Equal(t, interval, pace.Interval())

		require.NoError(t, os.Remove(path))
		cancel()
		<-done
		require.FileExists(t, path, "once more at the end")
	})
}

// What a stranger's packet says stands in a log without control characters, and its path without its key.
func TestPacketsInTheLog(t *testing.T) {
	var out strings.Builder
	cfg := Config{AccessLog: &out, LogAddresses: "truncated"}
	l, err := openLogs(&cfg)
	require.NoError(t, err)
	log := l.logPackets()
	require.NotNil(t, log)
	req := packetOf("/announce/secret?x=1")
	log(req)
	require.NoError(t, l.close())
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "192.0.2.0 - - [")
	require.Contains(t, out.String(), `"GET /announce?info_hash=aaaaaaaaaaaaaaaaaaaa&port=6881&uploaded=1&downloaded=2&left=3&event=started HTTP/1.1" 200 26 "-" "UDP -X\x0A\x22\x00\xFF00"`)
	require.NotContains(t, out.String(), "secret")
}

// packetOf is an announce as the UDP server tells of it.
func packetOf(path string) udptracker.Access {
	req := &udptracker.AnnounceRequest{Path: []byte(path)}
	copy(req.InfoHash[:], "aaaaaaaaaaaaaaaaaaaa")
	copy(req.PeerID[:], "-X\n\"\x00\xff00-secret")
	req.Addr = netip.MustParseAddrPort("192.0.2.77:6881")
	req.Uploaded, req.Downloaded, req.Left, req.Event = 1, 2, 3, tracker.EventStarted
	return udptracker.Access{Time: time.Now(), From: netip.MustParseAddrPort("192.0.2.77:999"), Request: req, Bytes: 26}
}
