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
		if !t.version.Load().Info.Private {
			list = append(list, h)
		}
	}
	return list
}

// heardLocally tells a swarm of a peer in the local network.
func (ts *torrents) heardLocally(infohash [20]byte, peer netip.AddrPort) {
	if t := ts.find(metainfo.InfoHash(infohash)); t != nil {
		t.swarm.AddCandidates(candidates.LSD, peer.Addr(), candidates.Peer{Addr: peer})
	}
}
