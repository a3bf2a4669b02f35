package seedserver

import (
	"net/netip"
	"sync"
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

// TestWitness: a download counts when it is said to be complete, once for each client; and who announces is counted as a peer.
func TestWitness(t *testing.T) {
	l, err := ledger.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer l.Close()
	hash := metainfo.InfoHash{1}
	info := &metainfo.Info{PieceLength: 16 << 10, Pieces: make([]byte, 20), Files: []metainfo.File{{Length: 1000}}}
	one := &torrent{}
	one.awake.Store(&seeding{swarm: swarm.New(swarm.Config{Info: info})})
	one.version.Store(&catalog.Version{Record: catalog.Record{Path: "a", Stamp: catalog.Stamp{Size: 1000}, PieceLength: 16 << 10}})
	one.entry.Store(7)
	w := &witness{
		Store:    peerstore.New(peerstore.Config{}),
		torrents: &torrents{store: &store{ledger: l}, live: map[metainfo.InfoHash]*torrent{hash: one}},
	}
	now := time.Now()
	announce := func(client byte, event tracker.Event, left int64) {
		req := tracker.AnnounceRequest{
			InfoHash: hash, PeerID: [20]byte{client}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, client}), 1), Event: event, Left: left,
		}
		_, err := w.Announce(now, &req, new(tracker.AnnounceResponse))
		require.NoError(t, err)
	}
	counts := func() ledger.Counts {
		require.NoError(t, l.Flush(t.Context()))
		rows, err := l.Rows(t.Context(), ledger.RowQuery{Span: ledger.SpanEver, FileID: 7})
		require.NoError(t, err)
		require.Len(t, rows, 1)
		return rows[0].Counts
	}
	announce(1, tracker.EventStarted, 10)
	announce(2, tracker.EventStarted, 0)
	announce(2, tracker.EventNone, 0)
	require.Equal(t, ledger.Counts{Peers: 2}, counts(), "a seed has not downloaded now")
	announce(1, tracker.EventCompleted, 0)
	announce(1, tracker.EventCompleted, 0)
	announce(1, tracker.EventNone, 0)
	require.Equal(t, ledger.Counts{Peers: 2, Completed: 1, CompletedBytes: 1000}, counts())
	announce(3, tracker.EventCompleted, 5)
	require.EqualValues(t, 1, counts().Completed, "complete with something left is not complete")

	announce(4, tracker.EventStarted, 10)
	announce(4, tracker.EventStopped, 0)
	announce(5, tracker.EventStarted, 10)
	announce(5, tracker.EventStopped, 4)
	require.EqualValues(t, 2, counts().Completed, "who ends with its download need not say completed")

	// Many at once, each of them again and again.
	var clients sync.WaitGroup
	for client := byte(10); client < 30; client++ {
		clients.Go(func() {
			for range 5 {
				announce(client, tracker.EventCompleted, 0)
			}
		})
	}
	clients.Wait()
	require.EqualValues(t, 22, counts().Completed)

	unknown := tracker.AnnounceRequest{InfoHash: [20]byte{9}, Addr: netip.MustParseAddrPort("198.51.100.1:1"), Event: tracker.EventCompleted}
	_, err = w.Announce(now, &unknown, new(tracker.AnnounceResponse))
	require.NoError(t, err)
	require.EqualValues(t, 22, counts().Completed)
}
