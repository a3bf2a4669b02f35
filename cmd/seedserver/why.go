package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver"
)

// whyCmd prints why a file is served at the rate it is.
type whyCmd struct {
	File string `arg:"" help:"A published file or directory, or an infohash."`
	adminFlags
}

func (c *whyCmd) Run(ctx context.Context, s streams) error {
	client, path, err := c.find()
	if err != nil {
		return err
	}
	hash, err := findTorrent(ctx, client, path)
	if err != nil {
		return err
	}
	var d struct {
		Path string   `json:"path"`
		Why  []string `json:"why"`
	}
	err = client.ask(ctx, "torrents/"+hash, &d)
	if errors.Is(err, errNoTorrent) {
		return fmt.Errorf("%s has no torrent now: it is still being written or hashed, or is not published", c.File)
	}
	if err != nil {
		return err
	}
	for _, line := range d.Why {
		fmt.Fprintln(s.out, printable(line))
	}
	return nil
}

// find returns the server that publishes the file, and the file's path in it, or what was typed when the server does not depend on it.
func (c *whyCmd) find() (client *adminClient, path string, err error) {
	abs, err := filepath.Abs(c.File)
	if err != nil {
		return nil, "", err
	}
	if c.Admin != "" || c.State != "" {
		client, err = c.client("")
		return client, abs, err
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		state, err := seedserver.DefaultState(dir)
		if err != nil {
			return nil, "", err
		}
		if os.Getenv("STATE_DIRECTORY") != "" || dir == filepath.Dir(dir) {
			break // one server for all, or no more directories
		}
		if _, err := seedserver.FindAdmin(state); err == nil {
			client, err = c.client(dir)
			return client, abs, err
		}
	}
	client, err = c.client("")
	return client, abs, err
}

// findTorrent returns the infohash of the torrent that a file is or is part of.
func findTorrent(ctx context.Context, client *adminClient, file string) (string, error) {
	if h, err := metainfo.ParseInfoHash(filepath.Base(file)); err == nil {
		return h.String(), nil
	}
	var st struct {
		Dir string `json:"dir"`
		serverStatus
	}
	if err := client.ask(ctx, "status", &st); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(resolved(st.Dir), resolved(file))
	if err != nil || strings.HasPrefix(rel, "..") {
		return "", fmt.Errorf("%s is not in %s, which that server publishes", file, st.Dir)
	}
	path := strings.Map(func(r rune) rune { return r }, filepath.ToSlash(rel)) // JSON has no other way to say what is not UTF-8
	for _, t := range st.Torrents {
		if t.Path == path || strings.HasPrefix(path, t.Path+"/") {
			return t.InfoHash, nil
		}
	}
	return "", fmt.Errorf("%s has no torrent now: it is still being written or hashed, is empty, or is not published", path)
}

// resolved follows symbolic links as far as there are any.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
