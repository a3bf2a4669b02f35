package seedserver

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/access"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
)

// gate asks the rules of access for every lane: web, tracker and wire.
type gate struct {
	guard      *access.Guard
	admissions access.Admissions
	catalog    *catalog.Catalog // set once it is made
	root       access.Rules     // of the configuration: they hold for everything
	proxies    web.Proxies
	admitted   time.Duration // after an announce
	log        *slog.Logger
}

func newGate(cfg *Config, l *ledger.Ledger, log *slog.Logger) (*gate, error) {
	secret, err := l.Secret(context.Background(), "access")
	if err != nil {
		return nil, err
	}
	guard, err := access.New(access.Config{Secret: secret, UsersFile: cfg.UsersFile, Logger: log})
	if err != nil {
		return nil, err
	}
	var root access.Rules
	if cfg.Private {
		root = access.Rules{{Private: true, Users: true}}
	}
	return &gate{guard: guard, root: root, proxies: web.Proxies(cfg.trustedProxies()), admitted: 2 * cfg.announceInterval(), log: log}, nil
}

// read is catalog.Config.Access.
func (g *gate) read(dir string, value any) (any, bool) {
	rule, err := access.Parse(value)
	if err != nil {
		g.log.Warn("nobody may see this directory until its rules are right", "path", dir, "err", err)
	}
	g.guard.Know(rule)
	return rule, rule.Private
}

// rules returns those that hold for path.
func (g *gate) rules(path string) access.Rules {
	found := g.catalog.Access(path)
	if len(found) == 0 {
		return g.root
	}
	rules := append(make(access.Rules, 0, len(g.root)+len(found)), g.root...)
	for _, rule := range found {
		rules = append(rules, rule.(access.Rule))
	}
	return rules
}

// listed reports whether v finds the directory dir in the list of the one around it, which v may see.
func (g *gate) listed(dir string, v access.Viewer) bool {
	own, ok := g.catalog.AccessOf(dir).(access.Rule)
	return (!ok || !own.Unlisted) && g.rules(dir).Allow(v)
}

// viewer returns who a request comes from.
func (g *gate) viewer(r *http.Request) access.Viewer {
	client, _ := g.proxies.Client(r)
	return g.guard.Identify(time.Now(), r, client)
}

// signIn is web.Config.SignIn.
func (g *gate) signIn(r *http.Request, name, password string) (*http.Cookie, time.Duration) {
	now := time.Now()
	client, _ := g.proxies.Client(r)
	v, wait := g.guard.SignIn(r.Context(), now, client, name, password)
	if v.Anybody() {
		return nil, wait
	}
	secure := r.TLS != nil || g.proxies.Trusts(peerOf(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	return g.guard.Cookie(now, v, secure), 0
}

// peerOf returns the other end of the connection of r.
func peerOf(r *http.Request) netip.Addr {
	end, _ := netip.ParseAddrPort(r.RemoteAddr)
	return end.Addr()
}

// mayHave reports whether v may see one of the places at which a private torrent is published.
func (g *gate) mayHave(v access.Viewer, h metainfo.InfoHash) bool {
	for _, path := range g.catalog.Places(h) {
		if g.rules(path).Allow(v) {
			return true
		}
	}
	return false
}

// opens reports whether key is one with which a private torrent may be announced.
func (g *gate) opens(now time.Time, key string, h metainfo.InfoHash) bool {
	v, ok := g.guard.Announcer(now, key, h)
	return ok && g.mayHave(v, h)
}

// allowKey is asked by the trackers about t, nil if there is none. Who may not have a private torrent is told that there is none.
func (g *gate) allowKey(key string, t *torrent) error {
	switch {
	case t == nil:
		return tracker.ErrNotRegistered
	case !t.private() || g.opens(time.Now(), key, t.infohash()):
		return nil
	}
	return tracker.ErrNotRegistered
}

// announced lets a peer that announced t with a good key connect to us.
func (g *gate) announced(now time.Time, key string, t *torrent, req *tracker.AnnounceRequest) {
	if t != nil && t.private() && req.Event != tracker.EventStopped {
		g.admissions.Add(now, req.InfoHash, req.Addr.Addr(), req.PeerID, key, g.admitted)
	}
}

// admits returns swarm.Config.Admit of a private torrent: who announced it lately, with a key that is still good.
func (g *gate) admits(h metainfo.InfoHash) func(addr netip.Addr, id peerwire.PeerID) bool {
	return func(addr netip.Addr, id peerwire.PeerID) bool {
		now := time.Now()
		byAddr, byID := g.admissions.Key(now, h, addr, id)
		return byAddr != "" && g.opens(now, byAddr, h) || byID != "" && g.opens(now, byID, h)
	}
}

// forget drops admissions that are over, now and then, until ctx ends.
func (g *gate) forget(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			g.admissions.Expire(now)
		}
	}
}

// private reports whether t may be had by some only.
func (t *torrent) private() bool { return t.version.Load().Private }
