package udptracker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
)

// What an answer may measure: it leaves in one piece over an Ethernet with
// IPv4, and over every link with IPv6.
const (
	maxReply4 = 1472
	maxReply6 = 1232

	maxPeers4 = (maxReply4-announceResponseSize)/peer4Size - 1 // one place is our own seed's
	maxPeers6 = (maxReply6 - announceResponseSize) / peer6Size
)

// responder answers packets, one at a time, with memory that is used again: no
// packet makes it allocate.
type responder struct {
	cfg         *Config
	connections connections
	flood       flood
	random      *rand.Rand
	stats       Stats // since they were last taken

	req    AnnounceRequest
	res    tracker.AnnounceResponse
	hashes [][20]byte
}

func newResponder(s *Server) *responder {
	return &responder{
		cfg:         &s.cfg,
		connections: newConnections(s.cfg.Secret),
		flood:       newFlood(s.cfg.PerAddress),
		random:      rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		hashes:      make([][20]byte, 0, MaxScrape),
	}
}

// respond appends the answer to a packet to dst, or nothing: silence is the
// answer to what is no packet of BEP 15. A sender whose address is not verified
// gets no more bytes than it sent.
func (r *responder) respond(now time.Time, from netip.AddrPort, packet, dst []byte) []byte {
	ip := from.Addr()
	if from.Port() == 0 || ip.IsMulticast() || ip.IsUnspecified() {
		r.stats.Bad++
		return dst
	}
	if r.flood.over(now, ip) {
		r.stats.Flooded++
		return dst
	}
	head, err := ParseRequest(packet)
	switch {
	case err != nil:
		r.stats.Bad++
		return dst
	case head.Action == ActionConnect:
		r.stats.Connects++
		return AppendConnectResponse(dst, head.Transaction, r.connections.id(now, ip))
	case !r.connections.verify(now, ip, head.ConnectionID):
		r.stats.Strangers++
		if len(packet) < responseSize+len(strangerReason) {
			return dst
		}
		return AppendErrorResponse(dst, head.Transaction, strangerReason)
	case head.Action == ActionAnnounce:
		return r.announce(now, from, head.Transaction, packet, dst)
	default:
		return r.scrape(now, from, head.Transaction, packet, dst)
	}
}

// strangerReason is what a client reads whose connection id is wrong: it
// connects again.
const strangerReason = "connection id has expired"

// announce answers an announce of a verified sender.
func (r *responder) announce(now time.Time, from netip.AddrPort, transaction uint32, packet, dst []byte) []byte {
	if ParseAnnounceRequest(packet, &r.req) != nil {
		r.stats.Bad++
		return dst
	}
	r.stats.Announces++
	start := len(dst)
	access := Access{Time: now, From: from, Request: &r.req}
	if err := r.record(now, from.Addr()); err != nil {
		access.Failure = r.refuse(from, err)
		dst = AppendErrorResponse(dst, transaction, access.Failure)
	} else {
		dst = AppendAnnounceResponse(dst, transaction, &r.res, from.Addr().Is6())
		access.Peers = len(r.res.Peers4)/peer4Size + len(r.res.Peers6)/peer6Size
	}
	if r.cfg.Log != nil {
		access.Bytes = len(dst) - start
		r.cfg.Log(access)
	}
	return dst
}

// record makes r.res the answer to r.req, or returns why it is refused.
func (r *responder) record(now time.Time, client netip.Addr) error {
	q := &r.req
	if err := r.allowed(q.InfoHash, q.Path); err != nil {
		return err
	}
	most := maxPeers4
	if client.Is6() {
		most = maxPeers6
	}
	ip := client
	if q.IP.IsValid() && r.trusts(client) {
		ip = q.IP
	}
	q.Addr = netip.AddrPortFrom(ip, q.Addr.Port())
	if r.cfg.Announced != nil {
		r.cfg.Announced(now, keyOf(q.Path), &q.AnnounceRequest)
	}
	askedNone := q.NumWant == 0
	q.NumWant = tracker.NumWant(q.NumWant, r.cfg.DefaultNumWant, min(r.cfg.MaxNumWant, most))

	r.res.Reset()
	standing, err := r.cfg.Store.Announce(now, &q.AnnounceRequest, &r.res)
	if err != nil {
		return err
	}
	r.res.Interval = tracker.Jitter(r.cfg.Regular(), r.cfg.Jitter, r.random)
	if client.Is6() { // the other family has no place in the answer
		r.res.Peers4 = r.res.Peers4[:0]
	} else {
		r.res.Peers6 = r.res.Peers6[:0]
	}
	r.addOwn(client, q.Event != tracker.EventStopped && standing.WantsSeeds() && !askedNone)
	return nil
}

// addOwn counts our own seed, if there is one, and puts it last if it is to be
// told.
func (r *responder) addOwn(client netip.Addr, tell bool) {
	own := r.own(r.req.InfoHash, client)
	if len(own) == 0 {
		return
	}
	r.res.Complete++
	if !tell {
		return
	}
	for _, addr := range own {
		switch {
		case addr.Addr().Is6() != client.Is6():
		case client.Is6():
			if len(r.res.Peers6) == maxPeers6*peer6Size { // no place is left: it takes the last one's
				r.res.Peers6 = r.res.Peers6[:(maxPeers6-1)*peer6Size]
			}
			r.res.Peers6 = compact.AppendPeer(r.res.Peers6, addr)
		default:
			r.res.Peers4 = compact.AppendPeer(r.res.Peers4, addr)
		}
	}
}

func (r *responder) own(infohash [20]byte, client netip.Addr) []netip.AddrPort {
	if r.cfg.Own == nil {
		return nil
	}
	return r.cfg.Own(infohash, client)
}

// allowed asks whether a torrent may be talked about.
func (r *responder) allowed(infohash [20]byte, path []byte) error {
	if r.cfg.Allow != nil {
		if err := r.cfg.Allow(infohash); err != nil {
			return err
		}
	}
	if r.cfg.AllowKey != nil {
		return r.cfg.AllowKey(keyOf(path), infohash)
	}
	return nil
}

// keyOf returns the announce key in a path, "" if there is none.
func keyOf(path []byte) string {
	name, _, _ := strings.Cut(string(path), "?")
	_, key, _ := tracker.CutPath(name)
	return key
}

func (r *responder) trusts(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	for _, network := range r.cfg.Trusted {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// refuse returns the reason of err that the client may read.
func (r *responder) refuse(from netip.AddrPort, err error) string {
	r.stats.Refused++
	if ctx := context.Background(); r.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "announce refused", slog.Any("addr", from), slog.Any("err", err))
	}
	var failure *tracker.FailureError
	if !errors.As(err, &failure) {
		return "internal error"
	}
	return failure.Reason[:min(len(failure.Reason), maxReason)]
}

// maxReason is how many bytes of a reason fit into any answer.
const maxReason = maxReply6 - responseSize

// scrape answers a scrape of a verified sender.
func (r *responder) scrape(now time.Time, from netip.AddrPort, transaction uint32, packet, dst []byte) []byte {
	hashes, err := ParseScrapeRequest(r.hashes[:0], packet)
	if err != nil {
		r.stats.Bad++
		return dst
	}
	r.stats.Scrapes++
	start := len(dst)
	access := Access{Time: now, From: from, Scrape: true, InfoHashes: hashes}
	if r.cfg.Scrape == tracker.ScrapeNone {
		access.Failure = noScrape
		dst = AppendErrorResponse(dst, transaction, noScrape)
	} else {
		dst = appendResponse(dst, ActionScrape, transaction)
		for _, infohash := range hashes {
			dst = appendStats(dst, r.scrapeOne(infohash, from.Addr()))
		}
	}
	if r.cfg.Log != nil {
		access.Bytes = len(dst) - start
		r.cfg.Log(access)
	}
	return dst
}

// noScrape is shorter than any scrape: nobody gets more than was sent.
const noScrape = "no scrapes here"

// scrapeOne returns the counts of one torrent, our own seed among them. "The
// number of torrents is the number asked for": one that is not known has zeros.
func (r *responder) scrapeOne(infohash [20]byte, client netip.Addr) tracker.ScrapeStats {
	if r.allowed(infohash, nil) != nil {
		return tracker.ScrapeStats{}
	}
	stats, _ := r.cfg.Store.Scrape(infohash)
	if len(r.own(infohash, client)) > 0 {
		stats.Complete++
	}
	return stats
}
