package seedserver

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// announcePath is where the tracker of the public listener is.
const announcePath = "/announce"

// newTracker returns the tracker of our own torrents over store.
func (s *Server) newTracker(store *peerstore.Store) http.Handler {
	return httptracker.New(httptracker.Config{
		Store: &witness{Store: store, torrents: s.torrents},
		Allow: func(infohash [20]byte) error {
			if s.torrents.find(metainfo.InfoHash(infohash)) == nil {
				return tracker.ErrNotRegistered
			}
			return nil
		},
		AllowKey: func(key string, infohash [20]byte) error {
			return s.gate.allowKey(key, s.torrents.find(metainfo.InfoHash(infohash)))
		},
		Announced: func(now time.Time, key string, req *tracker.AnnounceRequest) {
			s.gate.announced(now, key, s.torrents.find(metainfo.InfoHash(req.InfoHash)), req)
		},
		Own: func(_ [20]byte, r *http.Request) []netip.AddrPort {
			return onePerFamily(s.addrs(s.web.Via(r)))
		},
		ClientAddr:     s.proxies.Client,
		TrustedProxies: s.proxies,
		Interval:       s.cfg.announceInterval(),
		Logger:         s.log,
	})
}

// onePerFamily keeps the first IPv4 and the first IPv6 address: a peer that knows one of a family needs no other.
func onePerFamily(addrs []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	var has4, has6 bool
	for _, ap := range addrs {
		has := &has6
		if ap.Addr().Is4() {
			has = &has4
		}
		if !*has {
			*has = true
			out = append(out, ap)
		}
	}
	return out
}

// announceURL is where clients that came by via announce, "" without a tracker.
func (s *Server) announceURL(via web.Via) string {
	if s.cfg.NoTracker || via.URL == "" {
		return ""
	}
	return via.URL + announcePath
}

// public routes a request of the public listener: announces and scrapes, which carry an infohash, go to the tracker, all else is files.
func (s *Server) public(tracker, files http.Handler) http.Handler {
	if s.cfg.NoTracker {
		return files
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httptracker.Handles(r) {
			tracker.ServeHTTP(w, r)
			return
		}
		files.ServeHTTP(w, r)
	})
}

// expirePeers forgets the peers that stopped announcing, a shard at a time, until ctx ends.
func expirePeers(ctx context.Context, store *peerstore.Store) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			store.Expire(now)
		}
	}
}
