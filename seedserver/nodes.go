package seedserver

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht/dhtnet"
	"github.com/seedserver/bittorrent/tracker"
)

// Bounds of the nodes of the DHT that one torrent names.
const (
	maxNodes     = 64 // by address
	maxNodeNames = 8
	maxNodeAddrs = 4 // of each name
	maxLookups   = 4 // of names, at a time, by all torrents together
)

// nodePauses are how long is waited before names are looked up: the network may come up later than we do.
var nodePauses = []time.Duration{0, time.Minute, 10 * time.Minute}

// addNodes tells the DHT of nodes that a torrent names (BEP 5), and returns when the names of hosts among them are found, cannot be, or
// ctx ends. Names lead to private networks only if local; what an address leads
// to is seen by whoever looks at the torrent.
func (c *Client) addNodes(ctx context.Context, nodes []metainfo.Node, local bool) {
	if c.dht == nil || len(nodes) == 0 {
		return
	}
	f := nodeFinder{local: local, lookups: c.lookups, resolve: dhtnet.Resolve, add: c.dht.AddNodes}
	f.find(ctx, nodes)
}

// A nodeFinder finds the addresses of nodes.
type nodeFinder struct {
	local   bool
	lookups chan struct{} // holds one for each that is under way
	resolve func(ctx context.Context, node string) ([]netip.AddrPort, error)
	add     func(...netip.AddrPort)
}

func (f *nodeFinder) find(ctx context.Context, nodes []metainfo.Node) {
	var addrs []netip.AddrPort
	var names []string
	for _, n := range nodes {
		name := net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port)))
		ip, err := netip.ParseAddr(n.Host)
		switch {
		case err == nil && len(addrs) < maxNodes:
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), n.Port))
		case err != nil && len(names) < maxNodeNames && !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	f.add(addrs...)
	for _, pause := range nodePauses {
		if len(names) == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		names = slices.DeleteFunc(names, func(name string) bool { return f.lookUp(ctx, name) })
	}
}

// lookUp adds a node of that name, and reports whether it is to be found. A name that leads where it may not is not looked up again.
func (f *nodeFinder) lookUp(ctx context.Context, name string) bool {
	select {
	case f.lookups <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	addrs, err := f.resolve(ctx, name)
	<-f.lookups
	if err != nil {
		return false
	}
	addrs = slices.DeleteFunc(addrs, func(a netip.AddrPort) bool { return !f.local && !tracker.Public(a.Addr()) })
	f.add(addrs[:min(len(addrs), maxNodeAddrs)]...)
	return true
}
