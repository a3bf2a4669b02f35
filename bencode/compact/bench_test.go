package compact_test

import (
	"net/netip"
	"testing"

	"github.com/seedserver/bittorrent/bencode/compact"
)

func BenchmarkPeers4(b *testing.B) {
	addr := netip.MustParseAddrPort("192.0.2.1:6881")
	b.Run("append/peers=50", func(b *testing.B) {
		dst := make([]byte, 0, 50*compact.Peer4Size)
		b.ReportAllocs()
		for b.Loop() {
			dst = dst[:0]
			for range 50 {
				dst = compact.AppendPeer(dst, addr)
			}
		}
	})
	b.Run("parse/peers=50", func(b *testing.B) {
		var list []byte
		for range 50 {
			list = compact.AppendPeer(list, addr)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := compact.Peers4(list); err != nil {
				b.Fatal(err)
			}
		}
	})
}
