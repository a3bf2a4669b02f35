package httptracker_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// discard is a response writer that is used again and again.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { d.bytes += len(b); return len(b), nil }

// benchQuery is an announce as libtorrent writes it.
func benchQuery(torrent, peer int) string {
	infohash := [20]byte{0: byte(torrent * 7), 1: byte(torrent >> 3), 2: 0x9a, 3: 0xff, 18: byte(torrent >> 8), 19: byte(torrent)}
	return fmt.Sprintf("info_hash=%s&peer_id=-LT2080-LH22jcBB!EL*&port=%d&uploaded=0&downloaded=0&left=%d&corrupt=0"+
		"&key=%08X&numwant=50&compact=1&no_peer_id=1&supportcrypto=1&redundant=0",
		url.QueryEscape(string(infohash[:])), 1025+peer, peer%2, torrent*100+peer+1)
}

// benchRequests returns the announces of 100 peers in each of 1,000 torrents.
func benchRequests() []*http.Request {
	all := make([]*http.Request, 0, 100_000)
	for i := range cap(all) {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/announce", RawQuery: benchQuery(i/100, i%100)}}
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		r.RemoteAddr = netip.AddrPortFrom(ip, 40000).String()
		all = append(all, r)
	}
	return all
}

func BenchmarkAnnounce(b *testing.B) {
	h := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{})})
	requests := benchRequests()
	w := &discard{header: http.Header{}}
	for _, r := range requests {
		h.ServeHTTP(w, r)
	}
	var seed atomic.Uint64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(seed.Add(1), 1))
		w := &discard{header: http.Header{}}
		for pb.Next() {
			h.ServeHTTP(w, requests[r.IntN(len(requests))])
		}
	})
}

func BenchmarkParseAnnounceQuery(b *testing.B) {
	raw := benchQuery(9, 9)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		httptracker.ParseAnnounceQuery(raw)
	}
}

func BenchmarkScrape(b *testing.B) {
	h := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{})})
	w := &discard{header: http.Header{}}
	for _, r := range benchRequests()[:1000] {
		h.ServeHTTP(w, r)
	}
	r := httptest.NewRequest(http.MethodGet, "/scrape?info_hash=aaaaaaaaaaaaaaaaaaaa", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
