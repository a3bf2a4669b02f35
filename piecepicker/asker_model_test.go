package piecepicker

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// askerModel knows what each peer was asked for, the slow way.
type askerModel struct {
	a      *Asker
	now    time.Time
	peers  []Peer
	asked  map[Peer]map[Block]bool
	full   map[uint32]bool
	liars  map[Peer]bool
	wrong  map[Block]bool // blocks of the pieces begun that a liar sent
	blamed map[Peer]bool
}

func (m *askerModel) peer(t *rapid.T) Peer {
	if len(m.peers) == 0 {
		t.Skip("nobody there")
	}
	return rapid.SampledFrom(m.peers).Draw(t, "peer")
}

func (m *askerModel) digests(i uint32) (d []Digest) {
	for begin := int64(0); begin < m.a.pieceSize(i); begin += BlockSize {
		at, _ := m.a.place(Block{i, uint32(begin), uint32(min(BlockSize, m.a.pieceSize(i)-begin))})
		var digest Digest
		if m.wrong[m.a.block(at)] {
			digest[0] = 1
		}
		d = append(d, digest)
	}
	return d
}

// judged hashes a full piece: it has its hash unless a liar sent a block of it.
func (m *askerModel) judged(t *rapid.T, i uint32) {
	delete(m.full, i)
	digests, bad := m.digests(i), false
	for b := range m.wrong {
		bad = bad || b.Index == i
	}
	var culprits []Culprit
	if bad {
		culprits = m.a.Corrupt(i, digests)
		require.False(t, m.a.Has(i))
	} else {
		culprits = m.a.Verified(i, digests)
		require.True(t, m.a.Has(i))
	}
	for b := range m.wrong {
		if b.Index == i {
			delete(m.wrong, b)
		}
	}
	for _, c := range culprits {
		require.True(t, m.liars[c.Peer], "peer %d never lied", c.Peer)
		m.blamed[c.Peer] = true
	}
}

func (m *askerModel) received(t *rapid.T, id Peer, b Block) {
	got := m.a.Received(m.now, id, b)
	wasAsked := m.asked[id][b]
	delete(m.asked[id], b)
	require.False(t, wasAsked && got.Fate == Unasked, "%v was asked of peer %d", b, id)
	if got.Fate == Useful && m.liars[id] {
		m.wrong[b] = true
	}
	for _, other := range got.Cancel {
		require.True(t, m.asked[other][b], "peer %d was not asked for %v", other, b)
		delete(m.asked[other], b)
	}
	if got.Full {
		m.full[b.Index] = true
	}
}

// Whatever happens, the Asker's books are right, no block is asked twice of one peer or of one that lacks it, nobody is blamed who did
// not lie, and with an honest seed at the end the torrent becomes complete.
func TestAskerModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "pieces")
		cfg := AskerConfig{
			PieceLength: rapid.Int64Range(1, 4*BlockSize).Draw(t, "piece length"),
			MaxStarted:  rapid.Int64Range(1, 20*BlockSize).Draw(t, "room"),
			Have:        rapid.SliceOfN(rapid.Byte(), 0, 2).Draw(t, "have"),
		}
		cfg.Length = cfg.PieceLength*int64(n-1) + rapid.Int64Range(1, cfg.PieceLength).Draw(t, "last")
		m := &askerModel{
			a: NewAsker(cfg, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))), now: askerStart,
			asked: map[Peer]map[Block]bool{}, full: map[uint32]bool{}, liars: map[Peer]bool{}, wrong: map[Block]bool{}, blamed: map[Peer]bool{},
		}
		index := func(t *rapid.T) uint32 { return rapid.Uint32Range(0, uint32(n)).Draw(t, "piece") }
		join := func(liar bool) Peer {
			id := m.a.PeerJoined(m.now, netip.AddrPort{})
			m.peers = append(m.peers, id)
			m.asked[id], m.liars[id] = map[Block]bool{}, liar
			return id
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { require.NoError(t, m.a.checkInvariants()) },
			"join": func(t *rapid.T) {
				if len(m.peers) < 6 {
					join(rapid.Bool().Draw(t, "liar"))
				}
			},
			"leave": func(t *rapid.T) {
				id := m.peer(t)
				m.a.PeerLeft(id)
				delete(m.asked, id)
				for k, other := range m.peers {
					if other == id {
						m.peers = append(m.peers[:k], m.peers[k+1:]...)
						break
					}
				}
			},
			"has":      func(t *rapid.T) { m.a.PeerHas(m.peer(t), index(t)) },
			"lost":     func(t *rapid.T) { m.a.PeerLost(m.peer(t), index(t)) },
			"hasAll":   func(t *rapid.T) { m.a.PeerHasAll(m.peer(t)) },
			"hasNone":  func(t *rapid.T) { m.a.PeerHasNone(m.peer(t)) },
			"bitfield": func(t *rapid.T) { m.a.PeerBitfield(m.peer(t), rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "bits")) },
			"ask": func(t *rapid.T) {
				id := m.peer(t)
				for _, b := range m.a.Ask(m.now, id, rapid.IntRange(0, 12).Draw(t, "n"), nil) {
					require.False(t, m.asked[id][b], "%v asked twice of peer %d", b, id)
					require.True(t, m.a.peers[id].has(b.Index))
					require.False(t, m.a.Has(b.Index))
					m.asked[id][b] = true
				}
				require.Equal(t, len(m.asked[id]), m.a.Owes(id))
			},
			"answer": func(t *rapid.T) {
				id := m.peer(t)
				for b := range m.asked[id] {
					m.received(t, id, b)
					return
				}
			},
			"anything": func(t *rapid.T) {
				m.received(t, m.peer(t), Block{index(t), rapid.Uint32Range(0, 4).Draw(t, "block") * BlockSize, BlockSize})
			},
			"reject": func(t *rapid.T) {
				id := m.peer(t)
				for b := range m.asked[id] {
					require.True(t, m.a.Rejected(id, b))
					delete(m.asked[id], b)
					return
				}
			},
			"choke": func(t *rapid.T) {
				id := m.peer(t)
				m.a.PeerChoked(id)
				clear(m.asked[id])
			},
			"later": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "seconds")) * time.Second)
				for _, id := range m.a.Advance(m.now) {
					clear(m.asked[id])
				}
			},
			"hash": func(t *rapid.T) {
				for i := range m.full {
					m.judged(t, i)
					return
				}
			},
			"failed": func(t *rapid.T) {
				for i := range m.full {
					m.a.Failed(i)
					delete(m.full, i)
					for b := range m.wrong {
						if b.Index == i {
							delete(m.wrong, b)
						}
					}
					return
				}
			},
		})
		for i := range m.full {
			m.judged(t, i)
		}
		for _, id := range m.peers {
			m.a.PeerLeft(id)
		}
		seed := join(false)
		m.a.PeerHasAll(seed)
		for rounds := 0; !m.a.Done(); rounds++ {
			require.Less(t, rounds, 200)
			for _, b := range m.a.Ask(m.now, seed, 3, nil) {
				m.asked[seed][b] = true
			}
			for b := range m.asked[seed] {
				m.received(t, seed, b)
			}
			for i := range m.full {
				m.judged(t, i)
			}
			require.NoError(t, m.a.checkInvariants())
		}
	})
}
