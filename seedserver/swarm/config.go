package swarm

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
)

// Content is the torrent's data, one piece after the other as BEP 3 lays files out.
type Content interface {
	// ReadAt fills p from byte off on, or fails: after an error no byte of p is used. Concurrent calls are made. An error
	// that matches storage.ErrChanged says that the data are no longer those that were published.
	ReadAt(p []byte, off int64) error
}

// A ReadAheader is Content that is told what is going to be read next.
type ReadAheader interface {
	// ReadAhead says that n bytes from byte off on are going to be read soon. It does not wait for them. Concurrent calls are made.
	ReadAhead(off, n int64)
}

// Limiter paces what is sent.
type Limiter interface {
	// Wait returns nil when n bytes may leave, or an error when ctx ends before that. n may be up to 512 KiB.
	Wait(ctx context.Context, n int) error
}

// RateLimiter is a Limiter whose rate can be set.
type RateLimiter interface {
	Limiter
	// SetRate sets the limit in bytes per second; 0 is none.
	SetRate(bytesPerSecond int64)
}

// Superseed says how the pieces of a torrent are revealed one by one (BEP 16): see package piecepicker.
type Superseed struct {
	Mode piecepicker.Mode
	// MaxRate is what the torrent may send, bytes per second. If zero, unlimited.
	MaxRate int64
	// State is what [Swarm.Snapshot] returned before. If empty, or of another torrent, nothing is known.
	State []byte
}

// Config describes one torrent and how it is served. Info, InfoBytes, InfoHash and Content are needed; the zero value of every
// other field works. It is not modified after use.
type Config struct {
	Info      *metainfo.Info
	InfoBytes []byte // the raw info dict, given to peers that come by a magnet link (BEP 9); kept, not changed
	InfoHash  metainfo.InfoHash
	Content   Content

	// PeerID is the name we use in this swarm. If zero, the Host's.
	PeerID peerwire.PeerID
	// Limiter paces the blocks. If nil, nothing does.
	Limiter Limiter
	// ClassLimiters pace the blocks of a class in place of Limiter, and are given the rates that Superseed has for them. Those
	// that are nil, and those of Plain, do nothing.
	ClassLimiters [Classes]RateLimiter
	// Superseed, if set, hides our pieces and reveals them one by one. If nil, everybody sees all of them.
	Superseed *Superseed
	// Download, if set, says which pieces are lacking and where they go: they are asked of peers. Superseed is not used then.
	Download *Download
	// UploadSlots is how many peers are served at a time. If zero, as many as get a useful rate.
	UploadSlots int
	// MaxPeers is how many connections the torrent has at most. If zero, 2000. If negative, no bound.
	MaxPeers int
	// DialPeers is how many peers the torrent has before it dials no more. If zero, 40. If negative, it dials nobody.
	DialPeers int
	// DialPatience is how long an address that is new is left alone: who can reach us, and heard of us where we heard of it, comes by
	// itself, and two connections that cross are both lost with some clients. If zero, 10 s. If negative, none.
	DialPatience time.Duration
	// Own is at which addresses peers reach us, as far as they are known: they decide which peers are kept when there are too many
	// (BEP 40).
	Own []netip.AddrPort
	// MaxRequests is how many requests of one peer are held unanswered; those above are refused. If zero, 1000.
	MaxRequests int
	// ListenPort is told to peers as the port that takes connections. If zero, it is left out.
	ListenPort uint16
	// Client is the name and version told to peers. If empty, "seedserver".
	Client string
	// SeedGrace is how long a peer that wants nothing more of anybody stays connected, and counted. If zero, 20 s.
	SeedGrace time.Duration

	// Admit, if set, is asked whether a peer may join: with the zero PeerID while only its address is known, and if that is not
	// enough, again with the peer id. One that may not is closed before our handshake, as if there were no such torrent. It is
	// asked again now and then while the peer is connected. It must not block, nor call the Swarm.
	Admit func(addr netip.Addr, id peerwire.PeerID) bool
	// Changed, if set, is called when the content is found to be other than published; sending has stopped then, as by
	// Pause. It is called once until Resume, from a goroutine that may call the Swarm but must not wait for Run to return.
	Changed func(error)
	// Sent, if set, is told the payload bytes of a class sent since its last call, about once a second and at the end. It must
	// not block, nor call the Swarm.
	Sent func(class Class, bytes int)
	// SentMetadata, if set, is told likewise of the bytes of the info dict sent (BEP 9).
	SentMetadata func(bytes int)
	// Joined, if set, is told of each connection that the Swarm takes, and Left of each that has ended, when nothing more is
	// sent on it. Each must not block, nor call the Swarm.
	Joined, Left func(PeerStat)
	// Judged, if set, is told of each peer whose word is found to hold or not, and of Unknown when that does not count any more, as
	// when it leaves; one that sent wrong bytes stays a Liar. The port is where
	// it says it listens, 0 if that is not known. It must not block, nor call the Swarm.
	Judged func(addr netip.AddrPort, v Verdict)
	// Logger is for people. If nil, nothing is logged.
	Logger *slog.Logger
}

func (c *Config) maxPeers() int  { return orOff(c.MaxPeers, 2000) }
func (c *Config) dialPeers() int { return max(0, cmp.Or(c.DialPeers, 40)) }
func (c *Config) dialPatience() time.Duration {
	return max(0, cmp.Or(c.DialPatience, 10*time.Second))
}
func (c *Config) maxRequests() int         { return cmp.Or(c.MaxRequests, 1000) }
func (c *Config) client() string           { return cmp.Or(c.Client, "seedserver") }
func (c *Config) seedGrace() time.Duration { return cmp.Or(c.SeedGrace, 20*time.Second) }
func (c *Config) logger() *slog.Logger     { return orDiscard(c.Logger) }

// orOff returns def for zero and the largest number there is for a negative one.
func orOff(n, def int) int {
	switch {
	case n == 0:
		return def
	case n < 0:
		return math.MaxInt
	}
	return n
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// revealsPieces reports whether pieces are revealed one by one. A single one is not: there is nothing to spread, and libtorrent
// closes the connection at a HAVE that makes us complete before it was interested.
func (c *Config) revealsPieces() bool {
	return c.Download == nil && c.Superseed != nil && c.Info.NumPieces() > 1
}

// limiters returns what paces each class, and whether anything does.
func (c *Config) limiters() (limited bool, all [Classes]Limiter) {
	for class := range all {
		switch {
		case Class(class) != Plain && c.ClassLimiters[class] != nil:
			limited, all[class] = true, c.ClassLimiters[class]
		case c.Limiter != nil:
			limited, all[class] = true, c.Limiter
		default:
			all[class] = noLimit{}
		}
	}
	return limited, all
}

type noLimit struct{}

func (noLimit) Wait(context.Context, int) error { return nil }
