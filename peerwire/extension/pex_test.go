package extension_test

import (
	"net/netip"
	"testing"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/stretchr/testify/require"
)

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// addrs returns n different addresses, of both families in turn.
func addrs(n int) (list []netip.AddrPort) {
	for i := range n {
		ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if i%2 == 1 {
			ip = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(i)})
		}
		list = append(list, netip.AddrPortFrom(ip, uint16(1000+i)))
	}
	return list
}

func parsePEX(t *testing.T, payload []byte) extension.PEX {
	t.Helper()
	p, err := extension.ParsePEX(payload)
	require.NoError(t, err)
	return p
}

func TestPEXVectors(t *testing.T) {
	wire := payload(t, "ut_pex")
	want := extension.PEX{
		Added: []extension.PEXPeer{
			{Addr: addr("192.0.2.1:6881"), Flags: extension.PEXSeed},
			{Addr: addr("198.51.100.7:51413"), Flags: extension.PEXUTP | extension.PEXReachable},
			{Addr: addr("[2001:db8::1]:6881"), Flags: extension.PEXEncryption},
		},
		Dropped: []netip.AddrPort{addr("192.0.2.9:1")},
	}
	require.Equal(t, want, parsePEX(t, wire))
	require.Equal(t, wire, want.AppendTo(nil))

	got := parsePEX(t, payload(t, "ut_pex without added.f"))
	plain := []extension.PEXPeer{{Addr: want.Added[0].Addr}, {Addr: want.Added[1].Addr}}
	require.Equal(t, plain, got.Added, "added.f is optional (BEP 11)")
}

func TestParsePEX(t *testing.T) {
	one := []extension.PEXPeer{{Addr: addr("1.2.3.4:258")}}
	tests := []struct {
		name, payload string
		want          extension.PEX
	}{
		{"an empty dict", "de", extension.PEX{}},
		{"bytes behind the dict", "dejunk", extension.PEX{}},
		{"values of other types", "d5:addedi1e7:droppedlee", extension.PEX{}},
		{"flags of another number", "d5:added6:\x01\x02\x03\x04\x01\x027:added.f2:ab8:added6.f1:ae", extension.PEX{}},
		{"flags of another type", "d5:added6:\x01\x02\x03\x04\x01\x027:added.fi1ee", extension.PEX{Added: one}},
		{"a length that is no list", "d5:added7:\x01\x02\x03\x04\x01\x02x7:dropped5:abcdee", extension.PEX{}},
		{"port 0", "d5:added6:\x01\x02\x03\x04\x00\x007:added.f1:\x00e", extension.PEX{}},
		{"the unspecified address", "d5:added6:\x00\x00\x00\x00\x01\x02e", extension.PEX{}},
		{"multicast", "d5:added6:\xe0\x00\x00\x01\x01\x02e", extension.PEX{}},
		{"one twice", "d5:added12:\x01\x02\x03\x04\x01\x02\x01\x02\x03\x04\x01\x02e", extension.PEX{Added: one}},
		{"one in both lists", "d5:added6:\x01\x02\x03\x04\x01\x027:dropped6:\x01\x02\x03\x04\x01\x02e", extension.PEX{}},
		{"one mapped into IPv6", "d6:added618:" + string(netip.MustParseAddr("::ffff:1.2.3.4").AsSlice()) + "\x01\x02e",
			extension.PEX{Added: one}},
		{"flags stay with their peer", "d5:added12:\x01\x02\x03\x04\x00\x00\x01\x02\x03\x04\x01\x027:added.f2:\x02\x10e",
			extension.PEX{Added: []extension.PEXPeer{{Addr: one[0].Addr, Flags: extension.PEXReachable}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, parsePEX(t, []byte(tt.payload))) })
	}
	for _, bad := range []string{"", "le", "d5:added"} {
		_, err := extension.ParsePEX([]byte(bad))
		require.ErrorIs(t, err, extension.ErrPayload)
	}
}

func TestParsePEXBoundsTheLists(t *testing.T) {
	long := make([]byte, 0, 6*10_000)
	for i := range 10_000 {
		long = append(long, 1, 2, byte(i>>8), byte(i), 1, 2)
	}
	dict := bencode.AppendBytes(bencode.AppendKey(bencode.AppendDictStart(nil), "added"), long)
	dict = bencode.AppendEnd(bencode.AppendBytes(bencode.AppendKey(dict, "dropped"), long[600:]))
	p := parsePEX(t, dict)
	require.Len(t, p.Added, 100)
	require.Len(t, p.Dropped, 100)
}

// "The combined amount of added v4/v6 contacts should not exceed 50 entries. The same applies to dropped entries" (BEP 11).
func TestPEXAppendKeepsTheLimits(t *testing.T) {
	list := addrs(200)
	var p extension.PEX
	for _, a := range list[:100] {
		p.Added = append(p.Added, extension.PEXPeer{Addr: a})
	}
	p.Dropped = list[100:]
	got := parsePEX(t, p.AppendTo(nil))
	require.Len(t, got.Added, extension.MaxPEX)
	require.Len(t, got.Dropped, extension.MaxPEX)
	require.ElementsMatch(t, p.Added[:50], got.Added, "the first ones")
	require.ElementsMatch(t, p.Dropped[:50], got.Dropped)
}

// "Added or removed contacts must not contain duplicates" and "an added contact must not be dropped in the same message" (BEP 11).
func TestPEXAppendLeavesOut(t *testing.T) {
	list := addrs(4)
	p := extension.PEX{
		Added: []extension.PEXPeer{{Addr: list[0]}, {Addr: list[1]}, {Addr: list[0]}, {}, {Addr: addr("192.0.2.3:0")},
			{Addr: addr("[fe80::1%eth0]:1")}, {Addr: addr("[::ffff:192.0.2.77]:1")}},
		Dropped: []netip.AddrPort{list[1], list[2], list[2], {}},
	}
	require.Equal(t, extension.PEX{
		Added:   []extension.PEXPeer{{Addr: list[0]}, {Addr: addr("192.0.2.77:1")}, {Addr: addr("[fe80::1]:1")}},
		Dropped: []netip.AddrPort{list[2]},
	}, parsePEX(t, p.AppendTo(nil)))
}

func TestPEXAlwaysHasFlags(t *testing.T) {
	wire := extension.PEX{Added: []extension.PEXPeer{{Addr: addr("[2001:db8::1]:6881")}}}.AppendTo(nil)
	dict, err := bencode.Decode(wire)
	require.NoError(t, err, "canonical: keys in order")
	flags, ok := dict.Get("added6.f").Bytes()
	require.True(t, ok)
	require.Equal(t, []byte{0}, flags)
}
