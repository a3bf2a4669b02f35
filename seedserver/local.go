package seedserver

import (
	"context"
	"net/netip"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/lsd"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// findLocalPeers tells the local network of our torrents, and the swarms of who announces there, until ctx ends (BEP 14).
func (s *Server) findLocalPeers(ctx context.Context) error {
	return lsd.New(lsd.Config{
		Port: s.peerPort(), Bind: s.advertiser.bound.Addr(), Torrents: s.torrents.public, Heard: s.torrents.heardLocally, Logger: s.log,
	}).Run(ctx)
}

// public returns the torrents that strangers may be told of.
func (ts *torrents) public() [][20]byte {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	list := make([][20]byte, 0, len(ts.live))
	for h, t := range ts.live {
		if !t.private() {
			list = append(list, h)
		}
	}
	return list
}

// heardLocally tells a swarm of a peer in the local network. A torrent that sleeps wakes: a network that is near is worth it.
func (ts *torrents) heardLocally(infohash [20]byte, peer netip.AddrPort) {
	t := ts.find(metainfo.InfoHash(infohash))
	if t == nil || t.private() {
		return
	}
	if s := ts.wake(t); s != nil {
		s.AddCandidates(candidates.LSD, peer.Addr(), candidates.Peer{Addr: peer})
	}
}
