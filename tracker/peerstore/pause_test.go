package peerstore

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// BenchmarkPauses reports how long announces take, a hundredth and the longest
// of them, while nothing else, an expiry or a save goes on, and how long that
// takes.
func BenchmarkPauses(b *testing.B) {
	for _, peers := range []int{1_000_000, 10_000_000} {
		torrents := peers / 1000
		before := heap()
		s := New(Config{MaxTotal: -1, Seed: [32]byte{1}})
		fillOld(s, peers, torrents)
		size := fmt.Sprintf("peers=%dM", peers/1_000_000)
		b.Run(size+"/idle", func(b *testing.B) {
			announceWhile(b, s, peers, torrents, func() { time.Sleep(time.Second) })
			b.ReportMetric(float64(heap()-before)/float64(peers), "B/peer")
		})
		b.Run(size+"/snapshot", func(b *testing.B) {
			announceWhile(b, s, peers, torrents, func() { require.NoError(b, s.Snapshot(io.Discard)) })
		})
		b.Run(size+"/save", func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "state")
			announceWhile(b, s, peers, torrents, func() { require.NoError(b, s.Save(path)) })
		})
		b.Run(size+"/expire=none", func(b *testing.B) {
			announceWhile(b, s, peers, torrents, func() { s.Expire(start) })
		})
		b.Run(size+"/expire=half", func(b *testing.B) { // all but those that announce meanwhile, and a half
			announceWhile(b, s, peers, torrents, func() { s.Expire(start.Add(defaultTTL + time.Second)) })
		})
		runtime.KeepAlive(s)
	}
}

// fillOld fills s with peers of whom one half announced a minute before the
// other.
func fillOld(s *Store, peers, torrents int) {
	var res tracker.AnnounceResponse
	for i := range peers {
		req := request(i, torrents, false)
		req.NumWant = 0
		s.Announce(start.Add(time.Duration(i/torrents%2)*time.Minute), &req, &res)
	}
}

// announceWhile runs work once while it announces at 20,000 a second, so that the
// processors are not what is waited for.
func announceWhile(b *testing.B, s *Store, peers, torrents int, work func()) {
	for range b.N {
		done := make(chan time.Duration)
		go func() {
			begin := time.Now()
			work()
			done <- time.Since(begin)
		}()
		r := rand.New(rand.NewPCG(1, 2))
		var took []time.Duration
		var res tracker.AnnounceResponse
		for next := time.Now(); ; next = next.Add(50 * time.Microsecond) {
			select {
			case d := <-done:
				if len(took) > 0 { // the work may be done before the first
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-us")
					b.ReportMetric(float64(took[len(took)-1])/1e3, "max-us")
				}
				b.ReportMetric(d.Seconds(), "work-s")
				b.ReportMetric(float64(len(took)), "announces")
				b.ReportMetric(0, "ns/op")
				done = nil
			default:
			}
			if done == nil {
				break
			}
			req := request(r.IntN(peers), torrents, false)
			res.Reset()
			for time.Now().Before(next) {
			}
			begin := time.Now()
			s.Announce(start.Add(time.Minute), &req, &res)
			took = append(took, time.Since(begin))
			next = time.Now()
		}
	}
}

// BenchmarkHolds reports how long a shard of a store of 3 million peers is held
// for one step of a walk, in the usual case and in the longest. Run it with
// -benchtime 1x.
func BenchmarkHolds(b *testing.B) {
	const peers = 3_000_000
	s := New(Config{MaxTotal: -1, Seed: [32]byte{1}})
	fillOld(s, peers, peers/1000)
	for _, tt := range []struct {
		name string
		walk func(sh *shard)
	}{
		{"snapshot", func(sh *shard) { sh.snapshot(&chunkWriter{w: io.Discard}) }},
		{"expire=none", func(sh *shard) { s.expireShard(sh, start.Unix()) }},
		{"expire=half", func(sh *shard) { s.expireShard(sh, start.Add(defaultTTL+time.Second).Unix()) }},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var took []time.Duration
			for i := range s.shards {
				sh := &s.shards[i]
				steps, walked, dropped := 1, 0, s.peers.Load()
				for _, sw := range sh.swarms {
					walked += sw.len()
				}
				begin := time.Now()
				tt.walk(sh)
				elapsed := time.Since(begin)
				dropped -= s.peers.Load()
				steps += (walked + dropCost*int(dropped)) / work
				took = append(took, elapsed/time.Duration(steps))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2])/1e3, "median-us")
			b.ReportMetric(float64(took[len(took)-1])/1e3, "max-us")
			b.ReportMetric(0, "ns/op")
		})
	}
}
