package krpc_test

import (
	"encoding/hex"
	"testing"

	"github.com/seedserver/bittorrent/dht/krpc"
)

func BenchmarkMessage(b *testing.B) {
	for _, v := range loadVectors(b).Messages {
		packet, err := hex.DecodeString(v.Hex)
		if err != nil {
			b.Fatal(err)
		}
		var m krpc.Message
		b.Run("parse/"+v.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = m.Parse(packet)
			}
		})
	}
}
