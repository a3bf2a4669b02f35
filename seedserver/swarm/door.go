package swarm

import (
	"container/list"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

// handshakeTimeout is what a peer has from its connection to its peer id, and then the torrent's loop to take it over.
const handshakeTimeout = 10 * time.Second

// A door is one listener's connections whose handshake is not done.
type door struct {
	host    *Host
	started sync.WaitGroup

	mu      sync.Mutex
	pending list.List // of net.Conn, oldest first
}

func newDoor(h *Host) *door { return &door{host: h} }

// enter starts the handshake with whoever connected. Where too many are at it, the oldest has to go.
func (d *door) enter(ctx context.Context, conn net.Conn) {
	addr := addrPort(conn.RemoteAddr().String())
	if !d.host.reserve(addr.Addr()) {
		conn.Close()
		return
	}
	place := d.queue(conn)
	d.started.Go(func() {
		s, a, ok := d.shakeHands(conn, addr)
		d.leave(place)
		if ok && hand(ctx, s, a) {
			return
		}
		conn.Close()
		d.host.release(addr.Addr())
	})
}

// hand waits until s takes a over. It is a moment, unless s is not running.
func hand(ctx context.Context, s *Swarm, a admission) bool {
	limitUnsent(a.conn, firstUnsent)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	return s.admit(ctx, a)
}

func (d *door) queue(conn net.Conn) *list.Element {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending.Len() >= d.host.cfg.maxPending() {
		oldest := d.pending.Front()
		d.pending.Remove(oldest)
		oldest.Value.(net.Conn).Close()
	}
	return d.pending.PushBack(conn)
}

func (d *door) leave(place *list.Element) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending.Remove(place) // nothing, if it is removed already
}

// close ends the handshakes under way.
func (d *door) close() {
	d.mu.Lock()
	for e := d.pending.Front(); e != nil; e = e.Next() {
		e.Value.(net.Conn).Close()
	}
	d.mu.Unlock()
	d.started.Wait()
}

// shakeHands reads the handshake of a peer, and says which torrent it asks for; or reports false: not our protocol, not our torrent,
// too slow, or ourselves. None of them is told so. Our own handshake is left to the torrent's loop, so that a client that calls
// twice, by IPv4 and IPv6, gets it on one connection only, and knows as well as we do which one stays.
func (d *door) shakeHands(conn net.Conn, addr netip.AddrPort) (*Swarm, admission, bool) {
	deadline := time.Now().Add(handshakeTimeout)
	conn.SetDeadline(deadline)
	reserved, infohash, err := peerwire.ReadHandshakeHead(conn)
	if err != nil {
		return nil, admission{}, false
	}
	s := d.host.lookup(metainfo.InfoHash(infohash))
	var id peerwire.PeerID
	early := s != nil && (s.cfg.Admit == nil || s.cfg.Admit(addr.Addr(), id))
	if !early { // a torrent that is not for this peer takes as long as one that is not here
		if id, err = peerwire.ReadPeerID(conn); err != nil || s == nil || !s.cfg.Admit(addr.Addr(), id) {
			return nil, admission{}, false
		}
	}
	ours := d.host.handshake(s)
	greeting := ours.AppendTo(nil)
	if early {
		id, greeting, err = awaitPeerID(conn, deadline, greeting)
	}
	if err == nil && id == ours.PeerID { // we called ourselves: let that end know
		_, _ = conn.Write(greeting)
		return nil, admission{}, false
	}
	if err != nil {
		return nil, admission{}, false
	}
	conn.SetDeadline(time.Time{})
	return s, admission{
		conn:     conn,
		addr:     addr,
		id:       id,
		ours:     ours.PeerID,
		greeting: greeting,
		reserved: reserved,
		release:  func() { d.host.release(addr.Addr()) },
	}, true
}

// promptly is how long we wait for a peer id before we show ours. Who sends it with the rest has it there at once.
const promptly = 200 * time.Millisecond

// awaitPeerID reads the peer id, and returns what is still to be sent of greeting: none of it to those who wait for our handshake
// before they finish theirs, as who checks whether we can be reached does, and some clients.
func awaitPeerID(conn net.Conn, deadline time.Time, greeting []byte) (peerwire.PeerID, []byte, error) {
	var id peerwire.PeerID
	conn.SetReadDeadline(time.Now().Add(promptly))
	n, err := io.ReadFull(conn, id[:])
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return id, greeting, err
	}
	conn.SetReadDeadline(deadline)
	if _, err := conn.Write(greeting); err != nil {
		return id, nil, err
	}
	_, err = io.ReadFull(conn, id[n:])
	return id, nil, err
}

// addrPort returns the address of a connection; the zero value if it has none of IP.
func addrPort(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
