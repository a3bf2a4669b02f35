package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

const (
	oursName = "seedserver"
	fastName = "libtorrent, high performance"
)

// seed is a running seed of big.bin.
type seed struct {
	*process
	address string
}

// seeder is a program that can seed it.
type seeder struct {
	name  string
	start func(ctx context.Context) (*seed, error)
}

// seeders are ours, and libtorrent with its high performance preset where it is installed; and the torrent that all of them seed.
func (l *lab) seeders(ctx context.Context) ([]seeder, *metainfo.Torrent, error) {
	dir, err := l.content()
	if err != nil {
		return nil, nil, err
	}
	torrent, file, err := l.torrent(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	all := []seeder{{oursName, func(ctx context.Context) (*seed, error) {
		s, err := l.serve(ctx, dir, "state")
		if err != nil {
			return nil, err
		}
		return &seed{s.process, s.peer}, s.await(ctx, "its torrent", func() bool { return s.published() == 1 })
	}}}
	if l.others.python == "" {
		return all, torrent, nil
	}
	return append(all, seeder{fastName, func(ctx context.Context) (*seed, error) {
		p, at, err := l.theirs(ctx, "seed", dir, file)
		return &seed{p, at}, err
	}}), torrent, nil
}

// torrent has ours hash big.bin, which it remembers from then on, and returns the torrent and the file it is in.
func (l *lab) torrent(ctx context.Context, dir string) (*metainfo.Torrent, string, error) {
	file := filepath.Join(l.dir, "big.torrent")
	if b, err := os.ReadFile(file); err == nil {
		t, err := metainfo.Parse(b)
		return t, file, err
	}
	s, err := l.serve(ctx, dir, "state")
	if err != nil {
		return nil, "", err
	}
	defer s.stop()
	if err := s.await(ctx, "its torrent", func() bool { return s.published() == 1 }); err != nil {
		return nil, "", err
	}
	t, err := s.torrent(ctx, "big.bin")
	if err != nil {
		return nil, "", err
	}
	return t, file, os.WriteFile(file, t.Encode(), 0o644)
}
