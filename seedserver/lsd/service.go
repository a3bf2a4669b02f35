package lsd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// The multicast groups of BEP 14.
var (
	group4 = netip.MustParseAddrPort("239.192.152.143:6771")
	group6 = netip.MustParseAddrPort("[ff15::efc0:988f]:6771")
)

// Config sets a [Service]. Port, Torrents and Heard are needed.
type Config struct {
	// Port is where we take peers.
	Port uint16
	// Bind is the address at which we take peers; only the networks it is in are used then. If zero or unspecified, all are.
	Bind netip.Addr
	// Torrents returns the infohashes to announce, none of them of a private torrent. It is called once a
	// minute, or every few seconds while there is nothing to say. The list is the Service's own.
	Torrents func() [][20]byte
	// Heard is told of each peer that announced, for each of its torrents, known to us or not. It must not block.
	Heard func(infohash [20]byte, peer netip.AddrPort)
	// Logger is for people. If nil, nothing is logged.
	Logger *slog.Logger

	open func() []group // for tests; if nil, openGroups
}

// A group is a socket in a multicast group.
type group interface {
	// read returns the next datagram that came to the group, and from where.
	read(b []byte) (n int, from netip.AddrPort, err error)
	// send sends b to the group on all networks it is in, those that are new included.
	send(b []byte) error
	name() string
	close()
}

// A Service announces our torrents to the local network, and hears of others. Run it once.
type Service struct {
	cfg    Config
	log    *slog.Logger
	cookie string

	mu    sync.Mutex // held by the readers, one datagram at a time
	meter meter
}

// New returns a Service that does nothing until Run.
func New(cfg Config) *Service {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.open == nil {
		cfg.open = func() []group { return openGroups(cfg.Bind, log) }
	}
	var cookie [8]byte
	rand.Read(cookie[:])
	return &Service{cfg: cfg, log: log, cookie: hex.EncodeToString(cookie[:])}
}

// Run announces and listens until ctx ends, and returns the cause when all it started has ended. Where there is no multicast, it
// does nothing but wait.
func (s *Service) Run(ctx context.Context) error {
	groups := s.cfg.open()
	var readers sync.WaitGroup
	for _, g := range groups {
		readers.Go(func() { s.listen(ctx, g) })
	}
	var turn turn
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-timer.C:
			if s.announce(groups, turn.next(now, s.cfg.Torrents())) {
				timer.Reset(minGap)
			} else {
				timer.Reset(lookAgain)
			}
		}
	}
	for _, g := range groups {
		g.close()
	}
	readers.Wait()
	return context.Cause(ctx)
}

// announce reports whether there was anything to send.
func (s *Service) announce(groups []group, torrents [][20]byte) bool {
	if len(torrents) == 0 {
		return false
	}
	for _, g := range groups {
		a := Announce{Host: g.name(), Port: s.cfg.Port, InfoHashes: torrents, Cookie: s.cookie}
		if err := g.send(a.AppendTo(nil)); err != nil {
			s.log.Debug("announcing to the local network", "addr", g.name(), "err", err)
		}
	}
	return true
}

// listen reads what comes to a group until that is closed.
func (s *Service) listen(ctx context.Context, g group) {
	b := make([]byte, MaxSize+1)
	for {
		n, from, err := g.read(b)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Debug("listening to the local network", "addr", g.name(), "err", err)
			if !pause(ctx, time.Second) {
				return
			}
		default:
			s.heard(time.Now(), from.Addr(), b[:n])
		}
	}
}

// heard reads a datagram.
func (s *Service) heard(now time.Time, from netip.Addr, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.meter.allows(now, from) {
		return
	}
	a, err := Parse(b)
	if err != nil || a.Cookie == s.cookie {
		return
	}
	for _, h := range a.InfoHashes {
		s.cfg.Heard(h, netip.AddrPortFrom(from, a.Port))
	}
}

// pause waits, or reports false when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
