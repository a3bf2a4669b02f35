package lsd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// maxHops keeps datagrams in the local network.
const maxHops = 1

// A socket is one in a multicast group, on all networks that do multicast.
type socket struct {
	conn net.PacketConn
	p4   *ipv4.PacketConn // one of them is nil
	p6   *ipv6.PacketConn
	at   netip.AddrPort // the group
	bind netip.Addr

	mu       sync.Mutex
	joined   map[int]bool   // interfaces, by their index
	networks []netip.Prefix // that are ours
}

// openGroups returns sockets in both groups, as far as there can be.
func openGroups(bind netip.Addr, log *slog.Logger) (groups []group) {
	for _, at := range []netip.AddrPort{group4, group6} {
		if bind.IsValid() && !bind.IsUnspecified() && bind.Unmap().Is4() != at.Addr().Is4() {
			continue
		}
		s, err := open(at, bind)
		if err != nil {
			log.Info("the local network is not asked for peers", "addr", at, "err", err)
			continue
		}
		groups = append(groups, s)
	}
	return groups
}

func open(at netip.AddrPort, bind netip.Addr) (*socket, error) {
	network := "udp6"
	if at.Addr().Is4() {
		network = "udp4"
	}
	// A multicast address makes the port one that others may listen on, too.
	conn, err := new(net.ListenConfig).ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, at: at, bind: bind, joined: map[int]bool{}}
	if at.Addr().Is4() {
		s.p4 = ipv4.NewPacketConn(conn)
		// Where the system does not say what a datagram was sent to, it is judged by where it came from alone.
		_ = s.p4.SetControlMessage(ipv4.FlagDst, true)
		err = errors.Join(s.p4.SetMulticastTTL(maxHops), s.p4.SetMulticastLoopback(true))
	} else {
		s.p6 = ipv6.NewPacketConn(conn)
		_ = s.p6.SetControlMessage(ipv6.FlagDst, true)
		err = errors.Join(s.p6.SetMulticastHopLimit(maxHops), s.p6.SetMulticastLoopback(true))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	s.look()
	return s, nil
}

func (s *socket) name() string { return s.at.String() }
func (s *socket) close()       { s.conn.Close() }

// look finds the networks there are, joins the group on those that are new, and returns the interfaces to send on.
func (s *socket) look() []net.Interface {
	all, _ := net.Interfaces()
	var use []net.Interface
	var networks []netip.Prefix
	for _, ifi := range all {
		if ifi.Flags&net.FlagUp == 0 || ifi.Flags&net.FlagMulticast == 0 {
			continue
		}
		here := prefixes(&ifi, s.at.Addr().Is4())
		if len(here) == 0 || !s.bound(here) {
			continue
		}
		networks = append(networks, here...)
		use = append(use, ifi)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networks = networks
	joined := map[int]bool{}
	for _, ifi := range use {
		joined[ifi.Index] = s.joined[ifi.Index] || s.join(&ifi) == nil
	}
	s.joined = joined
	return use
}

// bound reports whether we take peers at an address of an interface, or of its network.
func (s *socket) bound(here []netip.Prefix) bool {
	return !s.bind.IsValid() || s.bind.IsUnspecified() ||
		slices.ContainsFunc(here, func(p netip.Prefix) bool { return p.Contains(s.bind.Unmap().WithZone("")) })
}

// prefixes returns the addresses of an interface of one family, each with its network.
func prefixes(ifi *net.Interface, is4 bool) (list []netip.Prefix) {
	addrs, _ := ifi.Addrs()
	for _, a := range addrs {
		ipnet, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(ipnet.IP)
		ones, _ := ipnet.Mask.Size()
		if ip = ip.Unmap(); ip.IsValid() && ip.Is4() == is4 {
			list = append(list, netip.PrefixFrom(ip, ones))
		}
	}
	return list
}

func (s *socket) join(ifi *net.Interface) error {
	if s.p4 != nil {
		return s.p4.JoinGroup(ifi, net.UDPAddrFromAddrPort(s.at))
	}
	return s.p6.JoinGroup(ifi, net.UDPAddrFromAddrPort(s.at))
}

func (s *socket) send(b []byte) (err error) {
	to := net.UDPAddrFromAddrPort(s.at)
	for _, ifi := range s.look() {
		var e error
		if s.p4 != nil {
			cm := &ipv4.ControlMessage{IfIndex: ifi.Index}
			if s.bind.IsValid() && !s.bind.IsUnspecified() {
				cm.Src = s.bind.Unmap().AsSlice()
			}
			_, e = s.p4.WriteTo(b, cm, to)
		} else {
			cm := &ipv6.ControlMessage{IfIndex: ifi.Index}
			if s.bind.IsValid() && !s.bind.IsUnspecified() {
				cm.Src = s.bind.AsSlice()
			}
			_, e = s.p6.WriteTo(b, cm, to)
		}
		err = errors.Join(err, e)
	}
	return err
}

// read passes over what was not sent to the group, or from elsewhere than a network of ours.
func (s *socket) read(b []byte) (int, netip.AddrPort, error) {
	for {
		n, dst, src, err := s.receive(b)
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		udp, ok := src.(*net.UDPAddr)
		if !ok || dst != nil && !dst.Equal(s.at.Addr().AsSlice()) {
			continue
		}
		from := udp.AddrPort()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if s.local(from.Addr()) {
			return n, from, nil
		}
	}
}

func (s *socket) receive(b []byte) (n int, dst net.IP, src net.Addr, err error) {
	if s.p4 != nil {
		n, cm, src, err := s.p4.ReadFrom(b)
		if cm != nil {
			dst = cm.Dst
		}
		return n, dst, src, err
	}
	n, cm, src, err := s.p6.ReadFrom(b)
	if cm != nil {
		dst = cm.Dst
	}
	return n, dst, src, err
}

// local reports whether from is in a network of ours.
func (s *socket) local(from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = from.WithZone("")
	return slices.ContainsFunc(s.networks, func(p netip.Prefix) bool { return p.Contains(from) })
}
