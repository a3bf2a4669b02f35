package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/dhtnet"
)

// dhtCmd speaks to the DHT.
type dhtCmd struct {
	Ping  dhtPingCmd  `cmd:"" help:"Say whether a node answers, and what it says."`
	Peers dhtPeersCmd `cmd:"" help:"Print the peers of a torrent."`
	Node  dhtNodeCmd  `cmd:"" help:"Be a node, without serving anything: a router for a network of one's own."`
}

// dhtRouters reads the words that --dht-router takes besides nodes.
func dhtRouters(list []string) (routers []string, off bool) {
	for _, r := range list {
		switch r {
		case "off":
			return nil, true
		case "none":
			return nil, false
		}
	}
	return list, false
}

// startDHT runs a node for a few questions, until ctx ends. It answers none, as it will be gone soon (BEP 43).
func startDHT(ctx context.Context, routers []string) (*dhtnet.Server, error) {
	conns, err := dhtnet.Listen(ctx, netip.AddrPortFrom(netip.IPv6Unspecified(), 0))
	if err != nil {
		return nil, err
	}
	s, err := dhtnet.New(dhtnet.Config{Conns: conns, Node: dht.Config{ReadOnly: true}, Routers: routers})
	if err != nil {
		return nil, err
	}
	go s.Run(ctx) // ends with ctx, before the process does
	return s, nil
}

// dhtPingCmd asks one node.
type dhtPingCmd struct {
	Node string `arg:"" help:"The node, HOST:PORT."`
}

func (c *dhtPingCmd) Run(ctx context.Context, s streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	addrs, err := dhtnet.Resolve(ctx, c.Node)
	if err != nil {
		return usageError{err.Error()}
	}
	server, err := startDHT(ctx, nil)
	if err != nil {
		return err
	}
	answered := false
	for _, addr := range addrs {
		pong, err := server.Ping(ctx, addr)
		if err != nil {
			return err
		}
		if !pong.OK {
			fmt.Fprintf(s.out, "%s did not answer\n", addr)
			continue
		}
		answered = true
		fmt.Fprintf(s.out, "%s answered in %v\n", addr, pong.RTT.Round(10*time.Microsecond))
		fmt.Fprintf(s.out, "  id       %s\n", pong.ID)
		if !dht.Compliant(pong.ID, addr.Addr()) {
			fmt.Fprintln(s.out, "           its address does not admit this id (BEP 42)")
		}
		if v := pong.Version; len(v) == 4 {
			fmt.Fprintf(s.out, "  software %s %d.%d\n", strings.ToValidUTF8(fmt.Sprintf("%q", v[:2]), "?"), v[2], v[3])
		}
		if pong.External.IsValid() {
			fmt.Fprintf(s.out, "  sees us  %s\n", pong.External)
		}
	}
	if !answered {
		return fmt.Errorf("%s: no node answers; is its UDP port open?", c.Node)
	}
	return nil
}

// dhtPeersCmd looks for peers.
type dhtPeersCmd struct {
	Torrent   string        `arg:"" help:"An infohash, a magnet link or a .torrent file."`
	DHTRouter []string      `name:"dht-router" default:"${routers}" help:"Node from which the DHT is joined, HOST:PORT; repeatable (default: the public routers)." placeholder:"HOST:PORT"`
	Timeout   time.Duration `default:"1m" help:"How long to look at most."`
}

func (c *dhtPeersCmd) Run(ctx context.Context, s streams) error {
	infohash, nodes, err := c.target()
	if err != nil {
		return err
	}
	routers, _ := dhtRouters(c.DHTRouter)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	server, err := startDHT(ctx, append(nodes, routers...))
	if err != nil {
		return err
	}
	if err := joined(ctx, server); err != nil {
		return err
	}
	count := 0
	done, err := server.Lookup(ctx, infohash, dht.Peers, func(peers []netip.AddrPort) {
		for _, p := range peers {
			count++
			fmt.Fprintln(s.out, p)
		}
	})
	if err != nil && ctx.Err() == nil {
		return err
	}
	asked, answered := 0, 0
	for _, d := range done {
		asked, answered = asked+d.Asked, answered+d.Answered
	}
	fmt.Fprintf(s.err, "%d peers; %d of %d nodes answered\n", count, answered, asked)
	if count == 0 {
		return fmt.Errorf("no peers of %s found", metainfo.InfoHash(infohash))
	}
	return nil
}

// joined waits until the table has somebody to ask.
func joined(ctx context.Context, server *dhtnet.Server) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		st, err := server.Stats(ctx)
		if err == nil && slices.ContainsFunc(st.Families, func(f dht.FamilyStats) bool { return f.Ready }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no router of the DHT answers; name another with --dht-router")
		case <-tick.C:
		}
	}
}

// target reads what is looked for, and the nodes that it names.
func (c *dhtPeersCmd) target() (infohash [20]byte, nodes []string, err error) {
	node := func(list []metainfo.Node) {
		for _, n := range list {
			nodes = append(nodes, fmt.Sprintf("%s:%d", n.Host, n.Port))
		}
	}
	if b, err := hex.DecodeString(c.Torrent); err == nil && len(b) == len(infohash) {
		return [20]byte(b), nil, nil
	}
	if strings.HasPrefix(c.Torrent, "magnet:") {
		m, err := metainfo.ParseMagnet(c.Torrent)
		if err != nil {
			return infohash, nil, usageError{err.Error()}
		}
		if !m.HasInfoHash {
			return infohash, nil, usageError{"the link has no infohash of BitTorrent v1"}
		}
		node(m.Nodes)
		return m.InfoHash, nodes, nil
	}
	t, err := readTorrent(c.Torrent)
	if err != nil {
		return infohash, nil, err
	}
	if t.Info.Private {
		return infohash, nil, fmt.Errorf("%s is private: it is not in the DHT", c.Torrent)
	}
	node(t.Nodes)
	return t.InfoHash, nodes, nil
}

// dhtNodeCmd is a node that serves nothing.
type dhtNodeCmd struct {
	Addr             string   `arg:"" optional:"" default:":6881" help:"Where it listens, HOST:PORT."`
	DHTRouter        []string `name:"dht-router" default:"${routers}" help:"Node from which the DHT is joined, HOST:PORT; repeatable. none: others join us (default: the public routers)." placeholder:"HOST:PORT"`
	File             string   `help:"Keep the id and the best nodes in this file." type:"path" placeholder:"FILE"`
	AnswersPerSource float64  `default:"10" help:"Queries of one address that are answered each second; -1: all."`
	Answers          float64  `default:"1000" help:"Queries that are answered each second; -1: all."`
}

func (c *dhtNodeCmd) Run(ctx context.Context, s streams) error {
	host, port, found := strings.Cut(c.Addr, ":")
	if found && host == "" {
		c.Addr = "[::]:" + port
	}
	addr, err := netip.ParseAddrPort(c.Addr)
	if err != nil {
		return usageError{fmt.Sprintf("address %q: give ADDRESS:PORT or :PORT", c.Addr)}
	}
	conns, err := dhtnet.Listen(ctx, addr)
	if err != nil {
		return err
	}
	routers, _ := dhtRouters(c.DHTRouter)
	server, err := dhtnet.New(dhtnet.Config{
		Conns: conns, Routers: routers, File: c.File,
		Node: dht.Config{Port: addr.Port(), AnswersPerSource: c.AnswersPerSource, Answers: c.Answers, Version: [4]byte{'S', 'E', 1, 0}},
	})
	if err != nil {
		return err
	}
	for _, a := range server.Addrs() {
		fmt.Fprintf(s.out, "DHT node at udp %s\n", a)
	}
	return server.Run(ctx)
}
