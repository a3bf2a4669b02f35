package main

import "context"

var seeding = section{
	name: "seeding", title: "Seeding",
	about: `One file from the page cache, as fast as it goes: 128 requests of 16 KiB on the way in each connection, pieces in random order. *Waiting* is
from a request to its block, and with so many on the way mostly the time of those before it. *Least* is what the worst served connection got, of a
fair share. Processor time for a GB should be flat. Waiting cannot be: with more connections there is more on the way, and no more leaves.`,
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		seeders, torrent, err := l.seeders(ctx)
		if err != nil {
			return nil, err
		}
		t := newTable("Throughput", "connections|program", "MB/s|CPU s/GB|waiting p50 ms|p99 ms|least %")
		for _, links := range l.sizes(1, 8, 64) {
			for range l.rounds {
				for _, who := range seeders {
					s, err := who.start(ctx)
					if err != nil {
						return nil, err
					}
					res, err := pull(ctx, s, torrent, links, 128, l.window)
					s.stop()
					if err != nil {
						return nil, err
					}
					r := t.row(links, who.name)
					r.add("MB/s", res.bytes/1e6/res.seconds)
					r.add("CPU s/GB", res.cpu/(res.bytes/1e9))
					r.add("waiting p50 ms", res.waits.quantile(.5))
					r.add("p99 ms", res.waits.quantile(.99))
					r.add("least %", 100*res.least)
				}
			}
			l.say("%d connections", links)
		}
		return []*table{t}, nil
	},
}
