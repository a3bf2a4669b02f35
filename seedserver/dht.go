package seedserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/dhtnet"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// dhtFile is where the node keeps its table, in the state directory.
const dhtFile = "dht"

// dhtVersion names us in the DHT: two letters and two bytes of a version.
var dhtVersion = [4]byte{'S', 'E', 1, 0}

// listenDHT opens the node's sockets at the peer listener's address, and makes the node. Without them the server works, but is not
// in the DHT.
func (s *Server) listenDHT(ctx context.Context) {
	if s.cfg.NoDHT {
		return
	}
	bound := boundAddr(s.peer)
	conns, err := dhtnet.Listen(ctx, bound)
	if err != nil {
		s.log.Warn("the server takes no part in the DHT: choose another port with --peer", "err", err)
		return
	}
	node := dht.Config{Port: bound.Port(), Version: dhtVersion}
	for _, ap := range s.addrs(web.Via{}) {
		node.External = append(node.External, ap.Addr())
		node.Port = ap.Port()
	}
	d, err := dhtnet.New(dhtnet.Config{
		Conns: conns, Node: node, Routers: s.cfg.DHTRouters, File: filepath.Join(s.cfg.State, dhtFile), Found: s.torrents.foundByDHT, Logger: s.log,
	})
	if err != nil {
		s.log.Warn("the server takes no part in the DHT", "err", err)
		return
	}
	s.dht = d
	s.torrents.dht = d
}

// foundByDHT hands peers that an announce came upon to their torrent, which wakes for them: they may have looked for us before we
// were to be found. It is called by the node's own goroutine, which must not wait.
func (ts *torrents) foundByDHT(infohash [20]byte, from netip.AddrPort, peers []netip.AddrPort) {
	t := ts.find(infohash)
	if t == nil {
		return
	}
	own := ts.own()
	var list []candidates.Peer
	for _, addr := range peers {
		if !slices.Contains(own, addr) {
			list = append(list, candidates.Peer{Addr: addr})
		}
	}
	if len(list) == 0 {
		return
	}
	ts.spawn(func(context.Context) {
		if s := ts.wake(t); s != nil && s.WantsPeers() {
			s.AddCandidates(candidates.DHT, from.Addr(), list...)
		}
	})
}

// announceInDHT makes a torrent known in the DHT: never a private one (BEP 27).
func (ts *torrents) announceInDHT(h metainfo.InfoHash, private bool) {
	if ts.dht != nil && !private {
		ts.dht.Publish(h)
	}
}

// leaveDHT ends that.
func (ts *torrents) leaveDHT(h metainfo.InfoHash) {
	if ts.dht != nil {
		ts.dht.Withdraw(h)
	}
}

// demandInDHT has a torrent announced before others: somebody just took it.
func (ts *torrents) demandInDHT(h metainfo.InfoHash, private bool) {
	if ts.dht != nil && !private {
		ts.dht.Demand(h)
	}
}

// nodes returns the nodes that a torrent without a tracker names: ours, as a client that came by via reaches it, and the routers.
func (s *Server) nodes(via web.Via) []metainfo.Node {
	if s.dht == nil {
		return nil
	}
	var nodes []metainfo.Node
	for _, ap := range s.addrs(via) {
		nodes = append(nodes, metainfo.Node{Host: ap.Addr().String(), Port: ap.Port()})
	}
	for _, router := range s.cfg.DHTRouters {
		host, portText, err := net.SplitHostPort(router)
		port, err2 := strconv.ParseUint(portText, 10, 16)
		if err == nil && err2 == nil {
			nodes = append(nodes, metainfo.Node{Host: host, Port: uint16(port)})
		}
	}
	return nodes
}

// DHTAddrs returns where the node of the DHT listens; none before Listen, or when the server takes no part in it.
func (s *Server) DHTAddrs() []netip.AddrPort {
	if s.dht == nil {
		return nil
	}
	return s.dht.Addrs()
}

// dhtStatus describes the node to the status pages, nil when there is none, or it does not answer at once.
func (s *Server) dhtStatus() *admin.DHT {
	if s.dht == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	st, err := s.dht.Stats(ctx)
	if err != nil {
		return nil
	}
	d := &admin.DHT{
		Lookups: st.Running, LookupsDone: int64(st.Lookups), Published: st.Published, Overdue: st.Overdue, Announces: int64(st.Announces),
		Stores: int64(st.Stores), Found: int64(st.Found), PacketsIn: int64(st.PacketsIn), PacketsOut: int64(st.PacketsOut),
		BytesIn: int64(st.BytesIn), BytesOut: int64(st.BytesOut), Answered: int64(st.Answered), Dropped: int64(st.Dropped), Lost: int64(st.Lost),
	}
	for _, f := range st.Families {
		d.Tables = append(d.Tables, admin.DHTTable{
			Family: map[bool]string{false: "IPv4", true: "IPv6"}[f.IPv6], ID: f.ID.String(), Contacts: f.Contacts, Good: f.Good, Ready: f.Ready,
			Infohashes: f.Swarms, Peers: f.Peers,
		})
		if f.External.IsValid() {
			d.Tables[len(d.Tables)-1].External = f.External.String()
		}
	}
	return d
}

// checkRouters finds a router that cannot be one.
func (c *Config) checkRouters() error {
	for _, router := range c.DHTRouters {
		if _, _, err := splitHostPort(router); err != nil {
			return fmt.Errorf("dht-router %q: give HOST:PORT, for example router.example.org:6881; none for no router, off for no DHT", router)
		}
	}
	return nil
}
