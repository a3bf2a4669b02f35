package seedserver

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// witness is the tracker's store, and puts into the ledger who announces, and whose download is complete.
type witness struct {
	*peerstore.Store
	torrents *torrents

	completing sync.Mutex
}

// Announce is part of httptracker.Store. A liar is told of nobody, and others of no liars while there are others; where the swarm
// hides what it has, the same holds for claims to be complete that nobody saw to be true.
func (w *witness) Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error) {
	standing, completed, err := w.announce(now, req, res)
	if err != nil {
		return standing, err
	}
	if t := w.torrents.find(metainfo.InfoHash(req.InfoHash)); t != nil {
		w.torrents.store.ledger.AddPeer(now, t.entry.Load(), req.Addr.Addr())
		w.heardOf(t, req)
		v := t.judged.of(req.Addr.Addr())
		if v != swarm.Unknown {
			w.Store.Prefer(req.InfoHash, req.Addr, preferences[v])
		}
		if s := t.awake.Load(); s != nil && s.introduces {
			t.judged.introduce(now, req.Addr.Addr().Unmap(), req.Left, res)
		} else {
			t.judged.withoutLiars(req.Addr.Addr().Unmap(), res)
		}
		if completed {
			w.torrents.store.ledger.AddCompleted(now, t.entry.Load(), t.version.Load().Length())
		}
	}
	return standing, nil
}

// heardOf tells the swarm of a peer that announced: a leech that cannot reach us, by itself or by what its network allows, is dialled,
// and so is who says it is complete, to see whether that is so. A torrent that sleeps wakes for a leech.
func (w *witness) heardOf(t *torrent, req *tracker.AnnounceRequest) {
	if req.Event == tracker.EventStopped || t.judged.of(req.Addr.Addr()) == swarm.Liar {
		return
	}
	if req.Left != 0 {
		w.torrents.wake(t)
	}
	if s := t.awake.Load(); s != nil && s.swarm.WantsPeers() {
		s.swarm.AddCandidates(candidates.Tracker, netip.Addr{}, candidates.Peer{Addr: req.Addr, Seed: req.Left == 0})
	}
}

// announce says of an announce of somebody complete whether the store counts a download that ended: it does so once for each client.
// One after the other, so that the count tells.
func (w *witness) announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (s tracker.Standing, completed bool, err error) {
	if req.Event != tracker.EventCompleted && req.Left != 0 {
		s, err = w.Store.Announce(now, req, res)
		return s, false, err
	}
	w.completing.Lock()
	defer w.completing.Unlock()
	before, _ := w.Store.Scrape(req.InfoHash)
	s, err = w.Store.Announce(now, req, res)
	return s, res.Downloaded > before.Downloaded, err
}

// personal are the parameters of an announce that tell one client from all others.
var personal = []string{"ip", "ipv4", "ipv6", "key", "peer_id"}

// target returns what a log may hold of a request's path and query: no announce key, and of an announce nothing that says who
// announced, unless addresses are logged in full.
func (l *logs) target(r *http.Request) string {
	target := httptracker.Access{Request: r}.Target()
	path, query, found := strings.Cut(target, "?")
	if masked := maskSeedKey(path); masked != path {
		return masked
	}
	if !found || l.addresses == accesslog.Full || !httptracker.Handles(r) {
		return target
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		name, _, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(name); err == nil && slices.Contains(personal, plain) {
			params[i] = name + "=masked"
		}
	}
	return path + "?" + strings.Join(params, "&")
}
