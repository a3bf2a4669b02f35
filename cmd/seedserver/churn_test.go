//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// A churn is a crowd of peers that join and leave a server, each from one of ten thousand addresses, in one of visits' ways.
type churn struct {
	s       *server
	torrent *metainfo.Torrent
	joined  [6]atomic.Int64 // by the way
	failed  atomic.Int64    // could not connect
	tasters sync.Map        // of *taster, that are there
}

// churnIP is one of the ten thousand.
func churnIP(n int) string { return fmt.Sprintf("198.18.%d.%d", 10+n/200%50, 1+n%200) }

// run has perSecond peers join per second until ctx ends, and returns when all have left.
func (c *churn) run(ctx context.Context, perSecond int) {
	visits := [len(c.joined)]func(context.Context, *attacker, int) error{
		func(_ context.Context, a *attacker, i int) error { return comeAndGo(a, i) },
		c.taste, c.taste, c.claim, c.linger, c.announce,
	}
	var all sync.WaitGroup
	every := time.NewTicker(time.Second / time.Duration(perSecond))
	defer every.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		all.Go(func() {
			a := &attacker{ctx: ctx, s: c.s, from: churnIP(rand.IntN(10_000)), torrent: c.torrent}
			way := i % len(visits)
			c.joined[way].Add(1)
			if visits[way](ctx, a, i) != nil {
				c.failed.Add(1)
			}
		})
		select {
		case <-every.C:
		case <-ctx.Done():
		}
	}
	all.Wait()
}

// visit is a connection that lasts so long at most.
func (c *churn) visit(ctx context.Context, a *attacker, lasting time.Duration, greeting []byte, heard func(net.Conn, peerwire.Message) error) error {
	conn, err := a.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(lasting))
	if _, err := conn.Write(append(a.handshake(), greeting...)); err != nil {
		return nil // the server may have no room, or know the address
	}
	if _, err := peerwire.ReadHandshake(conn); err != nil {
		return nil
	}
	frames := peerwire.NewDecoder(conn, peerwire.DecoderConfig{NumPieces: uint32(c.torrent.Info.NumPieces())})
	for {
		m, err := frames.Next()
		if err != nil {
			return nil
		}
		if heard == nil {
			continue
		}
		if heard(conn, m) != nil {
			return nil
		}
	}
}

// taste takes some pieces that it is shown, tells what it has, passes it on to another who tastes, and leaves.
func (c *churn) taste(ctx context.Context, a *attacker, i int) error {
	t := &taster{churn: c, left: 1 + i%40, choked: true, news: make(chan uint32, 64)}
	c.tasters.Store(t, nil)
	defer c.tasters.Delete(t)
	greeting := peerwire.Append(peerwire.Append(nil, peerwire.HaveNone{}), peerwire.Interested{})
	hello := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName, extension.PEXName), V: "churn", Port: 7000}
	greeting = peerwire.Append(greeting, peerwire.Extended{Payload: hello.AppendTo(nil)})
	return c.visit(ctx, a, 8*time.Second, greeting, t.heard)
}

// A taster is a leech of a few pieces.
type taster struct {
	churn  *churn
	left   int // blocks
	choked bool
	shown  []uint32
	news   chan uint32 // pieces that another passes on
}

func (t *taster) heard(conn net.Conn, m peerwire.Message) error {
	var out []byte
	switch m := m.(type) {
	case peerwire.HaveAll:
		for range 4 {
			t.shown = append(t.shown, rand.Uint32N(uint32(t.churn.torrent.Info.NumPieces())))
		}
	case peerwire.Have:
		t.shown = append(t.shown, m.Index)
	case peerwire.Choke:
		t.choked = true
	case peerwire.Unchoke:
		t.choked = false
	case peerwire.Piece:
		if t.left--; t.left == 0 {
			return net.ErrClosed
		}
		out = peerwire.AppendHave(out, m.Index)
		t.pass(m.Index)
	}
	for ; len(t.news) > 0; out = peerwire.AppendHave(out, <-t.news) {
	}
	for ; !t.choked && len(t.shown) > 0; t.shown = t.shown[1:] {
		out = peerwire.AppendRequest(out, peerwire.Request{Index: t.shown[0], Length: uint32(t.churn.torrent.Info.PieceSize(int(t.shown[0])))})
	}
	_, err := conn.Write(out)
	return err
}

// pass gives a piece to some others.
func (t *taster) pass(piece uint32) {
	given := 0
	t.churn.tasters.Range(func(other, _ any) bool {
		if other != t {
			select {
			case other.(*taster).news <- piece:
			default: // it hears nothing at the moment
			}
			given++
		}
		return given < 3
	})
}

// claim says that it is complete, answers nothing that it is asked, and leaves.
func (c *churn) claim(ctx context.Context, a *attacker, _ int) error {
	return c.visit(ctx, a, 5*time.Second, peerwire.Append(peerwire.Append(nil, peerwire.HaveAll{}), peerwire.Unchoke{}), nil)
}

// linger tells of peers that are nowhere, asks for metadata and stays for up to a minute.
func (c *churn) linger(ctx context.Context, a *attacker, i int) error {
	hello := extension.Handshake{IDs: extension.NewIDs(extension.MetadataName, extension.PEXName), V: "churn", Port: 7001}
	poison := extension.PEX{}
	for range 50 {
		at := netip.AddrFrom4([4]byte{198, 19, byte(rand.IntN(256)), byte(rand.IntN(256))})
		poison.Added = append(poison.Added, extension.PEXPeer{Addr: netip.AddrPortFrom(at, 7000)})
	}
	greeting := peerwire.Append(peerwire.Append(nil, peerwire.HaveNone{}), peerwire.Extended{Payload: hello.AppendTo(nil)})
	for id := uint8(1); id <= 5; id++ { // whatever the server calls them
		greeting = peerwire.Append(greeting, peerwire.Extended{ID: id, Payload: poison.AppendTo(nil)})
		greeting = peerwire.Append(greeting, peerwire.Extended{ID: id, Payload: extension.Metadata{Type: extension.MetadataRequest}.AppendTo(nil)})
	}
	return c.visit(ctx, a, time.Duration(1+i%60)*time.Second, greeting, nil)
}

// announce is a visit to the tracker, as one of many that have started or stopped.
func (c *churn) announce(ctx context.Context, a *attacker, i int) error {
	id := peerwire.NewPeerID("-XX0666-", noise(12))
	query := url.Values{"info_hash": {string(c.torrent.InfoHash[:])}, "peer_id": {string(id[:])}, "port": {"7000"}, "uploaded": {"0"},
		"downloaded": {"0"}, "left": {"1000"}, "compact": {"1"}, "event": {[]string{"started", "stopped"}[i/len(c.joined)%2]}}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(a.from)}}
	client := http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}, Timeout: wirePatience}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.s.base+"/announce?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	resp.Body.Close()
	return nil
}
