package peerstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// checkInvariants verifies everything that must hold between two calls.
func checkInvariants(t testing.TB, s *Store) {
	t.Helper()
	torrents, peers := 0, 0
	for i := range s.shards {
		torrents += len(s.shards[i].swarms)
		for _, sw := range s.shards[i].swarms {
			peers += sw.len()
			checkTable(t, s, &sw.v4)
			checkTable(t, s, &sw.v6)
			var fresh swarm
			for _, p := range sw.v4.peers {
				require.False(t, p.shadow, "an IPv4 entry is a shadow")
				fresh.count(p.standing, 1)
			}
			for _, p := range sw.v6.peers {
				require.Equal(t, sw.v4.findID(p.id) >= 0, p.shadow, "shadow of id %d", p.id)
				if !p.shadow {
					fresh.count(p.standing, 1)
				}
			}
			require.Equal(t, [3]int{fresh.seeds, fresh.leeches, fresh.paused}, [3]int{sw.seeds, sw.leeches, sw.paused}, "counts")
		}
	}
	require.EqualValues(t, torrents, s.torrents.Load())
	require.EqualValues(t, peers, s.peers.Load())
}

func checkTable[A words](t testing.TB, s *Store, tab *table[A]) {
	t.Helper()
	slots := 0
	var narrow [tracker.Scopes]uint32
	for i, p := range tab.peers {
		require.Equal(t, i >= tab.leeches, p.standing.Seed(), "peer %d on the wrong side of %d", i, tab.leeches)
		require.Equal(t, i, tab.findAddr(&s.keys, p.addr, p.port), "found by address")
		slots++
		narrow[p.scope()]++
		if p.id != 0 {
			require.Equal(t, i, tab.findID(p.id), "found by id")
			slots++
		}
	}
	require.Equal(t, narrow[1:], tab.narrow[:], "peers of each scope")
	if tab.index.slots == nil {
		require.LessOrEqual(t, len(tab.peers), indexFrom, "a large table without an index")
		return
	}
	used := 0
	for _, s := range tab.index.slots {
		if s != 0 {
			used++
		}
	}
	require.Equal(t, slots, used, "slots in use")
	require.Equal(t, slots, tab.index.used)
	require.LessOrEqual(t, 6*used, 5*len(tab.index.slots), "the index is too full")
}
