package seedserver

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// TestTrackerKnowsLiars: our tracker does not hand out their addresses while it has others, tells them of nobody, and puts audited
// seeds first.
func TestTrackerKnowsLiars(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	hash := metainfo.InfoHash{1}
	info := &metainfo.Info{PieceLength: 16 << 10, Pieces: make([]byte, 20), Files: []metainfo.File{{Length: 1000}}}
	one := &torrent{}
	one.awake.Store(&seeding{swarm: swarm.New(swarm.Config{Info: info})})
	one.version.Store(&catalog.Version{Record: catalog.Record{Path: "a", Stamp: catalog.Stamp{Size: 1000}, PieceLength: 16 << 10}})
	peers := peerstore.New(peerstore.Config{})
	w := &witness{
		Store:    peers,
		torrents: &torrents{store: &store{ledger: l}, live: map[metainfo.InfoHash]*torrent{hash: one}},
	}
	now := time.Now()
	announce := func(addr string, left int64) []string {
		req := tracker.AnnounceRequest{
			InfoHash: hash, PeerID: [20]byte{addr[len(addr)-1]}, Addr: netip.MustParseAddrPort(addr), Event: tracker.EventStarted, Left: left, NumWant: 50,
		}
		var res tracker.AnnounceResponse
		_, err := w.Announce(now, &req, &res)
		require.NoError(t, err)
		var told []string
		for p := range res.Peers() {
			told = append(told, p.String())
		}
		return told
	}
	const early, late, honest, six = "198.51.100.1:1", "198.51.100.2:2", "198.51.100.3:3", "[2001:db8::1]:4"
	announce(early, 0)
	judge := one.judgedBy(hash, peers)
	judge(netip.MustParseAddrPort("198.51.100.1:0"), swarm.Liar) // where it listens is not known
	judge(netip.MustParseAddrPort("198.51.100.2:2"), swarm.Liar)
	judge(netip.MustParseAddrPort("[2001:db8::1]:0"), swarm.Liar)
	require.Equal(t, []string{early}, announce("198.51.100.9:9", 10), "there is nobody else")
	announce(late, 0)
	require.Empty(t, announce(early, 10), "a liar is told of nobody")
	announce(six, 0)
	announce(honest, 0)
	require.ElementsMatch(t, []string{honest, "198.51.100.9:9"}, announce("198.51.100.8:8", 10))

	judge(netip.MustParseAddrPort(honest), swarm.Holder)
	for range 10 {
		require.Equal(t, honest, announce("198.51.100.8:8", 10)[0])
	}
	judge(netip.MustParseAddrPort(honest), swarm.Unknown)
	later := false
	for range 1000 {
		later = later || slices.Index(announce("198.51.100.8:8", 10), honest) > 0
	}
	require.True(t, later, "now and then another is told first")
}
