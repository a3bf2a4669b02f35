package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// announceUDP lets each owner announce from a socket with depth announces on the way: random ones of its peers for window, or all, once.
func announceUDP(ctx context.Context, at string, depth int, all bool, window time.Duration) (*announced, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waits := make([]histogram, owners)
	var lost atomic.Int64
	begin := time.Now()
	var wg sync.WaitGroup
	for w := range owners {
		wg.Go(func() {
			c, err := call(at, w)
			if err != nil {
				cancel(err)
				return
			}
			defer c.conn.Close()
			rng := rand.New(rand.NewPCG(uint64(w), 2))
			sent := 0
			more := func() bool {
				return ctx.Err() == nil && (all && sent < owned || !all && time.Since(begin) < window)
			}
			for more() || c.waiting > 0 {
				for ; c.waiting < depth && more(); sent++ {
					peer := w*owned + sent
					if !all {
						peer = w*owned + rng.IntN(owned)
					}
					if err := c.announce(sent, peer); err != nil {
						cancel(err)
						return
					}
				}
				switch err := c.answer(&waits[w]); {
				case errors.Is(err, os.ErrDeadlineExceeded):
					lost.Add(int64(c.waiting))
					clear(c.asked)
					c.waiting = 0
				case err != nil:
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	res, err := sum(ctx, begin, waits)
	res.lost = int(lost.Load())
	return res, err
}

// caller is a socket that announces over UDP (BEP 15).
type caller struct {
	conn    *net.UDPConn
	id      uint64 // of the connection
	asked   map[uint32]time.Time
	waiting int
	in, out []byte
}

// call connects to the tracker from the address of an owner.
func call(at string, owner int) (*caller, error) {
	to, err := netip.ParseAddrPort(at)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: ownerIP(owner)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	c := &caller{conn: conn, asked: map[uint32]time.Time{}, in: make([]byte, 2048)}
	for range 5 {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err = conn.Write(udptracker.AppendConnectRequest(nil, 1)); err != nil {
			break
		}
		var n int
		if n, err = conn.Read(c.in); err == nil {
			c.id, err = udptracker.ParseConnectResponse(c.in[:n])
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// announce sends the announce of peer i, which is number n of this socket.
func (c *caller) announce(n, i int) error {
	req := tracker.AnnounceRequest{InfoHash: trackedHashes[i%trackedTorrents], Left: int64(trackedLeft(i)), NumWant: 50, Key: uint32(i) + 1,
		Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(trackedPort(i)))}
	req.PeerID = trackedID(i)
	c.out = udptracker.AppendAnnounceRequest(c.out[:0], c.id, uint32(n)+2, &req, "")
	c.asked[uint32(n)+2] = time.Now()
	c.waiting++
	_, err := c.conn.Write(c.out)
	return err
}

// answer waits for the answer to any of the announces on the way and notes how long it took.
func (c *caller) answer(waits *histogram) error {
	_ = c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	n, err := c.conn.Read(c.in)
	if err != nil {
		return err
	}
	res, err := udptracker.ParseResponse(c.in[:n])
	if err != nil {
		return err
	}
	asked, ok := c.asked[res.Transaction]
	if !ok {
		return nil // it was given up
	}
	if res.Action != udptracker.ActionAnnounce {
		return fmt.Errorf("the tracker refused: %w", udptracker.ParseErrorResponse(c.in[:n]))
	}
	delete(c.asked, res.Transaction)
	c.waiting--
	waits.add(time.Since(asked))
	return nil
}
