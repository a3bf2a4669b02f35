package seedserver

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/dhtnet"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/lsd"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// ClientConfig sets a [Client]. The zero value works.
type ClientConfig struct {
	// Peer is the address peers connect to. If empty, ":6881"; unless PeerExact, a port up to 6889 is taken if that one is.
	Peer      string
	PeerExact bool
	// MaxUp and MaxDown bound what all torrents together send and receive, bytes per second. If zero, nothing does.
	MaxUp, MaxDown int64
	// MaxPeers is how many connections there are in all torrents together. If zero, 500.
	MaxPeers int
	// UploadSlots is how many peers of a torrent are served at a time. If zero, as many as get a useful rate.
	UploadSlots int
	// Memory is how many bytes of pieces one torrent may hold that are not written yet. If zero, 64 MiB.
	Memory int64
	// NoDHT keeps the client out of the DHT, in which it takes part on UDP at the port of Peer otherwise. DHTRouters are nodes
	// HOST:PORT from which it is joined, and DHTFile is where its table is kept over a restart; if empty, nowhere.
	NoDHT      bool
	DHTRouters []string
	DHTFile    string
	// NoLocal keeps the client from telling the local network of its torrents, and from hearing of peers there (BEP 14).
	NoLocal bool
	// Logger is for people. If nil, nothing is logged.
	Logger *slog.Logger
}

// A Client downloads and seeds torrents, all of them on one port and below one limit: see [Client.NewTransfer]. Its methods may be
// called from anywhere.
type Client struct {
	cfg      ClientConfig
	log      *slog.Logger
	id       peerwire.PeerID
	ln       net.Listener
	host     *swarm.Host
	up, down *budget.Node
	pool     *storage.Pool
	roots    roots

	mu      sync.Mutex                   // a leaf
	checks  chan struct{}                // holds one for each transfer that reads what is there
	lookups chan struct{}                // and for each name of a node that is looked up
	seeking map[metainfo.InfoHash]hearer // public torrents, for which peers are looked for everywhere

	public  *trackernet.Client // for trackers that torrents name
	dht     *dhtnet.Server     // nil when it takes no part
	private *trackernet.Client // for those of torrents that come from a private network themselves
}

// A hearer takes candidates in: a Swarm, or a MetadataFetch.
type hearer interface {
	AddCandidates(source candidates.Source, from netip.Addr, peers ...candidates.Peer) bool
}

// NewClient opens the port of a Client. An error names the flag to change when that is taken.
func NewClient(ctx context.Context, cfg ClientConfig) (*Client, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Peer == "" {
		cfg.Peer = defaultPeer
	}
	if cfg.MaxPeers == 0 {
		cfg.MaxPeers = 500
	}
	share := newDescriptors(cfg.MaxPeers, newTroubles(cfg.Logger))
	ln, err := listenPeer(ctx, cfg.Peer, cfg.PeerExact)
	if err != nil {
		return nil, err
	}
	var random [12]byte
	crand.Read(random[:])
	id := peerwire.NewPeerID(peerIDPrefix, random[:])
	bind := boundAddr(ln).Addr()
	c := &Client{
		cfg: cfg, log: cfg.Logger, id: id, ln: ln,
		host: swarm.NewHost(swarm.HostConfig{PeerID: id, MaxPeers: share.peers, Bind: bind, Logger: cfg.Logger}),
		up:   budget.New(nil, cfg.MaxUp), down: budget.New(nil, cfg.MaxDown),
		pool:   storage.NewPool(share.files),
		public: trackernet.New(trackernet.Config{Bind: bind}), private: trackernet.New(trackernet.Config{Bind: bind, Private: true}),
		seeking: map[metainfo.InfoHash]hearer{}, checks: make(chan struct{}, 1), lookups: make(chan struct{}, maxLookups),
	}
	if !cfg.NoDHT {
		c.joinDHT(ctx)
	}
	return c, nil
}

// joinDHT opens the sockets of a node of the DHT. Without them the client works, but finds peers by trackers only.
func (c *Client) joinDHT(ctx context.Context) {
	conns, err := dhtnet.Listen(ctx, c.Addr())
	if err == nil {
		c.dht, err = dhtnet.New(dhtnet.Config{
			Conns: conns, Node: dht.Config{Port: c.Addr().Port(), Version: dhtVersion}, Routers: c.cfg.DHTRouters, File: c.cfg.DHTFile,
			Found: func(infohash [20]byte, from netip.AddrPort, peers []netip.AddrPort) {
				c.found(infohash, candidates.DHT, from.Addr(), peers)
			},
			Logger: c.log,
		})
	}
	if err != nil {
		c.log.Warn("takes no part in the DHT: choose another port with --peer", "err", err)
	}
}

// seek has peers of a public torrent looked for in the DHT and in the local network, until forget.
func (c *Client) seek(infohash metainfo.InfoHash, h hearer) {
	c.mu.Lock()
	c.seeking[infohash] = h
	c.mu.Unlock()
	if c.dht != nil {
		c.dht.Publish(infohash)
		c.dht.Demand(infohash)
	}
}

// forget ends what seek began, unless it was begun anew for another since.
func (c *Client) forget(infohash metainfo.InfoHash, h hearer) {
	c.mu.Lock()
	last := c.seeking[infohash] == h
	if last {
		delete(c.seeking, infohash)
	}
	c.mu.Unlock()
	if last && c.dht != nil {
		c.dht.Withdraw(infohash)
	}
}

// found tells a torrent of peers that from told of.
func (c *Client) found(infohash [20]byte, source candidates.Source, from netip.Addr, peers []netip.AddrPort) {
	c.mu.Lock()
	h := c.seeking[metainfo.InfoHash(infohash)]
	c.mu.Unlock()
	if h != nil {
		tell(h, source, from, peers)
	}
}

func tell(to hearer, source candidates.Source, from netip.Addr, peers []netip.AddrPort) {
	list := make([]candidates.Peer, len(peers))
	for i, p := range peers {
		list[i].Addr = p
	}
	to.AddCandidates(source, from, list...)
}

// announced returns the torrents that strangers may be told of.
func (c *Client) announced() [][20]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([][20]byte, 0, len(c.seeking))
	for h := range c.seeking {
		list = append(list, h)
	}
	return list
}

// Addr returns where peers connect to.
func (c *Client) Addr() netip.AddrPort { return boundAddr(c.ln) }

// Run takes and makes connections for all transfers until ctx ends, and returns its cause.
func (c *Client) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { c.host.Dial(ctx) })
	if c.dht != nil {
		running.Go(func() { c.dht.Run(ctx) })
	}
	if !c.cfg.NoLocal {
		running.Go(func() {
			lsd.New(lsd.Config{
				Port: c.Addr().Port(), Bind: c.Addr().Addr(), Torrents: c.announced, Logger: c.log,
				Heard: func(infohash [20]byte, peer netip.AddrPort) {
					c.found(infohash, candidates.LSD, peer.Addr(), []netip.AddrPort{peer})
				},
			}).Run(ctx)
		})
	}
	err := c.host.Serve(ctx, c.ln)
	running.Wait()
	if ctx.Err() == nil && err != nil {
		return fmt.Errorf("taking connections of peers: %w", err)
	}
	return err
}

// trackers returns what speaks to trackers: those in private networks, too, only if local.
func (c *Client) trackers(local bool) *trackernet.Client {
	if local {
		return c.private
	}
	return c.public
}
