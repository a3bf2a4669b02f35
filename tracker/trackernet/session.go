package trackernet

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Announcer makes one announce to one tracker, as a [Client] does.
type Announcer interface {
	Announce(ctx context.Context, announce string, req *tracker.AnnounceRequest) (*tracker.AnnounceResponse, error)
}

// SessionConfig is what a [Session] is made with. Client, Tiers, the ids, Port
// and Progress are needed.
type SessionConfig struct {
	Client Announcer

	// Tiers are the trackers; EveryTier, Least and Earliest are as in
	// [tracker.AnnouncerConfig].
	Tiers     [][]string
	EveryTier bool
	Least     time.Duration
	Earliest  map[string]time.Time

	InfoHash [20]byte
	PeerID   [20]byte
	Port     uint16 // where peers connect to
	Key      uint32 // says that it is the same client after its address has changed (BEP 7). If zero, drawn

	// Progress returns the bytes sent and received since the session began, and
	// how many are missing, negative if that is not known yet. It is called from
	// the session's goroutine.
	Progress func() (uploaded, downloaded, left int64)

	// NumWant returns how many peers are wanted, negative to let the tracker
	// choose. If nil, it chooses.
	NumWant func() int

	// Found is told the peers of each answer, each once, whatever was told
	// before. It is called from the session's goroutine, and must not wait. If
	// nil, nobody is told.
	Found func(peers []netip.AddrPort)

	// Logger gets the calls at debug level. If nil, nothing is logged.
	Logger *slog.Logger
}

// Session announces one torrent. Make it with [NewSession] and run it once. Its
// other methods may be called concurrently. They wait for Run to have begun; once
// it has returned they do nothing.
type Session struct {
	cfg      SessionConfig
	asked    chan func(now time.Time, a *tracker.Announcer)
	complete chan struct{} // holds one
	results  chan result
	done     chan struct{}
}

// result is how a call ended.
type result struct {
	call tracker.Call
	res  *tracker.AnnounceResponse
	err  error
}

// stopPatience is how long trackers have to hear that a session has ended.
const stopPatience = 5 * time.Second

// NewSession returns a session. It starts nothing.
func NewSession(cfg SessionConfig) *Session {
	if cfg.Key == 0 {
		cfg.Key = max(1, uint32(drawn()))
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Session{
		cfg: cfg, asked: make(chan func(time.Time, *tracker.Announcer), 16), results: make(chan result), done: make(chan struct{}),
		complete: make(chan struct{}, 1),
	}
}

func drawn() uint64 {
	var b [8]byte
	crand.Read(b[:]) // never fails: it ends the process instead
	return binary.BigEndian.Uint64(b[:])
}

// Run announces until ctx ends. Then it tells the trackers that it stops, for 5
// seconds at most, and returns the cause of ctx.
func (s *Session) Run(ctx context.Context) error {
	defer close(s.done)
	a := tracker.NewAnnouncer(tracker.AnnouncerConfig{
		Tiers: s.cfg.Tiers, EveryTier: s.cfg.EveryTier, Least: s.cfg.Least, Earliest: s.cfg.Earliest,
		Rand: rand.New(rand.NewPCG(drawn(), drawn())),
	})
	a.Start(time.Now())
	var calls sync.WaitGroup
	defer calls.Wait()
	last, giveUp := context.WithCancel(context.WithoutCancel(ctx)) // of what says that we stop
	defer giveUp()
	timer := time.NewTimer(0)
	defer timer.Stop()
	ended := ctx.Done()
	for ended != nil || !a.Stopped() && last.Err() == nil {
		now := time.Now()
		for call, ok := a.Next(now); ok; call, ok = a.Next(now) {
			req, within := s.request(call), ctx
			if call.Event == tracker.EventStopped || call.Event == tracker.EventCompleted {
				within = last
			}
			calls.Go(func() { s.call(within, last, call, req) })
		}
		s.arm(timer, a, now)
		select {
		case <-ended:
			ended = nil
			select {
			case <-s.complete:
				a.Completed(time.Now())
			default:
			}
			a.Stop(time.Now())
			defer time.AfterFunc(stopPatience, giveUp).Stop()
		case <-last.Done():
		case <-timer.C:
		case <-s.complete:
			a.Completed(time.Now())
		case f := <-s.asked:
			f(time.Now(), a)
		case r := <-s.results:
			s.ended(a, time.Now(), r)
		}
	}
	return context.Cause(ctx)
}

// arm sets timer to when a has something to do next.
func (s *Session) arm(timer *time.Timer, a *tracker.Announcer, now time.Time) {
	deadline := a.Deadline(now)
	if deadline.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(deadline.Sub(now))
}

func (s *Session) request(call tracker.Call) *tracker.AnnounceRequest {
	req := &tracker.AnnounceRequest{
		InfoHash: s.cfg.InfoHash, PeerID: s.cfg.PeerID, Addr: netip.AddrPortFrom(netip.Addr{}, s.cfg.Port), Key: s.cfg.Key,
		Event: call.Event, TrackerID: call.TrackerID, NumWant: -1,
	}
	req.Uploaded, req.Downloaded, req.Left = s.cfg.Progress()
	switch {
	case call.Event == tracker.EventStopped:
		req.NumWant = 0
	case s.cfg.NumWant != nil:
		req.NumWant = s.cfg.NumWant()
	}
	return req
}

// call makes one call and hands in how it ended, as long as somebody listens.
func (s *Session) call(ctx, listens context.Context, call tracker.Call, req *tracker.AnnounceRequest) {
	res, err := s.cfg.Client.Announce(ctx, call.URL, req)
	s.cfg.Logger.Debug("announced", "tracker", host(call.URL), "infohash", hash(s.cfg.InfoHash), "event", call.Event.String(), "err", err)
	select {
	case s.results <- result{call, res, err}:
	case <-listens.Done():
	}
}

func (s *Session) ended(a *tracker.Announcer, now time.Time, r result) {
	if r.err != nil {
		a.Failed(now, r.call, r.err)
		return
	}
	a.Answered(now, r.call, r.res)
	if s.cfg.Found == nil || r.call.Event == tracker.EventStopped {
		return
	}
	peers := slices.Collect(r.res.Peers())
	slices.SortFunc(peers, func(a, b netip.AddrPort) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Port(), b.Port()))
	})
	if peers = slices.Compact(peers); len(peers) > 0 {
		s.cfg.Found(peers)
	}
}

// ask has f speak to the announcer, and reports false if Run has returned.
func (s *Session) ask(f func(now time.Time, a *tracker.Announcer)) bool {
	select {
	case s.asked <- f:
		return true
	case <-s.done:
		return false
	}
}

// Completed tells the trackers that the download has just ended, even if Run is told to end right after. It does not wait.
func (s *Session) Completed() {
	select {
	case s.complete <- struct{}{}:
	default: // it is going to be told
	}
}

// NeedPeers asks for peers as soon as the trackers allow.
func (s *Session) NeedPeers() {
	s.ask(func(now time.Time, a *tracker.Announcer) { a.NeedPeers(now) })
}

// SetPartialSeed says whether we want no more though we lack something (BEP 21).
func (s *Session) SetPartialSeed(yes bool) {
	s.ask(func(_ time.Time, a *tracker.Announcer) { a.SetPartialSeed(yes) })
}

// Retry asks all trackers anew, those included that said never.
func (s *Session) Retry() {
	s.ask(func(now time.Time, a *tracker.Announcer) { a.Retry(now) })
}

// Contacts returns what is known of each tracker; nothing when Run
// has returned.
func (s *Session) Contacts() []tracker.Contact {
	return answer(s, func(now time.Time, a *tracker.Announcer) []tracker.Contact { return a.Contacts(now) })
}

// Earliest returns when the trackers may be asked again, for the next session;
// nothing when Run has returned.
func (s *Session) Earliest() map[string]time.Time {
	return answer(s, func(now time.Time, a *tracker.Announcer) map[string]time.Time { return a.Earliest(now) })
}

func answer[T any](s *Session, f func(now time.Time, a *tracker.Announcer) T) (none T) {
	out := make(chan T, 1)
	if !s.ask(func(now time.Time, a *tracker.Announcer) { out <- f(now, a) }) {
		return none
	}
	select {
	case v := <-out:
		return v
	case <-s.done:
		return none
	}
}
