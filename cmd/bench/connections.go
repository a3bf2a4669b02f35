package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

var connections = section{
	name: "connections", title: "Connections",
	about: `Connections to one torrent that ask for nothing (*idle*), and then for a block a second each (*slow*). Memory is anonymous memory, less what
the program had before, divided by the connections; that of the kernel's sockets is not in it. CPU is of one core. What
one connection costs should be flat. The grain is coarse: a garbage collection more or less is a KiB for each of few connections.`,
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		seeders, torrent, err := l.seeders(ctx)
		if err != nil {
			return nil, err
		}
		t := newTable("Cost of a connection", "connections|program", "idle KiB each|idle CPU %|slow KiB each|slow CPU %|blocks/s|p99 ms|lost")
		for _, n := range l.sizes(500, 2_000, 10_000) {
			for range l.rounds {
				for _, who := range seeders {
					if err := hold(ctx, l, who, torrent, n, t.row(n, who.name)); err != nil {
						return nil, fmt.Errorf("%s, %d connections: %w", who.name, n, err)
					}
				}
			}
			l.say("%d connections", n)
		}
		return []*table{t}, nil
	},
}

// hold opens n connections to a fresh seed and notes in r what they cost.
func hold(ctx context.Context, l *lab, who seeder, torrent *metainfo.Torrent, n int, r *row) error {
	s, err := who.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	if _, err := pull(ctx, s, torrent, 1, 8, 200*time.Millisecond); err != nil { // what the first block costs is not a connection's
		return err
	}
	if err := pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	base := s.usage()
	c, err := gather(ctx, s.address, torrent, n)
	defer c.leave()
	if err != nil {
		return err
	}
	if err := pause(ctx, l.window); err != nil {
		return err
	}
	idle := s.usage()
	if err := pause(ctx, l.window); err != nil {
		return err
	}
	later := s.usage()
	r.add("idle KiB each", (later.anon-base.anon)/1024/float64(n))
	r.add("idle CPU %", 100*(later.cpu-idle.cpu)/l.window.Seconds())

	if err := c.trickle(ctx, 2*time.Second); err != nil { // who is interested, and the first blocks
		return err
	}
	c.forget()
	before := s.usage()
	if err := c.trickle(ctx, l.window); err != nil {
		return err
	}
	after := s.usage()
	waits, lost := c.leave()
	r.add("slow KiB each", (after.anon-base.anon)/1024/float64(n))
	r.add("slow CPU %", 100*(after.cpu-before.cpu)/l.window.Seconds())
	r.add("blocks/s", float64(waits.total)/l.window.Seconds())
	r.add("p99 ms", waits.quantile(.99))
	r.add("lost", float64(lost))
	return nil
}
