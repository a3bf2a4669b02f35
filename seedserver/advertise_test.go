package seedserver

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

func addrPorts(list ...string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range list {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

// TestAdvertisedAddresses walks the four rules in their order of precedence.
func TestAdvertisedAddresses(t *testing.T) {
	interfaces := []netip.Addr{netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("2001:db8::9")}
	direct := web.Via{Local: netip.MustParseAddrPort("192.0.2.1:8080"), Client: netip.MustParseAddr("192.0.2.77")}
	proxied := web.Via{Local: netip.MustParseAddrPort("10.0.0.1:8080"), Client: netip.MustParseAddr("192.0.2.77"), Proxied: true}
	loopback := web.Via{Local: netip.MustParseAddrPort("127.0.0.1:8080"), Client: netip.MustParseAddr("127.0.0.1")}
	tests := []struct {
		name       string
		cfg        Config
		bound      string
		interfaces []netip.Addr
		via        web.Via
		want       []netip.AddrPort
	}{
		{"what is configured wins", Config{Advertise: []string{"203.0.113.7:7000", "[2001:db8::7]:7000"}, URL: "http://198.51.100.1"}, "0.0.0.0:6881", interfaces, direct,
			addrPorts("203.0.113.7:7000", "[2001:db8::7]:7000")},
		{"then the host of the URL, at the peer port", Config{URL: "https://198.51.100.1:8443"}, "0.0.0.0:6882", interfaces, direct, addrPorts("198.51.100.1:6882")},
		{"then our end of the client's connection", Config{}, "[::]:6881", interfaces, direct, addrPorts("192.0.2.1:6881")},
		{"not behind a proxy", Config{}, "[::]:6881", interfaces, proxied, addrPorts("198.51.100.9:6881", "[2001:db8::9]:6881")},
		{"not from loopback", Config{}, "[::]:6881", interfaces, loopback, addrPorts("198.51.100.9:6881", "[2001:db8::9]:6881")},
		{"a listener bound to one address has no other", Config{}, "198.51.100.9:6881", interfaces, direct, addrPorts("198.51.100.9:6881")},
		{"a machine without a network has itself", Config{}, "[::]:6881", nil, loopback, addrPorts("127.0.0.1:6881")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAdvertiser(&tt.cfg, netip.MustParseAddrPort(tt.bound))
			a.interfaces = func() []netip.Addr { return tt.interfaces }
			require.NoError(t, a.resolve(t.Context()))
			require.Equal(t, tt.want, a.addrs(tt.via))
		})
	}
}

func TestReach(t *testing.T) {
	tests := []struct {
		name       string
		interfaces []string
		want       string
	}{
		{"public", []string{"10.0.0.1", "198.51.100.9"}, ""},
		{"private", []string{"192.168.1.2"}, "this works on this network only; set --url"},
		{"loopback", nil, "this works on this machine only; set --url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAdvertiser(&Config{}, netip.MustParseAddrPort("[::]:6881"))
			a.interfaces = func() (out []netip.Addr) {
				for _, s := range tt.interfaces {
					out = append(out, netip.MustParseAddr(s))
				}
				return out
			}
			require.Equal(t, tt.want, a.reach(web.Via{}))
		})
	}
}

func TestConfigCheck(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want string // part of the complaint; "" for none
	}{
		{"only a directory", Config{Dir: "x"}, ""},
		{"no directory", Config{}, "name one"},
		{"URL without a scheme", Config{Dir: "x", URL: "files.example.org"}, "https://files.example.org"},
		{"URL with a query", Config{Dir: "x", URL: "http://a/?b"}, "leave out"},
		{"advertise without a port", Config{Dir: "x", Advertise: []string{"203.0.113.7"}}, "HOST:PORT"},
		{"odd piece length", Config{Dir: "x", PieceLength: 100_000}, "power of two"},
		{"unknown mode", Config{Dir: "x", Mode: "eager"}, "one of"},
		{"unknown large", Config{Dir: "x", Large: "stream"}, "one of"},
		{"broken pattern", Config{Dir: "x", Units: []string{"["}}, "pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.cfg.Check()
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestPeerPortMovesOn: peer port 6881, and the next up to 6889 when taken.
func TestPeerPortMovesOn(t *testing.T) {
	ctx := t.Context()
	first, err := listenPeer(ctx, "127.0.0.1:0", true)
	require.NoError(t, err)
	defer first.Close()
	taken := boundAddr(first)
	_, err = listenPeer(ctx, taken.String(), true)
	require.ErrorContains(t, err, "--peer")

	_, err = listenHTTP(ctx, taken.String(), net.ListenConfig{})
	require.ErrorContains(t, err, "--http")
}

// TestInterfacesAreRemembered: the system is asked every few seconds, however often we are.
func TestInterfacesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		find := remembered(func() []netip.Addr {
			asked++
			return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(asked)})}
		})
		for range 100 {
			require.Equal(t, byte(1), find()[0].As4()[3])
		}
		time.Sleep(interfacesEvery)
		require.Equal(t, byte(2), find()[0].As4()[3])
		require.Equal(t, 2, asked)
	})
}
