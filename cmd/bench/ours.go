package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// server is a running "seedserver serve".
type server struct {
	*process
	peer, index, admin string // addresses
}

// serve publishes dir as an ordinary seed, with what it knows about it in state, and more flags. It takes no part in DHT and local discovery, as nobody does here. 10,000 connections are four fifths of --max-peers.
func (l *lab) serve(ctx context.Context, dir, state string, more ...string) (*server, error) {
	var s server
	for _, a := range []*string{&s.peer, &s.index, &s.admin} {
		var err error
		if *a, err = address(); err != nil {
			return nil, err
		}
	}
	var err error
	s.process, err = start(ctx, l.dir, l.ours, append([]string{"serve", "--mode", "plain", "--http", s.index, "--peer", s.peer, "--admin", s.admin,
		"--state", filepath.Join(l.dir, state), "--settle", "1s", "--tracker", "off", "--lsd", "off", "--dht-router", "off",
		"--max-peers", "12500", dir}, more...)...)
	return &s, err
}

// torrent fetches the torrent of the file at path, which is relative to what is served. The index may be a moment behind.
func (s *server) torrent(ctx context.Context, path string) (t *metainfo.Torrent, err error) {
	var body []byte
	if err := s.await(ctx, "the torrent of "+path, func() bool {
		body, err = fetch("http://" + s.index + "/" + path + ".torrent")
		return err == nil
	}); err != nil {
		return nil, err
	}
	return metainfo.Parse(body)
}

// published is how many torrents there are.
func (s *server) published() (n int) {
	body, _ := fetch("http://" + s.admin + "/metrics")
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "seedserver_torrents{") {
			_, value, _ := strings.Cut(line, "} ")
			some, _ := strconv.Atoi(strings.TrimSpace(value))
			n += some
		}
	}
	return n
}

func fetch(url string) ([]byte, error) {
	res, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(res.Body)
}

// theirs starts libtorrent with its preset for high performance, and as lt.py's command says: seed or believe.
func (l *lab) theirs(ctx context.Context, command, dir, torrents string) (*process, string, error) {
	at, err := address()
	if err != nil {
		return nil, "", err
	}
	p, err := start(ctx, l.dir, l.others.python, l.others.script, command, at, dir, torrents)
	if err != nil {
		return nil, "", err
	}
	if err := p.await(ctx, "its torrents", func() bool { return strings.Contains(p.out.String(), "ready\n") }); err != nil {
		p.stop()
		return nil, "", fmt.Errorf("libtorrent: %w", err)
	}
	return p, at, nil
}
