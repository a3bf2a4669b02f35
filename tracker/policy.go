package tracker

import "time"

// Store is where a tracker keeps its peers: the one of package peerstore, for
// example. Its methods are called concurrently.
type Store interface {
	// Announce records req, puts the counts of the swarm into res and appends
	// up to req.NumWant peers to res.Peers4 and res.Peers6. It returns what is
	// now known of the asker. It keeps nothing of req and res.
	Announce(now time.Time, req *AnnounceRequest, res *AnnounceResponse) (Standing, error)

	// Scrape returns the counts of a swarm, and false if it knows nothing of it.
	Scrape(infohash [20]byte) (ScrapeStats, bool)
}

// Policy is what holds for a tracker whichever way it is asked: who is served,
// how often clients come back, and how many peers they are told of. The zero
// value serves everybody. The functions are called concurrently and hold up the
// answer.
type Policy struct {
	// Allow says whether a torrent is tracked here: nil to go on, an error to
	// refuse. The text of a [*FailureError], such as [ErrNotRegistered], is sent
	// to the client; any other error is answered with "internal error". A scrape
	// leaves out what is refused, or says 0 of it. If nil, every torrent is
	// tracked.
	Allow func(infohash [20]byte) error

	// AllowKey is asked after Allow, with KEY of the path /announce/KEY or
	// /scrape/KEY (over UDP: BEP 41, announces only), and "" if there is none.
	// Its errors are treated as those of Allow. If nil, keys are not looked at.
	AllowKey func(key string, infohash [20]byte) error

	// Announced, if not nil, is told of each announce that Allow and AllowKey
	// let through, with its KEY and before it is answered. It keeps nothing of
	// req.
	Announced func(now time.Time, key string, req *AnnounceRequest)

	// Interval is how long clients wait between regular announces. If zero or
	// negative, 30 minutes. Peers of the store must live longer than this.
	Interval time.Duration

	// CurrentInterval, if not nil, is asked for each answer in place of Interval:
	// it lets a tracker under load be asked less often.
	CurrentInterval func() time.Duration

	// Jitter spreads intervals evenly over Interval*(1-Jitter) to
	// Interval*(1+Jitter). If zero, 0.1. If negative, off.
	Jitter float64

	// DefaultNumWant is the number of peers for a client that asks for none in
	// particular. If zero, the constant [DefaultNumWant]. If negative, none.
	DefaultNumWant int

	// MaxNumWant bounds the peers of one answer, next to what a packet holds. If
	// zero, the constant [MaxNumWant]. If negative, clients get no peers but our
	// own seed.
	MaxNumWant int

	// Scrape says what a scrape may ask for. The zero value is
	// [ScrapeSpecific]. UDP knows no scrape of all torrents.
	Scrape ScrapePolicy
}

const (
	defaultInterval = 30 * time.Minute
	defaultJitter   = 0.1
)

// WithDefaults returns p with every zero number replaced by what it stands for.
func (p Policy) WithDefaults() Policy {
	if p.Interval <= 0 {
		p.Interval = defaultInterval
	}
	if p.Jitter == 0 {
		p.Jitter = defaultJitter
	}
	if p.DefaultNumWant == 0 {
		p.DefaultNumWant = DefaultNumWant
	}
	if p.MaxNumWant == 0 {
		p.MaxNumWant = MaxNumWant
	}
	return p
}

// Regular returns the interval of an answer before it is spread by [Jitter]: that of CurrentInterval, else Interval.
func (p *Policy) Regular() time.Duration {
	if p.CurrentInterval != nil {
		return p.CurrentInterval()
	}
	return p.Interval
}
