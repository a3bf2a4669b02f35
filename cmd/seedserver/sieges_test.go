//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// siegeIPs is how many addresses attack.
const siegeIPs = 10_000

// sieges are attacks by many addresses, by peers that shake hands and speak the protocol, in every mode.
var sieges = []attack{
	{"slow readers", time.Second, func(a *attacker) error { return a.town(150, sip) }},
	{"metadata bombs", 200 * time.Millisecond, func(a *attacker) error { return a.town(40, metadataBombs) }},
	{"floods of have and do not have", 200 * time.Millisecond, func(a *attacker) error { return a.town(40, haveFlood) }},
	{"bitfields that lie", 200 * time.Millisecond, func(a *attacker) error { return a.town(40, bitfieldLies) }},
	{"claims to be complete", time.Second, func(a *attacker) error { return a.town(150, claimAll) }},
	{"poison for peer exchange", 200 * time.Millisecond, func(a *attacker) error { return a.town(40, pexPoison) }},
	{"reconnect storm", 0, func(a *attacker) error { return a.town(32, reconnects) }},
	{"floods of requests", 200 * time.Millisecond, func(a *attacker) error { return a.town(20, requestFlood) }},
	{"requests of one byte", 200 * time.Millisecond, func(a *attacker) error { return a.town(20, byteFlood) }},
	{"requests taken back", 200 * time.Millisecond, func(a *attacker) error { return a.town(20, cancelFlood) }},
	{takers, 0, func(a *attacker) error { return a.town(60, takeAndGo) }},
	{"a thousand idle guests", time.Second, func(a *attacker) error { return a.town(1000, idle) }},
}

// takers are leeches that give nothing back. A plain seed gives them a leech's share.
const takers = "takers that come again"

// town does the same from n addresses at once, each in a connection that is let go after some seconds.
func (a *attacker) town(n int, do func(a *attacker, conn net.Conn) error) error {
	ctx, cancel := context.WithTimeout(a.ctx, 20*time.Second)
	defer cancel()
	b := &attacker{attack: a.attack, ctx: ctx, s: a.s, torrent: a.torrent}
	var running = make(chan struct{}, n)
	for range n {
		go func() {
			defer func() { running <- struct{}{} }()
			b := &attacker{ctx: b.ctx, s: b.s, torrent: b.torrent, from: churnIP(rand.IntN(siegeIPs))}
			for b.ctx.Err() == nil {
				conn, err := b.open()
				if err != nil {
					return
				}
				do(b, conn)
				conn.Close()
				a.rounds.Add(1)
				b.from = churnIP(rand.IntN(siegeIPs))
			}
		}()
	}
	for range n {
		<-running
	}
	return nil
}

// enter shakes hands, says that it has nothing and wants everything, and reads on until the end, forgetting all but what it is shown.
func (a *attacker) enter(conn net.Conn, more ...peerwire.Message) (*guest, error) {
	greeting := peerwire.Append(a.handshake(), peerwire.HaveNone{})
	greeting = peerwire.Append(greeting, peerwire.Interested{})
	hello := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName, extension.PEXName, extension.DontHaveName), Port: 7000}
	greeting = peerwire.Append(greeting, peerwire.Extended{Payload: hello.AppendTo(nil)})
	for _, m := range more {
		greeting = peerwire.Append(greeting, m)
	}
	if _, err := conn.Write(greeting); err != nil {
		return nil, err
	}
	if _, err := peerwire.ReadHandshake(conn); err != nil {
		return nil, err
	}
	return &guest{conn: conn, a: a}, nil
}

// A guest is an attacker's connection that was let in.
type guest struct {
	a     *attacker
	conn  net.Conn
	shown atomic.Uint32 // a piece that it may ask for, from 1
	got   atomic.Int64  // blocks
}

// listen reads until the end of the connection, or as long as on says.
func (g *guest) listen(on func(m peerwire.Message) bool) error {
	frames := peerwire.NewDecoder(g.conn, peerwire.DecoderConfig{NumPieces: uint32(g.a.torrent.Info.NumPieces())})
	for {
		m, err := frames.Next()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case peerwire.HaveAll:
			g.shown.Store(1)
		case peerwire.Have:
			g.shown.Store(m.Index + 1)
		case peerwire.Piece:
			g.got.Add(1)
		}
		if on != nil && !on(m) {
			return nil
		}
	}
}

// flood writes what next gives until the connection ends, and reads only until it is shown a piece.
func (g *guest) flood(next func(i uint32) []byte) error {
	go g.listen(func(peerwire.Message) bool { return g.shown.Load() == 0 })
	for i := uint32(0); g.a.ctx.Err() == nil; i++ { // the connection is closed too, when its turn comes among thousands
		b := next(i)
		if len(b) == 0 {
			select {
			case <-time.After(50 * time.Millisecond):
				continue
			case <-g.a.ctx.Done():
				return g.a.ctx.Err()
			}
		}
		if _, err := g.conn.Write(b); err != nil {
			return err
		}
	}
	return g.a.ctx.Err()
}

// sip asks for whole pieces of what it is shown, and reads a kilobyte per second.
func sip(a *attacker, conn net.Conn) error {
	conn.(*attackConn).SetReadBuffer(4096)
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	if err := g.listen(func(peerwire.Message) bool { return g.shown.Load() == 0 }); err != nil {
		return err
	}
	var out []byte
	size := uint32(a.torrent.Info.PieceSize(int(g.shown.Load() - 1)))
	for begin := uint32(0); begin < size; begin += blockSize {
		out = peerwire.AppendRequest(out, peerwire.Request{Index: g.shown.Load() - 1, Begin: begin, Length: min(blockSize, size-begin)})
	}
	if _, err := conn.Write(out); err != nil {
		return err
	}
	b := make([]byte, 1024)
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-a.ctx.Done():
			return a.ctx.Err()
		}
	}
}

// metadataBombs asks for metadata, tells a size that is a lie, and sends pieces of it that nobody asked for.
func metadataBombs(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	bomb := extension.Metadata{Type: extension.MetadataData, TotalSize: 1 << 40, Data: noise(blockSize)}.AppendTo(nil)
	return g.flood(func(i uint32) (out []byte) {
		hello := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName), MetadataSize: 1<<31 - 1, V: string(noise(200))}
		out = peerwire.Append(out, peerwire.Extended{Payload: hello.AppendTo(nil)})
		for id := uint8(1); id <= 5; id++ {
			out = peerwire.Append(out, peerwire.Extended{ID: id, Payload: bomb})
			ask := extension.Metadata{Type: extension.MetadataRequest, Piece: i}
			out = peerwire.Append(out, peerwire.Extended{ID: id, Payload: ask.AppendTo(nil)})
		}
		return out
	})
}

// haveFlood tells of each piece that it has it, and that it does not.
func haveFlood(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	n := uint32(a.torrent.Info.NumPieces())
	return g.flood(func(i uint32) (out []byte) {
		for piece := range n {
			out = peerwire.AppendHave(out, piece)
		}
		for piece := range n {
			for id := uint8(1); id <= 5; id++ {
				out = peerwire.Append(out, peerwire.Extended{ID: id, Payload: extension.DontHave{Index: piece}.AppendTo(nil)})
			}
		}
		return out
	})
}

// bitfieldLies says something else every time.
func bitfieldLies(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	bits := make([]byte, (a.torrent.Info.NumPieces()+7)/8)
	return g.flood(func(i uint32) (out []byte) {
		for range 16 {
			copy(bits, noise(len(bits)))
			out = peerwire.Append(out, peerwire.BitfieldMessage{Bits: bits})
			out = peerwire.Append(out, peerwire.HaveAll{})
			out = peerwire.Append(out, peerwire.HaveNone{})
		}
		return out
	})
}

// claimAll says that it is complete, unchokes, and rejects whatever it is asked.
func claimAll(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn, peerwire.HaveAll{}, peerwire.Unchoke{})
	if err != nil {
		return err
	}
	return g.listen(func(m peerwire.Message) bool {
		if r, ok := m.(peerwire.Request); ok {
			conn.Write(peerwire.AppendReject(nil, r))
		}
		return true
	})
}

// pexPoison tells of peers that are not there, as often as it may and more often.
func pexPoison(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	return g.flood(func(i uint32) (out []byte) {
		poison := extension.PEX{}
		for range extension.MaxPEX {
			at := netip.AddrFrom4([4]byte{198, 19, byte(rand.IntN(256)), byte(rand.IntN(256))})
			poison.Added = append(poison.Added, extension.PEXPeer{Addr: netip.AddrPortFrom(at, uint16(1024+rand.IntN(60000)))})
			poison.Dropped = append(poison.Dropped, netip.AddrPortFrom(at, uint16(1024+rand.IntN(60000))))
		}
		for id := uint8(1); id <= 5; id++ {
			out = peerwire.Append(out, peerwire.Extended{ID: id, Payload: poison.AppendTo(nil)})
		}
		return out
	})
}

// reconnects is let in and gone.
func reconnects(a *attacker, conn net.Conn) error {
	_, err := a.enter(conn)
	return err
}

// requestFlood asks for the same blocks without end.
func requestFlood(a *attacker, conn net.Conn) error { return a.askFor(conn, blockSize, false) }

// byteFlood asks for single bytes.
func byteFlood(a *attacker, conn net.Conn) error { return a.askFor(conn, 1, false) }

// cancelFlood takes everything back at once.
func cancelFlood(a *attacker, conn net.Conn) error { return a.askFor(conn, blockSize, true) }

// askFor asks for blocks of that length of what it is shown, and cancels them if it is to.
func (a *attacker) askFor(conn net.Conn, length uint32, cancel bool) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	return g.flood(func(i uint32) (out []byte) {
		shown := g.shown.Load()
		if shown == 0 {
			return nil
		}
		size := uint32(a.torrent.Info.PieceSize(int(shown - 1)))
		for k := range uint32(1000) {
			r := peerwire.Request{Index: shown - 1, Begin: (i*1000 + k) * length * 2 % size, Length: length}
			r.Length = min(r.Length, size-r.Begin)
			out = peerwire.AppendRequest(out, r)
			if cancel {
				out = peerwire.Append(out, peerwire.Cancel(r))
			}
		}
		return out
	})
}

// takeAndGo takes the first piece that it is shown, passes nothing on, and comes again from another address.
func takeAndGo(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return err
	}
	choked, asked := true, false
	return g.listen(func(m peerwire.Message) bool {
		switch m.(type) {
		case peerwire.Choke:
			choked = true
		case peerwire.Unchoke:
			choked = false
		}
		if shown := g.shown.Load(); shown > 0 && !choked && !asked {
			asked = true
			var out []byte
			size := uint32(a.torrent.Info.PieceSize(int(shown - 1)))
			for begin := uint32(0); begin < size; begin += blockSize {
				out = peerwire.AppendRequest(out, peerwire.Request{Index: shown - 1, Begin: begin, Length: min(blockSize, size-begin)})
			}
			conn.Write(out)
		}
		return g.got.Load() < 4
	})
}

// idle is let in, and stays.
func idle(a *attacker, conn net.Conn) error {
	g, err := a.enter(conn)
	if err != nil {
		return fmt.Errorf("not let in: %w", err)
	}
	return g.listen(nil)
}
