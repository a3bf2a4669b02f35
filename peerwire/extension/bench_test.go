package extension_test

import (
	"testing"

	"github.com/seedserver/bittorrent/peerwire/extension"
)

func BenchmarkParseHandshake(b *testing.B) {
	wire := payload(b, "extension handshake, seed")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := extension.ParseHandshake(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseMetadataRequest(b *testing.B) {
	wire := payload(b, "ut_metadata request piece 0")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := extension.ParseMetadata(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMetadataAnswer(b *testing.B) {
	info := content("info", 16384)
	dst := make([]byte, 0, 20_000)
	b.SetBytes(int64(len(info)))
	b.ReportAllocs()
	for b.Loop() {
		m := extension.Metadata{Type: extension.MetadataData, TotalSize: 16384, Data: info}
		m.AppendTo(dst)
	}
}

func BenchmarkPEX(b *testing.B) {
	var p extension.PEX
	list := addrs(100)
	for _, a := range list[:50] {
		p.Added = append(p.Added, extension.PEXPeer{Addr: a})
	}
	p.Dropped = list[50:]
	wire := p.AppendTo(nil)
	b.Run("append", func(b *testing.B) {
		dst := make([]byte, 0, 4096)
		b.ReportAllocs()
		for b.Loop() {
			p.AppendTo(dst)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := extension.ParsePEX(wire); err != nil {
				b.Fatal(err)
			}
		}
	})
}
