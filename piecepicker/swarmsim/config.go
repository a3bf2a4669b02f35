package swarmsim

import (
	"cmp"
	"io"
	"time"
)

// A Behaviour is what the peers of a [Group] do.
type Behaviour uint8

const (
	// Leech downloads and passes on, as mainstream clients do.
	Leech Behaviour = iota
	// FreeRider downloads and passes nothing on.
	FreeRider
	// FakeSeed comes with everything by its own word, and neither takes nor gives anything.
	FakeSeed
	// JunkSeed is a FakeSeed that answers audits, with bytes that are not the torrent's.
	JunkSeed
	// CreepingFake comes with nothing, and then says it has one piece after the other. It takes and gives nothing.
	CreepingFake
	// Parrot comes with nothing, and says it has what it hears others have. It takes and gives nothing.
	Parrot
)

// String returns the name of the behaviour in lower case with dashes, such as "free-rider".
func (b Behaviour) String() string {
	return [...]string{"leech", "free-rider", "fake-seed", "junk-seed", "creeping-fake", "parrot"}[b]
}

// honest reports whether the swarm is there for such peers.
func (b Behaviour) honest() bool { return b == Leech }

// takes reports whether such peers download.
func (b Behaviour) takes() bool { return b == Leech || b == FreeRider }

// A Line is the capacity of a peer's line, in bytes per second.
type Line struct {
	Up, Down int64
	Share    float64 // of the peers of a Group that have such a line, in relation to the other shares
}

// Forever as Group.Stay keeps peers in the swarm when they are complete.
const Forever = time.Duration(-1)

// A Group is a number of peers alike.
type Group struct {
	Behaviour Behaviour
	// Count peers come at Start, all at once.
	Count int
	// PerHour is how many more come in an hour from Start on, one by one at random (a Poisson process).
	PerHour float64
	Start   time.Duration
	// Lines are what lines the peers have. If nil, all have 1 MiB/s up and 8 MiB/s down.
	Lines []Line
	// Stay is how long a peer stays once it is complete. If zero, it leaves at once; Forever is for ever. Liars never leave.
	Stay time.Duration
	// NAT is the share of peers that take no connections, so that two of them never meet. All reach the server.
	NAT float64
	// Networks is how many /24 the peers' addresses are in. If zero, each has one of its own.
	Networks int
	// Quiet peers send no HAVE to who has the piece already or has shown it to them. Some clients save these messages.
	Quiet bool
	// Every is how long a CreepingFake takes from one claim to the next. If zero, a second.
	Every time.Duration
}

var usualLine = []Line{{Up: 1 << 20, Down: 8 << 20, Share: 1}}

func (g *Group) lines() []Line {
	if len(g.Lines) == 0 {
		return usualLine
	}
	return g.Lines
}

// A Loss is a moment at which some pieces are lost by all who have them: every peer that had one comes back without it.
type Loss struct {
	At    time.Duration
	Share float64 // of the pieces, chosen at random
}

// Config describes a simulation.
type Config struct {
	Seed        uint64 // of all randomness
	Pieces      int    // at least 1
	PieceLength int64  // bytes; at least 1
	Uplink      int64  // bytes per second that the server can send; at least 1
	Server      Make   // what is being looked at
	Connections int    // that the server takes. If zero, 200
	Groups      []Group
	// Audit is how long an honest peer lets the server wait for a slot, when that wants to audit it. If zero, 30 s. If negative,
	// for ever.
	Audit time.Duration
	Loss  Loss // if its Share is not zero
	// Until is when the simulation ends at the latest. If zero, after 12 hours. It ends as soon as all honest peers are
	// complete, unless some come one by one.
	Until time.Duration
	// WarmUp is when the figures of the steady state begin to be taken: see [Steady].
	WarmUp time.Duration
	// Step is the resolution of time. If zero, 250 ms.
	Step time.Duration
	// Transcript, if not nil, is written a line for each decision of the server and each thing that happens to a peer. An
	// error of it ends the transcript, not the simulation.
	Transcript io.Writer
}

func (c *Config) connections() int     { return cmp.Or(c.Connections, 200) }
func (c *Config) audit() time.Duration { return cmp.Or(c.Audit, 30*time.Second) }
func (c *Config) until() time.Duration { return cmp.Or(c.Until, 12*time.Hour) }
func (c *Config) step() time.Duration  { return cmp.Or(c.Step, 250*time.Millisecond) }
func (c *Config) length() int64        { return int64(c.Pieces) * c.PieceLength }
