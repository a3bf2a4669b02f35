package udptracker

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Server answers announces and scrapes over UDP. It remembers nothing of those
// it talks to but what its store does. It may be used concurrently.
type Server struct {
	cfg    Config
	counts counters
}

// New returns a server. It panics if cfg.Store is nil.
func New(cfg Config) *Server {
	if cfg.Store == nil {
		panic("udptracker: Config.Store is nil")
	}
	if cfg.Secret == [16]byte{} {
		crand.Read(cfg.Secret[:]) // never fails: it ends the process instead
	}
	return &Server{cfg: cfg.withDefaults()}
}

// Serve answers the packets that come to conn until ctx ends, and then returns
// the cause of its end, or until conn breaks. It takes conn over and closes it:
// closing it elsewhere does not end Serve. It may run on several sockets at a
// time, those of [Listen] for example, and is one goroutine on each.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	port, err := newPort(conn)
	if err != nil {
		return fmt.Errorf("serving udp: %w", err)
	}
	defer port.close()
	defer context.AfterFunc(ctx, port.interrupt)()
	r := newResponder(s)
	for {
		n, err := port.receive()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("serving udp: %w", err)
		}
		now := time.Now()
		for i := range n {
			from, packet, reply := port.packet(i)
			port.reply(i, r.respond(now, from, packet, reply))
		}
		port.send(n)
		s.counts.add(&r.stats)
	}
}

// Stats are counts of packets since a [Server] was made.
type Stats struct {
	Connects  uint64 // answered with a connection id
	Announces uint64 // of verified senders, those refused included
	Scrapes   uint64 // of verified senders
	Refused   uint64 // announces answered with a reason
	Strangers uint64 // requests with a connection id that is wrong or too old
	Bad       uint64 // no packets of BEP 15
	Flooded   uint64 // beyond Config.PerAddress
}

// counters are Stats that several sockets add to.
type counters struct {
	connects, announces, scrapes, refused, strangers, bad, flooded atomic.Uint64
}

// add adds and clears what a responder has counted.
func (c *counters) add(s *Stats) {
	c.connects.Add(s.Connects)
	c.announces.Add(s.Announces)
	c.scrapes.Add(s.Scrapes)
	c.refused.Add(s.Refused)
	c.strangers.Add(s.Strangers)
	c.bad.Add(s.Bad)
	c.flooded.Add(s.Flooded)
	*s = Stats{}
}

// Stats returns the counts of all sockets.
func (s *Server) Stats() Stats {
	c := &s.counts
	return Stats{
		Connects: c.connects.Load(), Announces: c.announces.Load(), Scrapes: c.scrapes.Load(), Refused: c.refused.Load(),
		Strangers: c.strangers.Load(), Bad: c.bad.Load(), Flooded: c.flooded.Load(),
	}
}
