package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

var tracking = section{
	name: "tracker", title: "Tracker",
	about: `100,000 peers of 1,000 torrents, each of which has announced; then announces of random ones of them that ask for 50 peers. UDP from 16 sockets with
1 or 8 announces on the way in each, HTTP over 32 connections that are kept, or over a new one for each announce. opentracker keeps none.`,
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		t := newTable("Announces", "protocol|program", "announces/s|CPU s/100,000|p50 ms|p99 ms|lost")
		memory := newTable("Memory", "peers|program", "anonymous MiB")
		type program struct {
			name  string
			start func(context.Context) (string, *process, error)
		}
		programs := []program{{oursName, l.tracker}}
		if l.others.opentracker != "" {
			programs = append(programs, program{"opentracker", l.opentracker})
		}
		for _, way := range ways { // the rows of one protocol stand together
			for _, who := range programs {
				if way.can(who.name) {
					t.row(way.name, who.name)
				}
			}
		}
		for range l.rounds {
			for _, who := range programs {
				at, p, err := who.start(ctx)
				if err != nil {
					return nil, err
				}
				if err := l.announces(ctx, at, p, who.name, t, memory); err != nil {
					p.stop()
					return nil, err
				}
				p.stop()
			}
		}
		return []*table{t, memory}, nil
	},
}

// way is how announces reach a tracker.
type way struct {
	name string
	load func(ctx context.Context, at string, window time.Duration) (*announced, error)
}

const kept = "HTTP, kept"

var ways = []way{
	{"UDP, 16 x 1", func(ctx context.Context, at string, w time.Duration) (*announced, error) {
		return announceUDP(ctx, at, 1, false, w)
	}},
	{"UDP, 16 x 8", func(ctx context.Context, at string, w time.Duration) (*announced, error) {
		return announceUDP(ctx, at, 8, false, w)
	}},
	{kept, func(ctx context.Context, at string, w time.Duration) (*announced, error) {
		return announceHTTP(ctx, at, true, w)
	}},
	{"HTTP, new", func(ctx context.Context, at string, w time.Duration) (*announced, error) {
		return announceHTTP(ctx, at, false, w)
	}},
}

// can says whether a program answers that way.
func (w way) can(program string) bool { return w.name != kept || program != "opentracker" }

// announces fills the tracker at an address, and then measures each protocol.
func (l *lab) announces(ctx context.Context, at string, p *process, name string, t, memory *table) error {
	if _, err := announceUDP(ctx, at, 4, true, 0); err != nil {
		return err
	}
	for _, way := range ways {
		if !way.can(name) {
			continue
		}
		before := p.usage()
		res, err := way.load(ctx, at, l.window)
		if err != nil {
			return err
		}
		r := t.row(way.name, name)
		r.add("announces/s", float64(res.waits.total)/res.seconds)
		r.add("CPU s/100,000", (p.usage().cpu-before.cpu)/(float64(res.waits.total)/1e5))
		r.add("p50 ms", res.waits.quantile(.5))
		r.add("p99 ms", res.waits.quantile(.99))
		r.add("lost", float64(res.lost))
	}
	memory.row(trackedPeers, name).add("anonymous MiB", p.usage().anon/(1<<20))
	return nil
}

// tracker starts ours.
func (l *lab) tracker(ctx context.Context) (string, *process, error) {
	at, err := address()
	if err != nil {
		return "", nil, err
	}
	p, err := start(ctx, l.dir, l.ours, "track", "--open", "--http", at, "--log", "off")
	if err != nil {
		return "", nil, err
	}
	return at, p, p.await(ctx, "an answer", func() bool { _, err := fetch("http://" + at + "/"); return err == nil })
}

// opentracker starts it with a list of our torrents: as Debian builds it, it tracks no others.
func (l *lab) opentracker(ctx context.Context) (string, *process, error) {
	at, err := address()
	if err != nil {
		return "", nil, err
	}
	var list []byte
	for _, hash := range trackedHashes {
		list = fmt.Appendf(list, "%x\n", hash)
	}
	file := filepath.Join(l.dir, "opentracker.txt")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		return "", nil, err
	}
	host, port := split(at)
	p, err := start(ctx, l.dir, l.others.opentracker, "-i", host, "-p", port, "-P", port, "-d", l.dir, "-u", "nobody", "-w", filepath.Base(file))
	if err != nil {
		return "", nil, err
	}
	return at, p, p.await(ctx, "an answer", func() bool { // it reads its list after it has begun to listen
		body, err := fetch("http://" + at + "/announce?" + trackedQuery(0))
		return err == nil && !refused(body)
	})
}
