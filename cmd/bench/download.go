package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

var downloading = section{
	name: "download", title: "Downloading",
	about: `One file from one seed and from eight, which are libtorrent's where it is installed: the whole run of the program, from its start with a .torrent
file to its end with all data checked and in place. The seeds are found through a tracker.`,
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
		tables := []*table{newTable("From one seed, "+from.name, "program", "s|MB/s|CPU s/GB")}
		seeds := []int{1}
		if from.name != oursName { // two of ours cannot share the state that knows the file
			tables = append(tables, newTable("From eight seeds, "+from.name, "program", "s|MB/s|CPU s/GB"))
			seeds = append(seeds, 8)
		}
		programs := l.downloaders(file)
		for i, t := range tables {
			for round := range l.rounds {
				for j := range programs {
					program := programs[(round+j)%len(programs)] // memory that the one before has just freed is quicker to get
					wall, cpu, err := l.download(ctx, program, &named, from, seeds[i])
					if err != nil {
						return nil, err
					}
					r := t.row(program.name)
					r.add("s", wall.Seconds())
					r.add("MB/s", float64(l.size)/1e6/wall.Seconds())
					r.add("CPU s/GB", cpu.Seconds()/(float64(l.size)/1e9))
				}
			}
		}
		return tables, nil
	},
}

// download has a program download from some seeds that started just before, and removes what it got.
func (l *lab) download(ctx context.Context, program downloader, torrent *metainfo.Torrent, from seeder, seeds int) (wall, cpu time.Duration, err error) {
	fail := func(err error) (time.Duration, time.Duration, error) { return 0, 0, err }
	var leave []func() error
	for i := range seeds {
		s, err := from.start(ctx)
		if err != nil {
			return fail(err)
		}
		defer s.stop()
		_, port := split(s.address)
		query := url.Values{"info_hash": {string(torrent.InfoHash[:])}, "peer_id": {fmt.Sprintf("-BE0001-the-seed-%03d", i)}, "port": {port}, "left": {"0"}, "compact": {"1"}}
		announce := func() error {
			_, err := fetch(torrent.Announce + "?" + query.Encode())
			return err
		}
		if err := announce(); err != nil {
			return fail(errors.Join(err, ctx.Err()))
		}
		leave = append(leave, func() error { // who comes next is not to be told of a seed that is gone
			query.Set("event", "stopped")
			return announce()
		})
	}
	dir := filepath.Join(l.dir, "downloaded")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if wall, cpu, err = finish(ctx, dir, program.path, program.args(dir)...); err != nil {
		return fail(err)
	}
	for _, leave := range leave {
		if err := leave(); err != nil {
			return fail(errors.Join(err, ctx.Err()))
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "big.bin")); err != nil || info.Size() != l.size {
		return fail(fmt.Errorf("%s did not download all: %w", program.name, err))
	}
	return wall, cpu, nil
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
