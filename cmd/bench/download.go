package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

var downloading = section{
	name: "download", title: "Downloading",
	about: `One file from one seed, which is libtorrent's where it is installed: the whole run of the program, from its start with a .torrent file to its
end with all data checked and in place. The seed is found through a tracker.`,
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		seeders, torrent, err := l.seeders(ctx)
		if err != nil {
			return nil, err
		}
		from := seeders[len(seeders)-1]
		at, tracker, err := l.tracker(ctx)
		if err != nil {
			return nil, err
		}
		defer tracker.stop()
		named := *torrent
		named.Announce, named.AnnounceList = "http://"+at+"/announce", nil
		file := filepath.Join(l.dir, "download.torrent")
		if err := os.WriteFile(file, named.Encode(), 0o644); err != nil {
			return nil, err
		}
		t := newTable("From one seed, "+from.name, "program", "s|MB/s|CPU s/GB")
		programs := l.downloaders(file)
		for round := range l.rounds {
			for i := range programs {
				program := programs[(round+i)%len(programs)] // memory that the one before has just freed is quicker to get
				s, err := from.start(ctx)
				if err != nil {
					return nil, err
				}
				defer s.stop() // should anything fail; a second time it does nothing
				_, port := split(s.address)
				query := url.Values{"info_hash": {string(torrent.InfoHash[:])}, "peer_id": {"-BE0001-the-seed-one"}, "port": {port}, "left": {"0"}, "compact": {"1"}}
				if _, err := fetch(named.Announce + "?" + query.Encode()); err != nil {
					return nil, errors.Join(err, ctx.Err())
				}
				query.Set("event", "stopped") // for later: who comes next is not to be told of a seed that is gone
				dir := filepath.Join(l.dir, "downloaded")
				if err := os.Mkdir(dir, 0o755); err != nil {
					return nil, err
				}
				wall, cpu, err := finish(ctx, dir, program.path, program.args(dir)...)
				s.stop()
				if err != nil {
					return nil, err
				}
				if _, err := fetch(named.Announce + "?" + query.Encode()); err != nil {
					return nil, errors.Join(err, ctx.Err())
				}
				if info, err := os.Stat(filepath.Join(dir, "big.bin")); err != nil || info.Size() != l.size {
					return nil, fmt.Errorf("%s did not download all: %w", program.name, err)
				}
				if err := os.RemoveAll(dir); err != nil {
					return nil, err
				}
				r := t.row(program.name)
				r.add("s", wall.Seconds())
				r.add("MB/s", float64(l.size)/1e6/wall.Seconds())
				r.add("CPU s/GB", cpu.Seconds()/(float64(l.size)/1e9))
			}
		}
		return []*table{t}, nil
	},
}

// downloader is a program that downloads a torrent into a directory and ends.
type downloader struct {
	name, path string
	args       func(dir string) []string
}

// downloaders are those that are installed.
func (l *lab) downloaders(torrent string) []downloader {
	all := []downloader{{oursName, l.ours, func(string) []string {
		return []string{"get", "--local", "--dht-router", "off", "--peer", "127.0.0.1:0", torrent}
	}}}
	if l.others.python != "" {
		all = append(all, downloader{"libtorrent", l.others.python, func(dir string) []string {
			return []string{l.others.script, "get", "127.0.0.2:0", dir, torrent}
		}})
	}
	if l.others.aria2 != "" {
		all = append(all, downloader{"aria2", l.others.aria2, func(dir string) []string {
			return []string{"--no-conf", "--dir", dir, "--seed-time=0", "--enable-dht=false", "--bt-enable-lpd=false", "--file-allocation=none",
				"--disable-ipv6=true", "--summary-interval=0", "--console-log-level=warn", "--interface=127.0.0.3", torrent}
		}})
	}
	return all
}
