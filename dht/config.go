package dht

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
)

// Config says how a [Node] behaves. It is not changed after use. Only Rand and Secret are needed.
type Config struct {
	// Rand decides what is left to chance. It belongs to the node.
	Rand *rand.Rand

	// Secret is the key of the tokens, and of what else strangers must not foresee: 16 random bytes, of crypto/rand.
	Secret [16]byte

	// IPv4 and IPv6 say in which of the two DHTs the node takes part (BEP 32). If neither is set, in that of IPv4.
	IPv4, IPv6 bool

	// Saved is what [Node.Save] returned before a restart: the ids go on, and the nodes are asked first.
	Saved Saved

	// External are our addresses as others see them, if known: the ids are made for them (BEP 42). Otherwise the node finds out,
	// and changes an id that does not fit.
	External []netip.Addr

	// Port is where our peers listen (TCP): what announces tell.
	Port uint16

	// ReadOnly makes a node that asks but does not answer, and says so (BEP 43): for a few questions from behind a NAT.
	ReadOnly bool

	// AnswersPerSource is how many queries of one address are answered each second, with a burst of five times that: of one
	// IPv4 address, of one /64 of IPv6. If zero, 10. If negative, any number.
	AnswersPerSource float64

	// Answers is how many queries are answered each second, with a burst of as many. If zero, 1,000. If negative, any number.
	Answers float64

	// Queries is how many queries are sent each second at most. If zero, 250. If negative, any number.
	Queries float64

	// AnnounceInterval is how long after an announce a published infohash is announced again, at most. If zero, 25 minutes.
	AnnounceInterval time.Duration

	// MaxSwarms, MaxPeers and MaxStored bound what others announce here, in each family: infohashes, peers of one infohash, and
	// peers of all. If zero, 20,000, 1,000 and 100,000.
	MaxSwarms, MaxPeers, MaxStored int

	// Version names our software in every message, if not empty: two letters, and two bytes of its version.
	Version [4]byte
}

// Saved is what a node keeps over a restart.
type Saved struct {
	ID4, ID6 ID             // zero: none yet
	Nodes    []compact.Node // those that answered last come first
}

func or[T int | float64 | time.Duration](set, standard T) T {
	if set == 0 {
		return standard
	}
	return set
}

func (c *Config) answersPerSource() float64       { return or(c.AnswersPerSource, 10) }
func (c *Config) answers() float64                { return or(c.Answers, 1000) }
func (c *Config) queries() float64                { return or(c.Queries, 250) }
func (c *Config) announceInterval() time.Duration { return or(c.AnnounceInterval, 25*time.Minute) }
func (c *Config) maxSwarms() int                  { return or(c.MaxSwarms, 20_000) }
func (c *Config) maxPeers() int                   { return or(c.MaxPeers, 1_000) }
func (c *Config) maxTotal() int                   { return or(c.MaxStored, 100_000) }
