package seedserver

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
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
	public   *trackernet.Client // for trackers that torrents name
	private  *trackernet.Client // for those of torrents that come from a private network themselves
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
	ln, err := listenPeer(ctx, cfg.Peer, cfg.PeerExact)
	if err != nil {
		return nil, err
	}
	var random [12]byte
	crand.Read(random[:])
	id := peerwire.NewPeerID(peerIDPrefix, random[:])
	return &Client{
		cfg: cfg, log: cfg.Logger, id: id, ln: ln,
		host: swarm.NewHost(swarm.HostConfig{PeerID: id, MaxPeers: cfg.MaxPeers, Bind: boundAddr(ln).Addr(), Logger: cfg.Logger}),
		up:   budget.New(nil, cfg.MaxUp), down: budget.New(nil, cfg.MaxDown),
		pool:   storage.NewPool(0),
		public: trackernet.New(trackernet.Config{}), private: trackernet.New(trackernet.Config{Private: true}),
	}, nil
}

// Addr returns where peers connect to.
func (c *Client) Addr() netip.AddrPort { return boundAddr(c.ln) }

// Run takes and makes connections for all transfers until ctx ends, and returns its cause.
func (c *Client) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { c.host.Dial(ctx) })
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
