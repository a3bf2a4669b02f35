package seedserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// advertiser knows at which addresses peers reach us. Its answer goes into the tracker's peer lists and magnet links alike,
// so that no client is ever told two different things.
type advertiser struct {
	bound      netip.AddrPort // where the peer listener is bound; an unspecified address means all interfaces
	explicit   []string       // HOST:PORT as configured; these win
	urlHost    string         // host of the public URL, "" without one
	interfaces func() []netip.Addr
	resolved   atomic.Pointer[[]netip.AddrPort] // of explicit, else of urlHost; nil when there is neither
}

// resolveEvery is how long a name's addresses are believed.
const resolveEvery = 5 * time.Minute

func newAdvertiser(cfg *Config, bound netip.AddrPort) *advertiser {
	a := &advertiser{bound: bound, explicit: cfg.Advertise, interfaces: remembered(outwardAddrs)}
	if u, err := url.Parse(cfg.URL); err == nil {
		a.urlHost = u.Hostname()
	}
	return a
}

// run keeps the resolved names fresh until ctx ends.
func (a *advertiser) run(ctx context.Context) {
	timer := time.NewTicker(resolveEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			a.resolve(ctx)
		}
	}
}

// resolve looks the configured names up. What fails keeps its former answer.
func (a *advertiser) resolve(ctx context.Context) error {
	hosts := a.explicit
	if len(hosts) == 0 {
		if a.urlHost == "" {
			return nil
		}
		hosts = []string{net.JoinHostPort(a.urlHost, strconv.Itoa(int(a.bound.Port())))}
	}
	var addrs []netip.AddrPort
	var failure error
	for _, hp := range hosts {
		host, port, err := splitHostPort(hp)
		if err != nil {
			return err
		}
		ips, err := lookup(ctx, host)
		if err != nil {
			failure = fmt.Errorf("looking up %s: %w", host, err)
			continue
		}
		for _, ip := range ips {
			addrs = append(addrs, netip.AddrPortFrom(ip, port))
		}
	}
	if len(addrs) > 0 {
		a.resolved.Store(&addrs)
		return nil
	}
	return failure
}

// addrs returns our peer addresses for a client: what was configured; else the public URL's host; else our end of the client's own
// connection, when neither a proxy nor loopback stands between; else the addresses of our interfaces.
func (a *advertiser) addrs(v web.Via) []netip.AddrPort {
	if r := a.resolved.Load(); r != nil {
		return *r
	}
	port := a.bound.Port()
	if ip := a.bound.Addr(); ip.IsValid() && !ip.IsUnspecified() {
		return []netip.AddrPort{a.bound}
	}
	if local := v.Local.Addr(); local.IsValid() && !v.Proxied && !local.IsLoopback() {
		return []netip.AddrPort{netip.AddrPortFrom(local, port)}
	}
	var out []netip.AddrPort
	for _, ip := range a.interfaces() {
		out = append(out, netip.AddrPortFrom(ip, port))
	}
	if len(out) == 0 {
		out = append(out, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
	}
	return out
}

// reach says in words how far the addresses carry that a client which came by via is told, "" when everybody can use them.
func (a *advertiser) reach(via web.Via) string {
	addrs := a.addrs(via)
	if slices.ContainsFunc(addrs, func(ap netip.AddrPort) bool { return ap.Addr().IsGlobalUnicast() && !ap.Addr().IsPrivate() }) {
		return ""
	}
	if slices.ContainsFunc(addrs, func(ap netip.AddrPort) bool { return !ap.Addr().IsLoopback() }) {
		return "this works on this network only; set --url"
	}
	return "this works on this machine only; set --url"
}

// interfacesEvery is how long the addresses of the interfaces are believed.
const interfacesEvery = 5 * time.Second

// remembered returns find, but asks it only every interfacesEvery: an index asks for each of its rows, and the answer is a dozen
// system calls. Callers do not change the slice.
func remembered(find func() []netip.Addr) func() []netip.Addr {
	type answer struct {
		at    time.Time
		addrs []netip.Addr
	}
	var last atomic.Pointer[answer]
	return func() []netip.Addr {
		now := time.Now()
		if a := last.Load(); a != nil && now.Sub(a.at) < interfacesEvery {
			return a.addrs
		}
		a := &answer{now, find()}
		last.Store(a)
		return a.addrs
	}
}

// outwardAddrs lists the interface addresses others can reach: global ones first, then private ones; never loopback or link-local.
func outwardAddrs() []netip.Addr {
	ifaddrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var global, private []netip.Addr
	for _, ia := range ifaddrs {
		n, ok := ia.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		ip = ip.Unmap()
		switch {
		case !ok || !ip.IsGlobalUnicast():
		case ip.IsPrivate():
			private = append(private, ip)
		default:
			global = append(global, ip)
		}
	}
	return append(global, private...)
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return ips, err
}

// splitHostPort parses HOST:PORT with a numeric port from 1 to 65535.
func splitHostPort(s string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 || host == "" {
		return "", 0, fmt.Errorf("%q is not HOST:PORT", s)
	}
	return host, uint16(n), nil
}
