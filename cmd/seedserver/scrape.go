package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// scrapeCmd asks a tracker how many have a torrent.
type scrapeCmd struct {
	URL  string   `arg:"" name:"url" help:"The tracker's announce URL: http://, https:// or udp://."`
	Hash []string `arg:"" optional:"" help:"Torrents: infohashes, magnet links or .torrent files. None asks for all; few trackers tell."`
	JSON bool     `name:"json" help:"Print JSON."`
}

func (c *scrapeCmd) Run(ctx context.Context, s streams) error {
	hashes := make([][20]byte, len(c.Hash))
	for i, text := range c.Hash {
		h, err := torrentID(text)
		if err != nil {
			return err
		}
		hashes[i] = h
	}
	client := trackernet.New(trackernet.Config{Private: true, UserAgent: "seedserver/" + version()})
	defer client.CloseIdle()
	all, err := client.Scrape(ctx, c.URL, hashes)
	if err != nil {
		return fmt.Errorf("scraping: %w", err)
	}
	if len(hashes) == 0 {
		hashes = slices.SortedFunc(maps.Keys(all), func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	}
	if c.JSON {
		return printScrapeJSON(s, hashes, all)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "infohash\tcomplete\tdownloading\tdownloaded\t")
	for _, h := range hashes {
		if stats, ok := all[h]; ok {
			fmt.Fprintf(w, "%v\t%d\t%d\t%d\t\n", metainfo.InfoHash(h), stats.Complete, stats.Incomplete, stats.Downloaded)
		} else {
			fmt.Fprintf(w, "%v\tnot known\t\t\t\n", metainfo.InfoHash(h))
		}
	}
	return w.Flush()
}

func printScrapeJSON(s streams, hashes [][20]byte, all map[[20]byte]tracker.ScrapeStats) error {
	type line struct {
		InfoHash    string `json:"infohash"`
		Known       bool   `json:"known"`
		Complete    int    `json:"complete"`
		Downloading int    `json:"downloading"`
		Downloaded  int    `json:"downloaded"`
	}
	out := make([]line, len(hashes))
	for i, h := range hashes {
		stats, known := all[h]
		out[i] = line{metainfo.InfoHash(h).String(), known, stats.Complete, stats.Incomplete, stats.Downloaded}
	}
	return json.NewEncoder(s.out).Encode(out)
}

// torrentID reads an infohash, or takes it from a magnet link or a .torrent file.
func torrentID(text string) (metainfo.InfoHash, error) {
	if strings.HasPrefix(text, "magnet:") {
		m, err := metainfo.ParseMagnet(text)
		if err == nil && !m.HasInfoHash {
			err = fmt.Errorf("%q: the link names no infohash", text)
		}
		return m.InfoHash, err
	}
	h, err := metainfo.ParseInfoHash(text)
	if err == nil {
		return h, nil
	}
	if _, statErr := os.Stat(text); statErr != nil {
		return h, usageError{fmt.Sprintf("%q: give an infohash of 40 hex digits, a magnet link or a .torrent file", text)}
	}
	t, err := readTorrent(text)
	if err != nil {
		return h, err
	}
	return t.InfoHash, nil
}
