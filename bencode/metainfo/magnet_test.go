package metainfo_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

const (
	hashDigits = "ba618eab9a2c3c8e1b2f00c0f0e1d2c3b4a59687"
	btih       = "magnet:?xt=urn:btih:" + hashDigits
)

func TestParseMagnet(t *testing.T) {
	hash, err := metainfo.ParseInfoHash(hashDigits)
	require.NoError(t, err)
	tests := []struct {
		name, params string
		want         metainfo.Magnet // besides the hash
	}{
		{"name with plus and escapes", "&dn=a+b%2Bc%20d%", metainfo.Magnet{Name: "a b+c d%"}},
		{"name not UTF-8", "&dn=%ff", metainfo.Magnet{Name: "\ufffd"}},
		{"first name counts", "&dn=&dn=a&dn=b", metainfo.Magnet{Name: "a"}},
		{"length", "&xl=12&xl=13", metainfo.Magnet{Length: 12}},
		{"no length", "&xl=-1&xl=99999999999999999999", metainfo.Magnet{}},
		{"trackers", "&tr=udp%3A%2F%2Fa%3A1&TR.7=http://b/x?k=%2B+&tr=ftp://c/", metainfo.Magnet{Trackers: []string{"udp://a:1", "http://b/x?k=++"}}},
		{"web seeds", "&ws=http://a/&ws=udp://a", metainfo.Magnet{WebSeeds: []string{"http://a/"}}},
		{"peers", "&x.pe=1.2.3.4:5&x.pe=[::1]%3A6&x.pe=h:7&x.pe=h&x.pe=h:0&x.pe=h:99999&x.pe=::1:6&x.pe=:1",
			metainfo.Magnet{Peers: []string{"1.2.3.4:5", "[::1]:6", "h:7"}}},
		{"sources", "&xs=http://a/t&as=http://b/t&xs=urn:btpk:ab&xs=x", metainfo.Magnet{Sources: []string{"http://a/t", "http://b/t", "urn:btpk:ab"}}},
		{"nodes", "&dht=h:1&dht=h", metainfo.Magnet{Nodes: []metainfo.Node{{Host: "h", Port: 1}}}},
		// BEP 53: "Dashes mean inclusive ranges, so 6,7, and 8 are also added."
		{"select only", "&so=0,2,4,6-8", metainfo.Magnet{Select: []metainfo.IndexRange{{First: 0, Last: 0}, {First: 2, Last: 2}, {First: 4, Last: 4}, {First: 6, Last: 8}}}},
		{"select rubbish", "&so=-1,a,3-2,,5-,7&so=4294967296", metainfo.Magnet{Select: []metainfo.IndexRange{{First: 7, Last: 7}}}},
		{"first hash counts", "&xt=urn:btih:" + strings.Repeat("0", 40), metainfo.Magnet{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := metainfo.ParseMagnet(btih + tt.params)
			require.NoError(t, err)
			tt.want.InfoHash, tt.want.HasInfoHash = hash, true
			require.Equal(t, tt.want, got)
			again, err := metainfo.ParseMagnet(got.String())
			require.NoError(t, err)
			require.Equal(t, got, again)
		})
	}
}

func TestParseMagnetInvalid(t *testing.T) {
	for _, s := range []string{
		"", "magnet", "magnet:", "magnet:?", "magnet:?xt=", "magnet:?xt=urn:btih:", "magnet:?xt=urn:sha1:" + hashDigits,
		btih + "&xt=urn:btih:1",                                  // a second hash that is malformed
		"magnet:?xt=urn:btmh:1220",                               // no digits
		"magnet:?xt=urn:btmh:" + strings.Repeat("12", 34),        // right in length only
		"magnet:?xt=urn:btmh:1220" + strings.Repeat("g", 64),     // not hexadecimal
		btih + "&dn=" + strings.Repeat("x", 64<<10),              // too long
		"magnet:?xs=urn:btpk:" + strings.Repeat("ab", 32) + "&s", // mutable (BEP 46)
	} {
		_, err := metainfo.ParseMagnet(s)
		require.ErrorIs(t, err, metainfo.ErrInvalid, "%.80q", s)
	}
}

// TestMagnetString: what clients read most strictly is written most plainly.
func TestMagnetString(t *testing.T) {
	m, err := metainfo.ParseMagnet(btih)
	require.NoError(t, err)
	m.InfoHashV2 = make([]byte, 32)
	m.Name = "a b&c=日"
	m.Length = 7
	m.Trackers = []string{"http://a.example/announce?k=1&l=2"}
	m.WebSeeds = []string{"http://w.example/"}
	m.Sources = []string{"http://s.example/t"}
	m.Peers = []string{"192.0.2.1:6881", "[2001:db8::1]:6881"}
	m.Nodes = []metainfo.Node{{Host: "2001:db8::2", Port: 1}}
	m.Select = []metainfo.IndexRange{{First: 0, Last: 0}, {First: 2, Last: 4}}
	require.Equal(t, btih+"&xt=urn:btmh:1220"+strings.Repeat("0", 64)+
		"&dn=a%20b%26c%3D%E6%97%A5&xl=7"+
		"&tr=http%3A%2F%2Fa.example%2Fannounce%3Fk%3D1%26l%3D2&ws=http%3A%2F%2Fw.example%2F&xs=http%3A%2F%2Fs.example%2Ft"+
		"&x.pe=192.0.2.1:6881&x.pe=[2001:db8::1]:6881&dht=[2001:db8::2]:1&so=0,2-4", m.String())
}

// TestMagnetRoundTrip: whatever the name and the URLs, the link reads as what
// it was made of.
func TestMagnetRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := metainfo.Magnet{
			HasInfoHash: true,
			Name:        rapid.String().Draw(t, "name"),
			Length:      rapid.Int64Min(0).Draw(t, "length"),
			Trackers:    []string{"http://a/?" + rapid.StringMatching(`[!$-~]*`).Draw(t, "query")},
		}
		copy(m.InfoHash[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash"))
		got, err := metainfo.ParseMagnet(m.String())
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

func TestTorrentMagnet(t *testing.T) {
	torrent := around(t, "13:announce-listll8:http://ael8:http://bee8:url-list8:http://w")
	m := torrent.Magnet()
	require.Equal(t, metainfo.Magnet{
		InfoHash: torrent.InfoHash, HasInfoHash: true, Name: "x", Length: 1,
		Trackers: []string{"http://a", "http://b"}, WebSeeds: []string{"http://w"},
	}, m)
}

// TestMagnetAppendTo: it appends what String returns, and nothing but the
// result is allocated.
func TestMagnetAppendTo(t *testing.T) {
	m := listMagnet()
	require.Equal(t, "href="+m.String(), string(m.AppendTo([]byte("href="))))
	dst := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() { m.AppendTo(dst) }))
}

// listMagnet is as a row of an index has it.
func listMagnet() metainfo.Magnet {
	return metainfo.Magnet{
		HasInfoHash: true, Name: "Some file – number 7919 (2026).tar.zst",
		Trackers: []string{"http://files.example:8080/announce"}, Peers: []string{"192.0.2.1:6881", "[2001:db8::1]:6881"},
	}
}

func BenchmarkMagnet(b *testing.B) {
	m := listMagnet()
	b.Run("String", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = m.String()
		}
	})
	b.Run("AppendTo", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 1024)
		for b.Loop() {
			m.AppendTo(dst)
		}
	})
}
