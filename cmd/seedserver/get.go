package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// getCmd downloads one torrent.
type getCmd struct {
	Source    string        `arg:"" help:"A .torrent file, a URL, or a magnet link."`
	SaveAs    string        `name:"saveas" help:"The file, or for a torrent of many files the directory, to save to (default: its name, here)." placeholder:"PATH" type:"path"`
	Seed      bool          `help:"Go on seeding when all is there, until interrupted."`
	MaxUp     budget.Rate   `help:"Send at most this much per second (default: no limit)." placeholder:"RATE"`
	MaxDown   budget.Rate   `help:"Receive at most this much per second (default: no limit)." placeholder:"RATE"`
	MaxPeers  int           `help:"Have at most this many connections." default:"200"`
	Port      string        `name:"peer" help:"Take connections of peers here; if taken, at the next ports up to 6889." default:":6881"`
	DHTRouter []string      `name:"dht-router" default:"${routers}" help:"Node from which the DHT is joined, HOST:PORT; repeatable. none: by nobody; off: take no part (default: the public routers)." placeholder:"HOST:PORT"`
	AddPeer   []string      `help:"Connect to this peer, too." placeholder:"HOST:PORT"`
	GiveUp    time.Duration `help:"Stop with an error when nothing was received for so long; 0 for never." default:"10m"`
	Overwrite bool          `help:"Replace a file that is there and holds something else."`
	Local     bool          `help:"Let the trackers and web seeds of a torrent be on this machine or in this network. A URL that is there itself needs no such flag."`
	MaxSize   budget.Bytes  `help:"Take at most this much of a plain file whose server does not say how large it is." default:"4GiB"`
	Memory    budget.Bytes  `help:"Hold at most this much that is not written yet." default:"64MiB"`
	JSON      bool          `name:"json" help:"Print one JSON object a second, and one at the end."`
	Verbose   bool          `short:"v" help:"Log what happens."`
}

// Run downloads, and seeds if asked to.
func (c *getCmd) Run(ctx context.Context, s streams) error {
	peers, err := addrPorts(c.AddPeer)
	if err != nil {
		return usageError{err.Error()}
	}
	if c.MaxPeers < 1 {
		return usageError{"--max-peers must be at least 1"}
	}
	routers, noDHT := dhtRouters(c.DHTRouter)
	client, err := seedserver.NewClient(ctx, seedserver.ClientConfig{
		DHTRouters: routers, NoDHT: noDHT,
		Peer: c.Port, MaxUp: int64(c.MaxUp), MaxDown: int64(c.MaxDown), MaxPeers: c.MaxPeers, Memory: int64(c.Memory), Logger: c.logger(s),
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- client.Run(running) }()
	defer func() {
		stop()
		<-ended
	}()
	found, err := c.find(running, s, client, peers)
	if err != nil || found == nil {
		return err
	}
	return c.transfer(running, s, client, found)
}

func (c *getCmd) logger(s streams) *slog.Logger {
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
}

// A find is a torrent that a source led to, and what that says about it.
type find struct {
	torrent *metainfo.Torrent
	peers   []netip.AddrPort
	private bool // the source is in a private network
}

// saveAs returns where to save a torrent. One that calls itself ".ssh" does not become that by itself.
func (c *getCmd) saveAs(info *metainfo.Info) (string, error) {
	switch {
	case c.SaveAs != "":
		return c.SaveAs, nil
	case strings.HasPrefix(info.Name, "."):
		return "", fmt.Errorf("the torrent's name, %q, is that of a hidden file: say with --saveas where to save it", printable(info.Name))
	}
	return filepath.Clean(info.Name), nil
}

// transfer downloads a torrent, shows how far it is, and returns when it is complete, or, with --seed, when ctx ends.
func (c *getCmd) transfer(ctx context.Context, s streams, client *seedserver.Client, f *find) error {
	path, err := c.saveAs(f.torrent.Info)
	if err != nil {
		return err
	}
	t, err := client.NewTransfer(seedserver.TransferConfig{
		Torrent: f.torrent, Path: path, Overwrite: c.Overwrite, Peers: f.peers, Private: f.private,
	})
	if err != nil {
		return err
	}
	transferring, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() { ended <- t.Run(transferring) }()
	show := newTransferView(s, c.JSON, f.torrent, path)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	done := t.Done()
	idle := idleness{patience: c.GiveUp, since: time.Now()}
	for {
		select {
		case err := <-ended:
			show.end(t.Status(), err)
			switch {
			case errors.Is(err, errComplete):
				return nil
			case ctx.Err() != nil && isClosed(t.Done()):
				return nil // seeded until it was told to stop
			case ctx.Err() != nil:
				return fmt.Errorf("%w; run the same command to go on", context.Canceled)
			}
			return err
		case <-done:
			done = nil
			show.complete(t.Status(), c.Seed)
			if !c.Seed {
				stop(errComplete)
			}
		case now := <-tick.C:
			st := t.Status()
			if err := idle.judge(now, st); err != nil {
				stop(err)
			}
			show.progress(st, idle.left(now))
		}
	}
}

var errComplete = errors.New("complete")

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// An idleness is for how long nothing was received, or nothing could be written.
type idleness struct {
	patience time.Duration // 0: without end
	since    time.Time
	received int64
	broken   time.Time // since when nothing can be written though the disk is not full; zero if that is not so
}

// brokenPatience is for how long it is tried to write what cannot be written, and fetched for nothing.
const brokenPatience = 15 * time.Second

// judge returns an error when patience is at an end.
func (i *idleness) judge(now time.Time, st seedserver.TransferStatus) error {
	switch {
	case st.Phase != seedserver.Downloading || st.Trouble == nil || errors.Is(st.Trouble, storage.ErrFull):
		i.broken = time.Time{}
	case i.broken.IsZero():
		i.broken = now
	case now.Sub(i.broken) >= brokenPatience:
		return fmt.Errorf("gave up: %w", st.Trouble)
	}
	if st.Phase != seedserver.Downloading || st.Swarm.Downloaded != i.received || st.Trouble != nil {
		i.since, i.received = now, st.Swarm.Downloaded
		return nil
	}
	if i.patience <= 0 || now.Sub(i.since) < i.patience {
		return nil
	}
	who := "nobody answered"
	if st.Swarm.Peers > 0 {
		who = fmt.Sprintf("none of %d peers gave anything", st.Swarm.Peers)
	}
	return fmt.Errorf("gave up: %s for %v; what is there is kept", who, i.patience)
}

// left returns how long it is until judge gives up, if nothing has come for a while; else 0.
func (i *idleness) left(now time.Time) time.Duration {
	if idle := now.Sub(i.since); i.patience > 0 && idle >= 10*time.Second {
		return i.patience - idle
	}
	return 0
}

// addrPorts reads addresses of peers.
func addrPorts(list []string) (addrs []netip.AddrPort, err error) {
	for _, text := range list {
		a, err := netip.ParseAddrPort(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address like 192.0.2.1:6881 or [2001:db8::1]:6881", text)
		}
		if a.Port() < 1024 {
			return nil, fmt.Errorf("%q: ports below 1024 are those of other services, and no peers are dialled there", text)
		}
		addrs = append(addrs, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
	return addrs, nil
}

// find turns the source into a torrent.
func (c *getCmd) find(ctx context.Context, s streams, client *seedserver.Client, peers []netip.AddrPort) (*find, error) {
	c.Source = asMagnet(c.Source)
	switch lower := strings.ToLower(c.Source); {
	case strings.HasPrefix(lower, "magnet:"):
		return c.findMagnet(ctx, s, client, peers)
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return c.findURL(ctx, s, peers)
	case strings.Contains(lower, "://"):
		return nil, usageError{fmt.Sprintf("%q: give a .torrent file, a URL that begins with http:// or https://, or a magnet link", c.Source)}
	}
	t, err := readTorrent(c.Source)
	if err != nil {
		return nil, err
	}
	return &find{torrent: t, peers: peers, private: c.Local}, nil
}

// asMagnet makes a magnet link of an infohash that stands alone, as people copy it; all else it returns as it is.
func asMagnet(source string) string {
	if _, err := os.Stat(source); err == nil {
		return source
	}
	h, err := metainfo.ParseInfoHash(source)
	if err != nil {
		return source
	}
	return "magnet:?xt=urn:btih:" + h.String()
}

// encode prints one JSON object on a line.
func encode(s streams, v any) {
	json.NewEncoder(s.out).Encode(v)
}
