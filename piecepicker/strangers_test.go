package piecepicker

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Strangers who come for what is needed, again and again, leave most of the line to who passes pieces on.
func TestStrangersLeaveRoom(t *testing.T) {
	const turns = 500
	var toKnown, toStrangers int
	p := New(Config{Length: 4096 << 14, PieceLength: 1 << 14, Mode: Conservative, MaxRate: 1 << 20}, rand.New(rand.NewPCG(1, 2)))
	now := time.Unix(1000, 0)
	join := func(addr netip.Addr) Peer {
		id := p.PeerJoined(now, PeerInfo{Addr: addr})
		p.PeerHaveNone(now, id)
		p.PeerInterested(now, id, true)
		return id
	}
	var known []Peer
	for i := range 4 {
		id := join(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}))
		known = append(known, id)
		q := p.peers[id]
		q.trust, q.relay.window = Proven, 16
		p.judge(q)
		p.touch(q)
	}
	var strangers []Peer
	for i := range 60 {
		strangers = append(strangers, join(netip.AddrFrom4([4]byte{11, byte(i), 0, 1})))
	}
	var line []Decision // a piece leaves each turn
	for turn := range turns {
		now = now.Add(time.Second / 64)
		for _, d := range p.Tick(now, nil) {
			if d.Kind == KindOffer {
				line = append(line, d)
			}
		}
		line = slices.DeleteFunc(line, func(d Decision) bool { return p.peers[d.Peer] == nil })
		if len(line) == 0 {
			continue
		}
		d := line[0]
		line = line[1:]
		p.BlockSent(now, d.Peer, d.Piece, 0, 1<<14)
		if slices.Contains(known, d.Peer) {
			toKnown++
			for _, id := range known {
				p.PeerHas(now, id, d.Piece)
			}
		} else if i := slices.Index(strangers, d.Peer); i >= 0 { // it is gone, and another comes
			toStrangers++
			p.PeerLeft(now, d.Peer)
			strangers[i] = join(netip.AddrFrom4([4]byte{12, byte(turn >> 8), byte(turn), byte(i)}))
		}
		require.NoError(t, p.check())
	}
	t.Logf("%d pieces to four who are known, %d to sixty strangers", toKnown, toStrangers)
	require.Greater(t, toKnown, 3*toStrangers)
}

// The last that is needed is for those who take it as long as they do: a slow one does not keep it from others.
func TestStrangersWaitForTheLastOnlyWhileItGoes(t *testing.T) {
	w := draw(t, Config{MaxRate: 16 * blocks * unit}, 32, "k\ns")
	k := w.p.peers[w.ids["k"]]
	k.trust, k.relay.window = Proven, 16
	w.p.judge(k)
	w.p.touch(k)
	w.next()
	require.NotEmpty(t, w.loans("k"))
	require.False(t, w.p.strangersWait(), "nobody let lie anything")
	w.p.wasted = w.p.now + time.Minute
	require.True(t, w.p.strangersWait())
	w.p.now += blockedAfter
	require.False(t, w.p.strangersWait(), "k takes its time")
}
