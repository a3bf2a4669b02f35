package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
)

// findMagnet gets the torrent that a magnet link means from its peers.
func (c *getCmd) findMagnet(ctx context.Context, s streams, client *seedserver.Client, peers []netip.AddrPort) (*find, error) {
	m, err := metainfo.ParseMagnet(c.Source)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	lookup, err := client.NewLookup(m, peers, c.Local)
	if err != nil {
		return nil, err
	}
	what := m.Name
	if what == "" {
		what = m.InfoHash.String()
	}
	if c.GiveUp > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.GiveUp, fmt.Errorf("gave up: no peer gave the torrent of %s in %v", printable(what), c.GiveUp))
		defer cancel()
	}
	began := time.Now()
	done := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		c.tellLookup(s, lookup, what, began, done)
	}()
	t, found, err := lookup.Run(ctx)
	close(done)
	<-told
	if err != nil {
		return nil, err
	}
	return &find{torrent: t, peers: found, private: c.Local}, nil
}

// tellLookup says every few seconds how a lookup does.
func (c *getCmd) tellLookup(s streams, lookup *seedserver.Lookup, what string, began time.Time, done <-chan struct{}) {
	tick := time.NewTicker(linesEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		heard, tried := lookup.Found()
		if c.JSON {
			encode(s, map[string]any{"event": "lookup", "name": what, "peers_found": heard, "dialled": tried})
			continue
		}
		line := fmt.Sprintf("%s: asking peers for the torrent: %d found, %d dialled", printable(what), heard, tried)
		if heard == 0 {
			line = fmt.Sprintf("%s: no peers found yet", printable(what))
		}
		if c.GiveUp > 0 {
			line += fmt.Sprintf(", giving up in %v", (c.GiveUp - time.Since(began)).Round(time.Second))
		}
		fmt.Fprintln(s.err, line)
	}
}

// findURL asks a web server for a torrent. It returns nil when the server had the file itself to give, and that is saved.
func (c *getCmd) findURL(ctx context.Context, s streams, peers []netip.AddrPort) (*find, error) {
	var bar *progress
	got, err := seedserver.Fetch(ctx, seedserver.FetchConfig{
		URL: c.Source, Path: c.SaveAs, MaxSize: int64(c.MaxSize), Overwrite: c.Overwrite,
		Progress: func(path string, have, total int64) {
			if c.JSON {
				return
			}
			if bar == nil {
				fmt.Fprintf(s.err, "no torrent there: saving the file itself to %s\n", printable(path))
				bar = newProgress(s.err, path, total)
			}
			bar.set(have, max(total, 0))
		},
		Waiting: func(reason string, wait time.Duration) {
			if wait >= time.Second {
				fmt.Fprintf(s.err, "%s; asking again in %v\n", printable(reason), wait)
			}
		},
	})
	if bar != nil {
		bar.finish()
	}
	if err != nil {
		return nil, err
	}
	if got.Torrent != nil {
		return &find{torrent: got.Torrent, peers: peers, private: got.Local || c.Local}, nil
	}
	if c.JSON {
		encode(s, map[string]any{"event": "complete", "phase": "plain", "path": got.Path, "size": got.Size})
		return nil, nil
	}
	fmt.Fprintf(s.out, "%s is complete: %s by HTTP\n", printable(got.Path), humanBytes(got.Size))
	return nil, nil
}
