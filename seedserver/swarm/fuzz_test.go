package swarm

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// FuzzConversation plays what a peer may send to the loop, read by read, without a socket or a goroutine: whatever it is, nothing
// panics, what waits for the peer stays bounded, every promise can be kept, and a peer that is dropped is not counted.
func FuzzConversation(f *testing.F) {
	encode := func(m ...peerwire.Message) []byte {
		var b []byte
		for _, m := range m {
			b = peerwire.Append(b, m)
		}
		return b
	}
	f.Add(encode(append(requests(0, 0, 16), peerwire.Cancel{Begin: block, Length: block}, peerwire.Interested{})...), true)
	f.Add(encode(peerwire.Extended{Payload: extension.Handshake{IDs: extension.NewIDs(extension.MetadataName)}.AppendTo(nil)},
		metadataOf(3, 0), metadataOf(3, 9)), true)
	told := extension.PEX{Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("127.0.0.1:7000")}}}.AppendTo(nil)
	f.Add(encode(peerwire.Extended{Payload: extension.Handshake{IDs: extension.NewIDs(extension.PEXName), Port: 7000}.AppendTo(nil)},
		peerwire.Extended{ID: ourPEX, Payload: told}, peerwire.Extended{ID: ourPEX, Payload: told}), true)
	f.Add(encode(peerwire.HaveAll{}, peerwire.HaveNone{}, peerwire.BitfieldMessage{Bits: []byte{0xf0}}, peerwire.Have{Index: 3}), true)
	f.Add(encode(peerwire.HaveAll{}, peerwire.Interested{}), false)
	f.Add(encode(peerwire.HaveAll{}, peerwire.Unchoke{}, peerwire.Reject{Length: block}, peerwire.Choke{}, peerwire.Unchoke{},
		peerwire.Piece{Data: make([]byte, block)}, peerwire.Piece{Index: 3, Data: make([]byte, 100)},
		peerwire.Extended{ID: 1, Payload: extension.DontHave{Index: 2}.AppendTo(nil)}), true)
	f.Add(encode(peerwire.Request{Begin: 0xffffff00, Length: 0x4000}, peerwire.Request{Index: 3, Begin: 5, Length: 95}), false)
	f.Fuzz(func(t *testing.T, sent []byte, fast bool) {
		converse(t, sent, fast, Config{})
		converse(t, sent, fast, Config{Superseed: &Superseed{}})
		converse(t, sent, fast, Config{Download: &Download{Store: &disk{}, Have: []byte{0x40}}})
	})
}

// converse plays a peer that sends so many bytes and then nothing.
func converse(t *testing.T, sent []byte, fast bool, as Config) {
	cfg, content := torrent(3*256<<10+100, 256<<10)
	cfg.Superseed, cfg.Download = as.Superseed, as.Download
	s := New(cfg)
	l := newLoop(s, func(func(context.Context)) {})
	now := time.Now()
	conn, theirs := net.Pipe()
	defer theirs.Close()
	a := admission{conn: conn, release: func() {}, reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol)}
	if fast {
		a.reserved.Set(peerwire.Fast)
	}
	l.admitted(now, a)
	l.carryOut(now)
	var p *peer
	for p = range l.peers {
	}
	d := peerwire.NewDecoder(bytes.NewReader(bytes.Clone(sent)), s.decoding())
	for !p.gone {
		b := &batch{p: p, err: d.Await()}
		if b.err == nil {
			b.fill(d)
		}
		b.apply(l, now)
		l.carryOut(now)
		require.LessOrEqual(t, len(p.out.frames), maxFrames+maxBatchRequests*17)
		require.LessOrEqual(t, p.out.queue.n, 4*cfg.maxRequests())
		for _, r := range p.out.queue.runs {
			require.LessOrEqual(t, s.offset(r)+int64(r.bytes()), int64(len(content.data)))
		}
	}
	require.Equal(t, tally{}, l.tally)
	require.Empty(t, l.peers)
}
