package seedserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// A Lookup gets the torrent that a magnet link means: first its info dict, from the peers of its swarm (BEP 9).
type Lookup struct {
	client *Client
	magnet metainfo.Magnet
	peers  []netip.AddrPort
	named  []string // peers by the names of their hosts, "host:port"
	fetch  *swarm.MetadataFetch
	local  bool

	mu    sync.Mutex // a leaf
	found []netip.AddrPort
}

// maxNamed is how many names of a link are resolved.
const maxNamed = 20

// maxFound is how many addresses a lookup remembers for the download that follows.
const maxFound = 500

// NewLookup prepares a lookup. peers are addresses to ask, besides those that the link and its trackers name; with
// local, its trackers may be in private networks. It fails if the link has no v1 infohash.
func (c *Client) NewLookup(m metainfo.Magnet, peers []netip.AddrPort, local bool) (*Lookup, error) {
	if !m.HasInfoHash {
		return nil, fmt.Errorf("the magnet link names a torrent of version 2 only, which is not supported")
	}
	all := append([]netip.AddrPort(nil), peers...)
	var named []string
	for _, p := range m.Peers {
		if a, err := netip.ParseAddrPort(p); err == nil {
			all = append(all, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
		} else if len(named) < maxNamed {
			named = append(named, p)
		}
	}
	return &Lookup{
		client: c, magnet: m, peers: all, named: named, found: slices.Clone(all), local: local,
		fetch: swarm.NewMetadataFetch(swarm.MetadataConfig{InfoHash: m.InfoHash, PeerID: c.id, Bind: c.Addr().Addr(), Logger: c.log}),
	}, nil
}

// Found returns how many peers were heard of, and how many of them were dialled.
func (l *Lookup) Found() (heard, tried int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.found), l.fetch.Tried()
}

// Run returns the torrent, with the trackers and web seeds of the link, and the peers that were heard of; or the cause of ctx.
func (l *Lookup) Run(ctx context.Context) (*metainfo.Torrent, []netip.AddrPort, error) {
	announcing, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	tell(l.fetch, candidates.User, netip.Addr{}, l.peers)
	for _, peer := range l.named {
		running.Go(func() { l.resolve(announcing, peer) })
	}
	running.Go(func() { l.client.addNodes(announcing, l.magnet.Nodes, l.local) })
	l.client.seek(l.magnet.InfoHash, l)
	defer l.client.forget(l.magnet.InfoHash, l)
	var tiers [][]string
	for _, url := range l.magnet.Trackers {
		tiers = append(tiers, []string{url})
	}
	session := trackernet.NewSession(trackernet.SessionConfig{
		Client: l.client.trackers(l.local), Tiers: tiers, EveryTier: true, InfoHash: l.magnet.InfoHash, PeerID: l.client.id,
		Port:     l.client.Addr().Port(),
		Progress: func() (uploaded, downloaded, left int64) { return 0, 0, -1 },
		Found: func(peers []netip.AddrPort) {
			l.hear(peers)
			tell(l.fetch, candidates.Tracker, netip.Addr{}, peers)
		},
		Logger: l.client.log,
	})
	running.Go(func() { session.Run(announcing) })
	raw, err := l.fetch.Run(ctx)
	if err != nil {
		return nil, nil, err
	}
	info, err := metainfo.ParseInfo(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("the torrent that the magnet link means cannot be downloaded: %w", err)
	}
	t := &metainfo.Torrent{
		AnnounceList: tiers, Nodes: l.magnet.Nodes, WebSeeds: l.magnet.WebSeeds, Info: info, InfoBytes: raw, InfoHash: l.magnet.InfoHash,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return t, l.found, nil
}

// resolve asks a peer at each address that the name of its host has.
func (l *Lookup) resolve(ctx context.Context, peer string) {
	host, text, err := net.SplitHostPort(peer)
	if err != nil {
		return
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		l.client.log.Debug("looking up a peer", "addr", peer, "err", err)
		return
	}
	peers := make([]netip.AddrPort, 0, len(addrs))
	for _, a := range addrs {
		peers = append(peers, netip.AddrPortFrom(a.Unmap(), uint16(port)))
	}
	l.hear(peers)
	tell(l.fetch, candidates.User, netip.Addr{}, peers)
}

func (l *Lookup) hear(peers []netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := maxFound - len(l.found); room > 0 {
		l.found = append(l.found, peers[:min(room, len(peers))]...)
	}
}

// AddCandidates takes in what was heard elsewhere.
func (l *Lookup) AddCandidates(source candidates.Source, from netip.Addr, peers ...candidates.Peer) bool {
	for _, p := range peers {
		l.hear([]netip.AddrPort{p.Addr})
	}
	return l.fetch.AddCandidates(source, from, peers...)
}
