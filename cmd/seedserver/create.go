package main

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
)

// createCmd makes .torrent files, one for each path.
type createCmd struct {
	Paths       []string     `arg:"" name:"path" help:"Files, or directories to publish as one unit each." type:"path"`
	Announce    []string     `short:"a" help:"Tracker URL. Repeat it for more; the first that answers is used." placeholder:"URL"`
	Out         string       `short:"o" help:"The .torrent file to write, or a directory to write several into. Without it each goes beside its path." type:"path" placeholder:"PATH"`
	Each        bool         `help:"Make one torrent for each entry of a directory instead of one of the whole."`
	PieceLength budget.Bytes `help:"Piece length, a power of two such as 256KiB. Chosen by size if left out." placeholder:"SIZE"`
	Private     bool         `help:"Only peers from the tracker may be used (BEP 27)."`
	WebSeed     []string     `help:"URL where the content can also be had over HTTP (BEP 19). Repeatable." placeholder:"URL"`
	Comment     string       `help:"A remark kept in the torrent."`
	Force       bool         `short:"f" help:"Replace .torrent files that exist."`
	JSON        bool         `name:"json" help:"Print one JSON object for each torrent made."`
}

// made is what create says about one torrent.
type made struct {
	Path     string `json:"path"`
	Torrent  string `json:"torrent"`
	InfoHash string `json:"infohash"`
	Size     int64  `json:"size"`
	Pieces   int    `json:"pieces"`
}

func (c *createCmd) Run(ctx context.Context, s streams) error {
	if l := int64(c.PieceLength); l != 0 && (l < 16<<10 || l&(l-1) != 0) {
		return usageError{fmt.Sprintf("piece length %d: give a power of two from 16KiB on", l)}
	}
	for _, u := range append(append([]string{}, c.Announce...), c.WebSeed...) {
		if !isURL(u) {
			return usageError{fmt.Sprintf("%q is not a URL with a scheme and a host", u)}
		}
	}
	paths, err := c.sources()
	if err != nil {
		return err
	}
	outs, err := c.outputs(paths)
	if err != nil {
		return err
	}
	for i, path := range paths {
		m, err := c.create(ctx, s, path, outs[i])
		if err != nil {
			return err
		}
		if c.JSON {
			if err := json.NewEncoder(s.out).Encode(m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.out, "%s  infohash %s, %d pieces\n", m.Torrent, m.InfoHash, m.Pieces)
	}
	return nil
}

// sources lists what gets a torrent: the paths, or with --each what the directories among them hold.
func (c *createCmd) sources() ([]string, error) {
	if !c.Each {
		return c.Paths, nil
	}
	var out []string
	for _, dir := range c.Paths {
		names, err := publishable(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			out = append(out, filepath.Join(dir, name))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: nothing in it to make torrents of", c.Paths[0])
	}
	return out, nil
}

// outputs names the .torrent file of each path, and refuses to overwrite or to write two into one.
func (c *createCmd) outputs(paths []string) ([]string, error) {
	outs := make([]string, len(paths))
	taken := map[string]string{}
	info, err := os.Stat(c.Out)
	intoDir := c.Out != "" && (len(paths) > 1 || c.Each || err == nil && info.IsDir())
	if intoDir {
		if err := os.MkdirAll(c.Out, 0o777); err != nil {
			return nil, err
		}
	}
	for i, path := range paths {
		path = filepath.Clean(path)
		switch {
		case intoDir:
			outs[i] = filepath.Join(c.Out, filepath.Base(path)+".torrent")
		case c.Out != "":
			outs[i] = c.Out
		default:
			outs[i] = path + ".torrent"
		}
		if other, dup := taken[outs[i]]; dup {
			return nil, fmt.Errorf("%s and %s would both become %s", other, path, outs[i])
		}
		taken[outs[i]] = path
		if _, err := os.Lstat(outs[i]); err == nil && !c.Force {
			return nil, fmt.Errorf("%s exists; say --force to replace it", outs[i])
		}
	}
	return outs, nil
}

// create hashes one path and writes its torrent.
func (c *createCmd) create(ctx context.Context, s streams, path, out string) (*made, error) {
	cfg, err := describe(path)
	if err != nil {
		return nil, err
	}
	cfg.PieceLength, cfg.Private = int64(c.PieceLength), c.Private
	bar := newProgress(s.err, "hashing "+cfg.Name, totalLength(cfg.Files))
	cfg.Progress = bar.set
	raw, err := metainfo.Build(ctx, cfg)
	bar.finish()
	if err != nil {
		return nil, fmt.Errorf("making a torrent of %s: %w", path, err)
	}
	info, err := metainfo.ParseInfo(raw)
	if err != nil {
		return nil, fmt.Errorf("making a torrent of %s: %w", path, err)
	}
	t := &metainfo.Torrent{
		InfoBytes: raw, Info: info, InfoHash: sha1.Sum(raw),
		WebSeeds: c.WebSeed, Comment: c.Comment,
		CreatedBy: "seedserver " + version(), CreationDate: time.Now().Truncate(time.Second),
	}
	if len(c.Announce) > 0 {
		t.Announce = c.Announce[0]
	}
	if len(c.Announce) > 1 {
		for _, u := range c.Announce {
			t.AnnounceList = append(t.AnnounceList, []string{u})
		}
	}
	if err := writeFile(out, t.Encode()); err != nil {
		return nil, err
	}
	return &made{path, out, t.InfoHash.String(), info.Length(), info.NumPieces()}, nil
}

// describe turns a path into what Build needs: a file, or a directory without its junk.
func describe(path string) (metainfo.BuildConfig, error) {
	path = filepath.Clean(path)
	abs, err := filepath.Abs(path)
	if err != nil {
		return metainfo.BuildConfig{}, err
	}
	cfg := metainfo.BuildConfig{Name: filepath.Base(abs)}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return cfg, err
	case info.Mode().IsRegular():
		if info.Size() == 0 {
			return cfg, fmt.Errorf("%s is empty: a torrent needs at least one byte", path)
		}
		cfg.Files = []metainfo.Input{{Length: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(path) }}}
		return cfg, nil
	case !info.IsDir():
		return cfg, fmt.Errorf("%s is neither a file nor a directory", path)
	}
	cfg.Multi = true
	cfg.Files, err = unitFiles(path)
	if err != nil {
		return cfg, err
	}
	if totalLength(cfg.Files) == 0 {
		return cfg, fmt.Errorf("%s holds no bytes: a torrent needs at least one", path)
	}
	return cfg, nil
}

func totalLength(files []metainfo.Input) int64 {
	var n int64
	for _, f := range files {
		n += f.Length
	}
	return n
}

// writeFile puts data at path in one step: whoever looks finds the old file or the whole new one.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".seedserver-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

// isURL reports whether u can stand in a torrent as a tracker or web seed.
func isURL(u string) bool {
	p, err := url.Parse(u)
	return err == nil && p.Scheme != "" && p.Host != ""
}
