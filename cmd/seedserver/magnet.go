package main

import "fmt"

// magnetCmd prints the magnet link of a torrent.
type magnetCmd struct {
	Torrent string `arg:"" help:"The .torrent file." type:"path"`
}

func (c *magnetCmd) Run(s streams) error {
	t, err := readTorrent(c.Torrent)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, t.Magnet().String())
	return err
}
