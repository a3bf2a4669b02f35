package seedserver

import (
	"context"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// announcePath is where the tracker of the public listener is.
const announcePath = "/announce"

// newTracker makes the tracker of our own torrents, over HTTP and UDP. The swarms are kept in the state directory.
func (s *Server) newTracker() (requests http.Handler, err error) {
	s.pace = admission.NewPace(s.cfg.announceInterval(), 0)
	if s.peers, err = loadPeers(peerstore.Config{TTL: s.peerLife()}, s.swarmsPath(), s.log); err != nil {
		return nil, err
	}
	s.torrents.peers, s.survey = s.peers, s.newSurvey()
	store := &witness{Store: s.peers, torrents: s.torrents}
	policy := tracker.Policy{
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
		CurrentInterval: s.pace.Interval,
	}
	s.packets = udptracker.New(udptracker.Config{
		Store: store, Policy: policy, Trusted: s.proxies, Log: s.logs.logPackets(), Logger: s.log,
		Own: func([20]byte, netip.Addr) []netip.AddrPort { return onePerFamily(s.PeerAddrs()) }, // a packet does not tell how it came
	})
	return httptracker.New(httptracker.Config{
		Store: store, Policy: policy, ClientAddr: s.proxies.Client, TrustedProxies: s.proxies, Log: s.counted.request, Logger: s.log,
		Own: func(_ [20]byte, r *http.Request) []netip.AddrPort { return onePerFamily(s.addrs(s.web.Via(r))) },
	}), nil
}

// peerLife is how long a peer that does not announce is remembered.
func (s *Server) peerLife() time.Duration { return s.cfg.announceInterval() * 3 / 2 }

// swarmsPath is where the tracker keeps its swarms.
func (s *Server) swarmsPath() string { return filepath.Join(s.cfg.State, "swarms") }

// listenPackets opens the UDP side of the tracker. Where that cannot be had, HTTP alone does.
func (s *Server) listenPackets(ctx context.Context) {
	if s.packets == nil || s.http == nil {
		return
	}
	var err error
	if s.udp, err = listenTracker(ctx, s.http); err != nil {
		s.log.Warn("the tracker answers over HTTP only", "err", err)
	}
}

// newSurvey returns what the tracker's page shows: torrents that everybody finds in the index.
func (s *Server) newSurvey() *survey {
	return &survey{
		peers: s.peers,
		about: func(row *web.TrackerTorrent) bool {
			t := s.torrents.find(row.InfoHash)
			if t == nil || t.private() || s.gate.rules(t.version.Load().Path).Unlisted() {
				return false
			}
			v := t.version.Load()
			row.Name, row.Size = v.Path, v.Length()
			row.Complete++ // ourselves, as in the tracker's answers
			return true
		},
		each: func(visit func(infohash [20]byte) bool) {
			for _, t := range s.torrents.all() {
				if !visit(t.infohash()) {
					return
				}
			}
		},
	}
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
