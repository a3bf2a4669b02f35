package peerstore

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// request is the announce of peer i, who is in torrent i%torrents. Every second
// one is a seed.
func request(i, torrents int, six bool) tracker.AnnounceRequest {
	req := tracker.AnnounceRequest{Key: uint32(i) + 1, Left: int64(i / torrents % 2), NumWant: 50}
	torrent := i % torrents
	req.InfoHash[18], req.InfoHash[19] = byte(torrent>>8), byte(torrent)
	ip := [16]byte{0x20, 1, 0xd, 0xb8, 12: 10, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
	addr := netip.AddrFrom4([4]byte(ip[12:]))
	if six {
		addr = netip.AddrFrom16(ip)
	}
	req.Addr = netip.AddrPortFrom(addr, 6881)
	return req
}

func fill(s *Store, peers, torrents int, six func(int) bool) {
	var res tracker.AnnounceResponse
	for i := range peers {
		req := request(i, torrents, six(i))
		req.NumWant = 0
		s.Announce(start, &req, &res)
	}
}

func never(int) bool { return false }

func BenchmarkAnnounce(b *testing.B) {
	for _, size := range []struct{ torrents, peers int }{{1000, 100}, {1, 100_000}} {
		for _, want := range []int{0, 50} {
			b.Run(fmt.Sprintf("torrents=%d/peers=%d/numwant=%d", size.torrents, size.peers, want), func(b *testing.B) {
				s := New(Config{Seed: [32]byte{1}})
				total := size.torrents * size.peers
				fill(s, total, size.torrents, never)
				var seed atomic.Uint64
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					r := rand.New(rand.NewPCG(seed.Add(1), 1))
					var res tracker.AnnounceResponse
					for pb.Next() {
						req := request(r.IntN(total), size.torrents, false)
						req.NumWant = want
						res.Reset()
						s.Announce(start, &req, &res)
					}
				})
			})
		}
	}
}

func BenchmarkScrape(b *testing.B) {
	s := New(Config{})
	fill(s, 100_000, 1000, never)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			req := request(i%1000, 1000, false)
			s.Scrape(req.InfoHash)
		}
	})
}

// BenchmarkMemory reports the heap per peer with a million of them.
func BenchmarkMemory(b *testing.B) {
	const peers = 1_000_000
	for _, tt := range []struct {
		name     string
		torrents int
		six      func(int) bool
	}{
		{"ipv4/torrents=1000", 1000, never},
		{"ipv4/torrents=10000", 10_000, never},
		{"ipv6/torrents=1000", 1000, func(int) bool { return true }},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var bytes float64
			for b.Loop() {
				before := heap()
				s := New(Config{Seed: [32]byte{1}})
				fill(s, peers, tt.torrents, tt.six)
				bytes = float64(heap()-before) / peers
				runtime.KeepAlive(s)
			}
			b.ReportMetric(bytes, "B/peer")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkExpire walks a million peers of whom none is due.
func BenchmarkExpire(b *testing.B) {
	s := New(Config{})
	fill(s, 1_000_000, 1000, never)
	b.ReportAllocs()
	for b.Loop() {
		s.Expire(start.Add(time.Minute))
	}
}
