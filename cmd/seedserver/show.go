package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// showCmd prints what a torrent or a magnet link says.
type showCmd struct {
	Source string `arg:"" help:"A .torrent file or a magnet link."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// shown is the JSON form of a torrent or a magnet link; what is not known is left out.
type shown struct {
	Name        string      `json:"name"`
	InfoHash    string      `json:"infohash,omitempty"`
	Size        int64       `json:"size,omitempty"`
	PieceLength int64       `json:"piece_length,omitempty"`
	Pieces      int         `json:"pieces,omitempty"`
	Private     bool        `json:"private,omitempty"`
	Trackers    [][]string  `json:"trackers,omitempty"`
	WebSeeds    []string    `json:"web_seeds,omitempty"`
	Nodes       []string    `json:"nodes,omitempty"`
	Peers       []string    `json:"peers,omitempty"`
	Comment     string      `json:"comment,omitempty"`
	CreatedBy   string      `json:"created_by,omitempty"`
	Created     *time.Time  `json:"created,omitempty"`
	Files       []shownFile `json:"files,omitempty"`
	Magnet      string      `json:"magnet"`
}

type shownFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Pad  bool   `json:"pad,omitempty"`
}

func (c *showCmd) Run(s streams) error {
	var v shown
	c.Source = asMagnet(c.Source)
	if strings.HasPrefix(strings.ToLower(c.Source), "magnet:") {
		m, err := metainfo.ParseMagnet(c.Source)
		if err != nil {
			return err
		}
		v = showMagnet(m)
	} else {
		t, err := readTorrent(c.Source)
		if err != nil {
			return err
		}
		v = showTorrent(t)
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	return v.print(s)
}

// readTorrent reads a .torrent file of at most 64 MiB.
func readTorrent(name string) (*metainfo.Torrent, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory, not a .torrent file", name)
	}
	if info.Size() > 64<<20 {
		return nil, fmt.Errorf("%s: %s is too large for a .torrent file", name, humanBytes(info.Size()))
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s is not a whole .torrent file: %w", name, err)
	}
	return t, nil
}

func showTorrent(t *metainfo.Torrent) shown {
	v := shown{
		Name: t.Info.Name, InfoHash: t.InfoHash.String(), Size: t.Info.Length(), PieceLength: t.Info.PieceLength,
		Pieces: t.Info.NumPieces(), Private: t.Info.Private, Trackers: t.Trackers(), WebSeeds: t.WebSeeds,
		Comment: t.Comment, CreatedBy: t.CreatedBy, Magnet: t.Magnet().String(),
	}
	if !t.CreationDate.IsZero() {
		v.Created = &t.CreationDate
	}
	for _, n := range t.Nodes {
		v.Nodes = append(v.Nodes, fmt.Sprintf("%s:%d", n.Host, n.Port))
	}
	for _, f := range t.Info.Files {
		v.Files = append(v.Files, shownFile{path.Join(f.Path...), f.Length, f.Pad})
	}
	return v
}

func showMagnet(m metainfo.Magnet) shown {
	v := shown{Name: m.Name, Size: m.Length, WebSeeds: m.WebSeeds, Peers: m.Peers, Magnet: m.String()}
	if m.HasInfoHash {
		v.InfoHash = m.InfoHash.String()
	}
	for _, u := range m.Trackers {
		v.Trackers = append(v.Trackers, []string{u})
	}
	return v
}

func (v shown) print(s streams) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	row := func(label string, value any) { fmt.Fprintf(w, "%s\t%v\n", label, value) }
	row("name", printable(v.Name))
	row("infohash", v.InfoHash)
	if v.Size > 0 {
		row("size", fmt.Sprintf("%s (%d bytes)", humanBytes(v.Size), v.Size))
	}
	if v.Pieces > 0 {
		row("pieces", fmt.Sprintf("%d of %s", v.Pieces, humanBytes(v.PieceLength)))
	}
	if v.Private {
		row("private", "yes")
	}
	for i, tier := range v.Trackers {
		row(first(i, "trackers"), printable(strings.Join(tier, ", ")))
	}
	for i, u := range v.WebSeeds {
		row(first(i, "web seeds"), printable(u))
	}
	for i, n := range v.Nodes {
		row(first(i, "nodes"), printable(n))
	}
	for i, p := range v.Peers {
		row(first(i, "peers"), printable(p))
	}
	if v.Comment != "" {
		row("comment", printable(v.Comment))
	}
	if v.Created != nil {
		row("created", v.Created.Format(time.RFC3339))
	}
	if v.CreatedBy != "" {
		row("created by", printable(v.CreatedBy))
	}
	for i, f := range v.Files {
		row(first(i, "files"), fmt.Sprintf("%s  %s", printable(f.Path), humanBytes(f.Size)))
	}
	row("magnet", v.Magnet)
	return w.Flush()
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// printable makes text from a stranger safe to show on a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, text)
}
