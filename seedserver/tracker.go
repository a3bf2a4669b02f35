package seedserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/seedserver/admission"
	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// Tracker is a tracker that is alone: it publishes and seeds nothing. Make it with NewTracker, then either Run it, or Listen and
// then Run it.
type Tracker struct {
	cfg     TrackerConfig
	log     *slog.Logger
	logs    *logs
	proxies web.Proxies

	peers   *peerstore.Store
	list    *admission.List // nil if everything is tracked
	pace    *admission.Pace
	reach   *admission.Reach // nil if nobody is connected to
	request *httptracker.Handler
	packets *udptracker.Server // nil without UDP
	pages   *web.TrackerPages
	survey  *survey
	handler http.Handler
	counted trackerCounts

	http, metrics net.Listener // nil until Listen
	udp           []*net.UDPConn
}

// NewTracker reads the state and the list of cfg. It starts nothing and opens no port. The caller must Run or Close the tracker.
func NewTracker(cfg TrackerConfig) (*Tracker, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	base := cfg.Logger
	if base == nil {
		base = slog.New(slog.DiscardHandler)
	}
	lc := Config{AccessLog: cfg.AccessLog, LogAddresses: cfg.LogAddresses, Logger: cfg.Logger}
	t := &Tracker{cfg: cfg, pace: admission.NewPace(cfg.interval(), cfg.AnnounceRate)}
	t.logs = &logs{addresses: lc.logAddresses()}
	var err error
	switch {
	case cfg.AccessLog != nil:
		t.logs.access = accesslog.New(cfg.AccessLog, base)
	case cfg.LogFile != "":
		if t.logs.access, err = accesslog.Open(cfg.LogFile, base); err != nil {
			return nil, err
		}
	}
	t.log = t.logs.logger(base)
	t.proxies = web.Proxies((&Config{TrustedProxies: cfg.TrustedProxies}).trustedProxies())
	if cfg.Allow != "" {
		t.list = admission.NewList(cfg.Allow)
		if err := t.Reload(); err != nil {
			return nil, errors.Join(err, t.logs.close())
		}
	}
	t.peers, err = loadPeers(peerstore.Config{
		TTL: t.life(), MaxPeers: cfg.MaxPeers, MaxTorrents: cfg.MaxTorrents, MaxTotal: cfg.MaxTotal,
	}, cfg.State, t.log)
	if err != nil {
		return nil, errors.Join(err, t.logs.close())
	}
	t.compose()
	return t, nil
}

// life is how long a peer that does not announce is remembered.
func (t *Tracker) life() time.Duration { return t.cfg.interval() * 3 / 2 }

// compose makes the handlers.
func (t *Tracker) compose() {
	store := &admission.Store{Peers: t.peers, Networks: admission.Networks{Allow: t.cfg.AllowIP, Deny: t.cfg.DenyIP}}
	if t.cfg.NATCheck {
		t.reach = admission.NewReach()
		store.Reach = t.reach
	}
	scrape, _ := tracker.ParseScrapePolicy(cmp.Or(t.cfg.Scrape, "specific")) // Check has seen to it
	policy := tracker.Policy{CurrentInterval: t.pace.Interval, MaxNumWant: t.cfg.MaxNumWant, Scrape: scrape}
	requests := httptracker.Config{Store: store, ClientAddr: t.proxies.Client, TrustedProxies: t.proxies, Log: t.counted.request, Logger: t.log}
	if t.list != nil {
		policy.Allow, requests.Warning = t.list.Allow, t.list.Warning
	}
	requests.Policy = policy
	t.request = httptracker.New(requests)
	if !t.cfg.NoUDP {
		t.packets = udptracker.New(udptracker.Config{
			Store: store, Policy: policy, Trusted: t.proxies, Log: t.logs.logPackets(), Logger: t.log,
		})
	}
	t.survey = &survey{peers: t.peers, about: t.about}
	if t.list != nil {
		t.survey.each = func(visit func(infohash [20]byte) bool) {
			t.list.Each(func(infohash [20]byte, _ admission.Torrent) bool { return visit(infohash) })
		}
	}
	t.pages = web.NewTrackerPages(web.TrackerConfig{
		Table: func() web.TrackerTable { return t.survey.table(time.Now()) }, Version: t.cfg.version(), Proxies: t.proxies, URL: t.cfg.URL,
		UDP: !t.cfg.NoUDP,
	})
	t.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if httptracker.Handles(r) || scrape == tracker.ScrapeFull && r.URL.Path == "/scrape" {
			t.request.ServeHTTP(w, r)
			return
		}
		t.pages.ServeHTTP(w, r)
	})
	if t.logs.access != nil {
		t.handler = &accesslog.Handler{Next: t.handler, Log: t.logs.access, Addresses: t.logs.addresses, Client: t.proxies.Client,
			Target: t.logs.target, Sample: &t.logs.sample}
	}
}

// about completes a row of the page; what is no longer tracked is not shown.
func (t *Tracker) about(row *web.TrackerTorrent) bool {
	if t.list == nil {
		return true
	}
	known, ok := t.list.Find(row.InfoHash)
	row.Name, row.Size = known.Name, known.Size
	return ok
}

// Handler answers what the HTTP listener answers: announces, scrapes, the page.
func (t *Tracker) Handler() http.Handler { return t.handler }

// Reload reads the list of torrents again. If it cannot be read the old one stays.
func (t *Tracker) Reload() error {
	if t.list == nil {
		return nil
	}
	_, problems, err := t.list.Load()
	for _, p := range problems {
		t.log.Warn("a file of the list of torrents is left out", "err", p)
	}
	return err
}

// ReopenLogs opens the log file anew, after a program such as logrotate has renamed it.
func (t *Tracker) ReopenLogs() error { return t.logs.reopen() }

// Logger returns where the tracker logs.
func (t *Tracker) Logger() *slog.Logger { return t.log }

// Listen opens the ports. Errors name the setting to change when one is taken. Run calls it if the caller did not.
func (t *Tracker) Listen(ctx context.Context) (err error) {
	// Probes cost an announce four system calls. Connections that stay get them.
	if t.http, err = listenHTTP(ctx, t.cfg.http(), net.ListenConfig{KeepAlive: -1}); err != nil {
		return err
	}
	if !t.cfg.NoUDP {
		if t.udp, err = listenTracker(ctx, t.http); err != nil {
			return fmt.Errorf("%w; choose another --http address, or --udp off", err)
		}
	}
	if t.cfg.Metrics != "" {
		if t.metrics, err = (&net.ListenConfig{}).Listen(ctx, "tcp", t.cfg.Metrics); err != nil {
			return fmt.Errorf("opening --metrics %s: %w", t.cfg.Metrics, err)
		}
	}
	return nil
}

// URLs returns the announce URLs of this tracker, those of HTTP first; none before Listen.
func (t *Tracker) URLs() (urls []string) {
	if t.cfg.URL != "" {
		return []string{t.cfg.URL + announcePath}
	}
	if t.http == nil {
		return nil
	}
	bound := boundAddr(t.http)
	hosts := []string{net.JoinHostPort("localhost", strconv.Itoa(int(bound.Port())))}
	if !bound.Addr().IsUnspecified() {
		hosts = []string{bound.String()}
	} else if out := outwardAddrs(); len(out) > 0 {
		hosts = nil
		for _, ip := range out {
			hosts = append(hosts, netip.AddrPortFrom(ip, bound.Port()).String())
		}
	}
	schemes := []string{"http://"}
	if t.udp != nil {
		schemes = append(schemes, "udp://")
	}
	for _, scheme := range schemes {
		for _, host := range hosts {
			urls = append(urls, scheme+host+announcePath)
		}
	}
	return urls
}

// MetricsURL is where metrics are, "" if nowhere, or before Listen.
func (t *Tracker) MetricsURL() string {
	if t.metrics == nil {
		return ""
	}
	return "http://" + t.metrics.Addr().String() + "/metrics"
}

// Run tracks until ctx ends and returns nil, or the first error that makes going on impossible. When it has returned, all it
// started has ended and the swarms are saved.
func (t *Tracker) Run(ctx context.Context) error {
	defer t.Close()
	if t.http == nil {
		if err := t.Listen(ctx); err != nil {
			return err
		}
	}
	parent := ctx
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	defer t.logs.start()()
	var parts sync.WaitGroup
	part := func(what string, run func(ctx context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", what, cmp.Or(err, errEnded)))
			}
		})
	}
	front := httptracker.NewFront(httptracker.FrontConfig{Handler: t.request, Log: t.logs.logPlain(t.proxies)})
	places := atMost(promptTakers(t.http), trackerPlaces(openFileLimit()), trackerPlacesEach, t.proxies.Trusts)
	part("serving HTTP", func(ctx context.Context) error { return front.Serve(ctx, places) })
	part("serving pages", func(ctx context.Context) error { return serveHTTP(ctx, front, t.handler, t.log) })
	for _, conn := range t.udp {
		part("serving UDP", func(ctx context.Context) error { return t.packets.Serve(ctx, conn) })
	}
	if t.metrics != nil {
		part("serving metrics", func(ctx context.Context) error { return serveHTTP(ctx, promptTakers(t.metrics), t.newMetrics(), t.log) })
	}
	if t.reach != nil {
		part("connecting back", t.reach.Run)
	}
	part("keeping swarms", func(ctx context.Context) error {
		keepPeers(ctx, t.peers, t.pace, t.life(), t.cfg.State, newTroubles(t.log))
		return ctx.Err()
	})
	if t.list != nil {
		part("reading the list of torrents", t.keepList)
	}
	<-ctx.Done()
	parts.Wait()
	if parent.Err() == nil {
		return context.Cause(ctx)
	}
	return nil
}

// trackerPlacesEach is how many connections one address has at a time: many clients may be behind it.
const trackerPlacesEach = 512

// trackerPlaces returns how many connections there are at a time, where so many files may be open, 0 for any number. The rest is for
// all else.
func trackerPlaces(limit int) int {
	if limit <= 0 {
		limit = 1 << 20
	}
	return max(limit-ownDescriptors, limit/2, 1)
}

// listEvery is how long a change of the list may take to be seen.
const listEvery = 30 * time.Second

// keepList reads the list again and again until ctx ends.
func (t *Tracker) keepList(ctx context.Context) error {
	tick := time.NewTicker(listEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := t.Reload(); err != nil {
				t.log.Warn("the list of torrents cannot be read, the old one stays", "err", err)
			}
		}
	}
}

// Close releases what New and Listen opened. A tracker that was Run is closed already.
func (t *Tracker) Close() error {
	for _, l := range []net.Listener{t.http, t.metrics} {
		if l != nil {
			l.Close()
		}
	}
	for _, conn := range t.udp {
		conn.Close()
	}
	return t.logs.close()
}
