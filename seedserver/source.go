package seedserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/access"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// source shows the catalog and the torrents to the web, as viewer may see them: it is the web's Source. What viewer may not see is
// found nowhere in it.
type source struct {
	s      *Server
	viewer access.Viewer
}

// Lookup is part of web.Source.
func (src source) Lookup(path string) (web.Entry, bool) {
	e, ok := src.s.catalog.Lookup(path)
	if !src.s.gate.rules(path).Allow(src.viewer) || !ok { // the rules after what they are about: see catalog.Access
		return web.Entry{}, false
	}
	said := catalog.Description{}
	if beside, ok := src.s.catalog.Lookup(path + sidecarSuffix); ok {
		said, _ = src.s.sidecars.of(beside)
	}
	asks := 1
	return src.entry(e, said, &asks), true
}

// List is part of web.Source. Junk, dot-files and sidecars are not shown.
func (src source) List(dir string) ([]web.Entry, bool) {
	if !src.s.gate.rules(dir).Allow(src.viewer) {
		return nil, false
	}
	entries, said := 0, said{}
	if !src.s.catalog.Each(dir, func(e *catalog.Entry) {
		entries++
		if name, ok := strings.CutSuffix(e.Name, sidecarSuffix); ok {
			src.described(dir, name, e, said)
		}
	}) {
		return nil, false
	}
	asks := listAsks
	out := make([]web.Entry, 0, entries)
	src.s.catalog.Each(dir, func(e *catalog.Entry) {
		if !e.Hidden && !said.from(e.Name) && (!e.Dir || src.s.gate.listed(e.Path, src.viewer)) {
			out = append(out, src.entry(*e, said[e.Name], &asks))
		}
	})
	if !src.s.gate.rules(dir).Allow(src.viewer) { // the rules after what they are about, too: see catalog.Access
		return nil, false
	}
	return out, true
}

// described adds to said what beside says of the name in dir, if it is a sidecar and there is such a name.
func (src source) described(dir, name string, beside *catalog.Entry, said said) {
	d, ok := src.s.sidecars.of(*beside)
	if !ok {
		return
	}
	if _, ok := src.s.catalog.Lookup(path.Join(dir, name)); ok {
		said[name] = d
	}
}

// Demand is part of web.Source.
func (src source) Demand(path string) { src.s.catalog.Demand(path) }

// entry translates what the catalog knows into what the web shows. What a sidecar said goes before what the catalog read.
// For what the swarms know at most asks of them are asked.
func (src source) entry(e catalog.Entry, said catalog.Description, asks *int) web.Entry {
	said = said.Or(e.Description)
	w := web.Entry{
		Path: e.Path, Name: e.Name, Dir: e.Dir, Unit: e.Unit, In: e.In, Size: e.Size, Files: e.Files, ModTime: e.ModTime,
		Progress: e.Progress, Reason: e.Reason, InfoHash: e.InfoHash, Private: e.Private, Title: said.Title, Description: said.Description,
	}
	switch e.State {
	case catalog.Settling, catalog.Temporary:
		w.State = web.Settling
	case catalog.Hashing:
		w.State = web.Hashing
	case catalog.Published:
		w.State = web.Published
		w.Peers = src.peers(e.InfoHash)
		if t := src.s.torrents.find(e.InfoHash); t != nil {
			w.Published = t.version.Load().Published
			w.Peers.Copies = lately(t, asks)
		}
	case catalog.Empty:
		w.State = web.Empty
	case catalog.Directory: // has no state of its own
	default:
		w.State = web.LeftOut
	}
	if e.State == catalog.Temporary && w.Reason == "" {
		w.Reason = "a temporary name"
	}
	if e.Dir {
		files, bytes := src.unseen(e.Path)
		w.Files, w.Size = max(0, w.Files-files), max(0, w.Size-bytes)
	}
	if !e.Until.IsZero() {
		w.Wait = max(0, time.Until(e.Until))
	}
	return w
}

// unseen sums up what is below dir that the viewer finds in no list: the sums of a directory do not tell of it.
func (src source) unseen(dir string) (files int, bytes int64) {
	below := src.s.catalog.AccessDirs(dir)
	slices.Sort(below) // a directory comes before what is in it
	last := ""
	for _, path := range below {
		if last != "" && strings.HasPrefix(path, last+"/") || src.s.gate.listed(path, src.viewer) {
			continue
		}
		last = path
		if e, ok := src.s.catalog.Lookup(path); ok {
			files += e.Files
			bytes += e.Size
		}
	}
	return files, bytes
}

// listAsks is how many swarms the list of a directory asks how far they have spread; of the others it shows what was found last.
const listAsks = 50

// lately returns how many copies of t others hold together, as it was some seconds ago.
func lately(t *torrent, asks *int) float64 {
	peers := t.stats().Peers
	seen := t.seen.Load()
	switch {
	case peers == 0:
		return 0
	case seen != nil && time.Since(seen.at) < spreadLast:
		return seen.copies
	case *asks > 0:
		*asks--
		return spreadLately(t, peers).copies
	case seen != nil:
		return seen.copies
	}
	return 0
}

// peers counts the swarm of h as our tracker knows it.
func (src source) peers(h metainfo.InfoHash) web.Peers {
	if src.s.peers == nil {
		return web.Peers{}
	}
	stats, _ := src.s.peers.Scrape(h)
	return web.Peers{Known: true, Seeds: stats.Complete, Leechers: stats.Incomplete, Completed: stats.Downloaded}
}

// Torrent is part of web.Source: the torrent names our tracker as this client reaches it.
func (src source) Torrent(_ context.Context, e web.Entry, via web.Via) ([]byte, error) {
	t := src.s.torrents.find(e.InfoHash)
	if t == nil {
		return nil, fmt.Errorf("%s: %w", e.Path, web.ErrUnavailable)
	}
	doc, err := src.s.torrents.document(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", e.Path, web.ErrUnavailable, err)
	}
	v := t.version.Load()
	doc.CreatedBy, doc.CreationDate = "seedserver "+src.s.cfg.version(), v.Published.UTC().Truncate(time.Second)
	doc.Announce = src.s.announceURL(via)
	if doc.Announce == "" && !v.Private {
		doc.Nodes = src.s.nodes(via)
	}
	src.s.torrents.demandInDHT(v.InfoHash, v.Private)
	key := ""
	if v.Private {
		key = src.s.gate.guard.AnnounceKey(time.Now(), src.viewer, v.InfoHash)
		if doc.Announce != "" {
			doc.Announce += "/" + key
		}
	}
	if seed := src.s.webSeedURL(via.URL, t, key); seed != "" {
		doc.WebSeeds = []string{seed}
	}
	return doc.Encode(), nil
}

// Magnet is part of web.Source. The link names our tracker and our peer addresses, so that it works at once. A private torrent has
// none: a client would ask the DHT about it before it knows that it is private.
func (src source) Magnet(e web.Entry, via web.Via) metainfo.Magnet {
	if e.Private {
		return metainfo.Magnet{}
	}
	m := metainfo.Magnet{InfoHash: e.InfoHash, HasInfoHash: true, Name: e.Name}
	if e.Name == "" {
		if t := src.s.torrents.find(e.InfoHash); t != nil {
			m.Name = t.version.Load().Name
		}
	}
	if u := src.s.announceURL(via); u != "" {
		m.Trackers = []string{u}
	}
	for _, ap := range src.s.addrs(via) {
		m.Peers = append(m.Peers, ap.String())
	}
	return m
}

// Open is part of web.Source: it reads the published bytes of a file through the same guard as the peers' blocks.
func (src source) Open(ctx context.Context, e web.Entry) (io.ReadSeekCloser, error) {
	if e.State == web.Empty {
		return nopCloser{bytes.NewReader(nil)}, nil
	}
	t := src.s.torrents.find(e.InfoHash)
	if t == nil {
		return nil, fmt.Errorf("%s: %w", e.Path, web.ErrUnavailable)
	}
	if err := busy(src.s.account, budget.LaneHTTP); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	v := t.version.Load()
	var offset int64
	for _, f := range v.Files() {
		// The same torrent may lie at several places; v is at one of them.
		if !v.Unit || strings.TrimPrefix(f.Path, v.Path) == strings.TrimPrefix(e.Path, e.In) {
			r := &pacedReader{ctx: ctx, ts: src.s.torrents, t: t, lane: budget.LaneHTTP, changed: func() { src.s.catalog.Recheck(v.InfoHash) }}
			return sectionCloser{io.NewSectionReader(r, offset, f.Stamp.Size), r}, nil
		}
		offset += f.Stamp.Size
	}
	return nil, fmt.Errorf("%s: %w", e.Path, fs.ErrNotExist)
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

type sectionCloser struct {
	io.ReadSeeker
	io.Closer
}

// pacedReader reads a torrent's content at the pace of its limits, whether it is awake or asleep. It lives as long as one request,
// which is why it may hold the request's context.
type pacedReader struct {
	ctx     context.Context
	ts      *torrents
	t       *torrent
	lane    budget.Lane
	changed func() // the content is not as published

	version *catalog.Version // what content is of
	content *storage.Content
}

// ReadAt is part of io.ReaderAt.
func (r *pacedReader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ts.account.Limiter(r.lane, r.ts.limitOf(r.t)).Wait(r.ctx, len(p)); err != nil {
		return 0, err
	}
	if err := r.open(); err != nil {
		return 0, err
	}
	if err := r.content.ReadAt(p, off); err != nil {
		if errors.Is(err, storage.ErrChanged) {
			r.changed()
			return 0, fmt.Errorf("%w: %w", web.ErrUnavailable, err)
		}
		if diskFailed(err) {
			r.ts.troubles.read(r.version.Path, err)
		}
		return 0, err
	}
	return len(p), nil
}

// open makes content that of the present version: after a rename the same bytes lie elsewhere.
func (r *pacedReader) open() error {
	v := r.t.version.Load()
	if r.version == v {
		return nil
	}
	content, err := r.ts.open(v)
	if err != nil {
		return err
	}
	r.Close()
	r.version, r.content = v, content
	return nil
}

// Close is part of io.Closer.
func (r *pacedReader) Close() error {
	if r.content != nil {
		r.content.Close()
	}
	return nil
}
