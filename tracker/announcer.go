package tracker

import (
	"math/rand/v2"
	"slices"
	"time"
)

const (
	defaultAnnounce  = 30 * time.Minute // where a tracker names no interval
	defaultLeast     = time.Minute
	maxAnnounce      = 24 * time.Hour
	announceSpread   = 0.05
	maxAnnouncerURLs = 100 // of one torrent
)

// AnnouncerConfig is what an [Announcer] is made with.
type AnnouncerConfig struct {
	// Tiers are the announce URLs of a torrent, as its announce-list groups them
	// (BEP 12). A URL that stands there twice is used once; those after the
	// hundredth are not used.
	Tiers [][]string

	// EveryTier announces to one tracker of each tier, instead of to the first
	// tracker that answers of all tiers.
	EveryTier bool

	// Least is the least time between two announces to a tracker that are not
	// due to an event, whatever the tracker says. If zero, a minute.
	Least time.Duration

	// Earliest is when a tracker may be asked again, as [Announcer.Earliest]
	// returned it before a restart: trackers ban clients that come back at once.
	Earliest map[string]time.Time

	// Rand shuffles tiers and spreads announces. It must not be nil.
	Rand *rand.Rand
}

// Announcer decides which tracker of a torrent is told what, and when: it is
// the client's side of BEP 3 and BEP 12.
//
// A program calls [Announcer.Next] when [Announcer.Deadline] has come, makes
// the call it returns, and reports how it ended with [Announcer.Answered] or
// [Announcer.Failed]. Nothing is announced before [Announcer.Start].
//
// It has no goroutine and no clock: methods are told the time, which does not go
// backwards. They may not be called concurrently.
type Announcer struct {
	rand     *rand.Rand
	least    time.Duration
	groups   []*group
	running  bool
	stopping bool
	partial  bool
}

// group is a sequence of tiers of which one tracker is enough.
type group struct {
	tiers   [][]*contact
	current *contact  // who answered last, nil if nobody has
	due     time.Time // of the next announce
	calls   int       // under way: one at most, but for those that end a session
}

// contact is what we know of one tracker.
type contact struct {
	url       string
	tier      int
	group     *group
	id        string    // BEP 3's tracker id
	notBefore time.Time // back-off, or what the tracker asked for
	soonest   time.Time // min interval: binds what is not due to an event
	failures  int
	never     bool // it said so (BEP 31)
	started   bool // it knows of this session
	complete  bool // "completed" is to be told
	calling   bool // a call is under way
	last      Contact
}

// Call is an announce to be made now.
type Call struct {
	URL       string
	Event     Event
	TrackerID string // to be sent as "trackerid", if not ""

	to *contact
}

// Contact is what an [Announcer] knows of one tracker.
type Contact struct {
	URL  string
	Tier int // from 0

	Announced time.Time // of the last answer; zero if there was none
	Next      time.Time // not asked before; zero if it may be asked now
	Err       error     // of the last call; nil if it was answered
	Working   bool      // the tracker in use

	Complete, Incomplete int    // as last answered
	Warning              string // as last answered
}

// NewAnnouncer returns an announcer for the trackers of cfg. The tiers are
// shuffled: "If there are multiple trackers in a tier [...] randomly shuffle"
// (BEP 12).
func NewAnnouncer(cfg AnnouncerConfig) *Announcer {
	a := &Announcer{rand: cfg.Rand, least: cfg.Least}
	if a.least <= 0 {
		a.least = defaultLeast
	}
	seen := map[string]bool{}
	for _, urls := range cfg.Tiers {
		var tier []*contact
		for _, url := range urls {
			if url == "" || seen[url] || len(seen) == maxAnnouncerURLs {
				continue
			}
			seen[url] = true
			tier = append(tier, &contact{url: url, soonest: cfg.Earliest[url]})
		}
		if len(tier) == 0 {
			continue
		}
		a.rand.Shuffle(len(tier), func(i, j int) { tier[i], tier[j] = tier[j], tier[i] })
		if len(a.groups) == 0 || cfg.EveryTier {
			a.groups = append(a.groups, &group{})
		}
		g := a.groups[len(a.groups)-1]
		for _, c := range tier {
			c.group, c.tier = g, len(g.tiers)
			if cfg.EveryTier {
				c.tier = len(a.groups) - 1
			}
		}
		g.tiers = append(g.tiers, tier)
	}
	return a
}

// Start begins a session: the next announce says "started". It has no effect in
// a session.
func (a *Announcer) Start(now time.Time) {
	if a.running && !a.stopping {
		return
	}
	a.running, a.stopping = true, false
	for _, g := range a.groups {
		g.due = now
		for c := range g.contacts() {
			c.started, c.complete = false, false
		}
	}
}

// Completed tells the trackers that know of the session as soon as possible
// that the download has just ended. It is not for what was complete when the
// session began: "No completed is sent if the file was complete when started"
// (BEP 3).
func (a *Announcer) Completed(now time.Time) {
	if !a.running || a.stopping {
		return
	}
	for _, g := range a.groups {
		for c := range g.contacts() {
			if c.calling || c == g.current && c.started {
				c.complete = true
				g.due = now
			}
		}
	}
}

// SetPartialSeed says whether we want no more though we lack something: every
// announce without another event is "paused" then (BEP 21).
func (a *Announcer) SetPartialSeed(yes bool) { a.partial = yes }

// NeedPeers asks for an announce as soon as the trackers in use allow.
func (a *Announcer) NeedPeers(now time.Time) {
	for _, g := range a.groups {
		if g.current != nil {
			g.due = earlier(g.due, later(now, g.current.soonest))
		}
	}
}

// Stop ends the session: each tracker that knows of it is told "stopped", once,
// after "completed" if that is still to be told.
// [Announcer.Stopped] tells when that is over.
func (a *Announcer) Stop(now time.Time) {
	if !a.running {
		return
	}
	a.stopping = true
	for _, g := range a.groups {
		g.due = now
	}
}

// Stopped reports whether nobody is to be told anything.
func (a *Announcer) Stopped() bool {
	if !a.running {
		return true
	}
	if !a.stopping {
		return false
	}
	for _, g := range a.groups {
		for c := range g.contacts() {
			if c.started || c.calling {
				return false
			}
		}
	}
	return true
}

// Contacts returns what is known of each tracker, in the order in which they
// are asked.
func (a *Announcer) Contacts(now time.Time) []Contact {
	var out []Contact
	for _, g := range a.groups {
		for c := range g.contacts() {
			last := c.last
			last.URL, last.Tier, last.Working = c.url, c.tier, g.current == c && last.Err == nil
			if last.Next = c.notBefore; g.current == c {
				last.Next = later(last.Next, g.due)
			}
			if !last.Next.After(now) {
				last.Next = time.Time{}
			}
			out = append(out, last)
		}
	}
	return out
}

// Earliest returns when the trackers may be asked again that want to be left
// alone until later than now, for [AnnouncerConfig].
func (a *Announcer) Earliest(now time.Time) map[string]time.Time {
	times := map[string]time.Time{}
	for _, g := range a.groups {
		for c := range g.contacts() {
			if at := later(c.notBefore, c.soonest); at.After(now) {
				times[c.url] = at
			}
		}
	}
	return times
}

// contacts yields the trackers in the order in which they are tried.
func (g *group) contacts() func(yield func(*contact) bool) {
	return func(yield func(*contact) bool) {
		for _, tier := range g.tiers {
			for _, c := range tier {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// promote moves c to the front: "it will be moved to the front of the tier"
// (BEP 12).
func (g *group) promote(c *contact) {
	for _, tier := range g.tiers {
		if i := slices.Index(tier, c); i > 0 {
			copy(tier[1:i+1], tier[:i])
			tier[0] = c
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
