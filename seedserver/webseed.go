package seedserver

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// webSeedPath is below what the content of torrents is served to BitTorrent clients (BEP 19): /-/seed/INFOHASH/NAME, of a private
// torrent /-/seed/INFOHASH.KEY/NAME, and for a unit the path of a file after NAME.
const webSeedPath = "/-/seed/"

// webSeed serves torrents over HTTP to clients that know how. What it does not serve, next answers for.
type webSeed struct {
	s    *Server
	next http.Handler
}

// webSeedURL returns what a torrent names as its web seed, "" if it has none. It ends with a slash: clients add the name.
func (s *Server) webSeedURL(base string, t *torrent, key string) string {
	if !s.cfg.WebSeed || base == "" {
		return ""
	}
	h := t.infohash()
	if key != "" {
		key = "." + key
	}
	return base + webSeedPath + hex.EncodeToString(h[:]) + key + "/"
}

// ServeHTTP answers a GET of a file's content or a part of it. It answers 503 with Retry-After when the swarm has the content without
// us, if it is seeded conservatively, and when the share of the budget is spent.
func (ws webSeed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, part := ws.find(r)
	if t == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		ws.next.ServeHTTP(w, r)
		return
	}
	if wait := ws.wait(t); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		http.Error(w, "not now: ask the swarm", http.StatusServiceUnavailable)
		return
	}
	v := t.version.Load()
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", `"`+v.InfoHash.String()+"-"+strconv.Itoa(part.index)+`"`)
	content := &seedReader{ws: ws, pacedReader: pacedReader{
		ctx: r.Context(), ts: ws.s.torrents, t: t, lane: budget.LaneWebSeed, changed: func() { ws.s.catalog.Recheck(v.InfoHash) },
	}}
	defer content.Close()
	http.ServeContent(&seedMeter{ResponseWriter: w, sent: func(n int) {
		ws.s.store.count(t.entry.Load(), ledger.ClassWebSeed, int64(n))
	}}, r, "", time.Time{}, io.NewSectionReader(content, part.offset, part.length))
}

// seedPart is a file in the content of its torrent.
type seedPart struct {
	index          int
	offset, length int64 // bytes
}

// find returns the torrent and the file of it that r asks for, nil if there is none that it may have.
func (ws webSeed) find(r *http.Request) (*torrent, seedPart) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), webSeedPath)
	name, escaped, found := strings.Cut(rest, "/")
	digits, key, _ := strings.Cut(name, ".")
	if !ok || !found || !ws.s.cfg.WebSeed {
		return nil, seedPart{}
	}
	h, err := metainfo.ParseInfoHash(digits)
	if err != nil {
		return nil, seedPart{}
	}
	t := ws.s.torrents.find(h)
	if t == nil || t.private() && !ws.s.gate.opens(time.Now(), key, h) {
		return nil, seedPart{}
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, seedPart{}
	}
	v := t.version.Load()
	part := seedPart{}
	for i, f := range v.Files() {
		part = seedPart{i, part.offset + part.length, f.Stamp.Size}
		at := v.Name
		if v.Unit {
			at += "/" + strings.TrimPrefix(f.Path[len(v.Path):], "/")
		}
		if path == at {
			return t, part
		}
	}
	return nil, seedPart{}
}

// swarmWait is when to ask again for what the swarm has.
const swarmWait = 5 * time.Minute

// wait returns after what time t may be had over HTTP, 0 for now.
func (ws webSeed) wait(t *torrent) time.Duration {
	if ws.s.swarmHas(t) {
		return swarmWait
	}
	return ws.s.account.Busy(budget.LaneWebSeed)
}

// swarmHas reports whether t is to be had from others, and that is to be made use of: bytes that leave over HTTP are as dear as
// others.
func (s *Server) swarmHas(t *torrent) bool {
	return s.torrents.modeOf(t.version.Load()) == ModeConservative && spreadLately(t, t.stats().Peers).copies >= 1
}

// errSwarmHas ends an answer whose end the swarm has by now.
var errSwarmHas = errors.New("the swarm has it")

// seedReader reads a torrent as long as the swarm lacks it.
type seedReader struct {
	pacedReader
	ws webSeed
}

// ReadAt is part of io.ReaderAt.
func (r *seedReader) ReadAt(p []byte, off int64) (int, error) {
	if r.ws.s.swarmHas(r.t) {
		return 0, errSwarmHas
	}
	return r.pacedReader.ReadAt(p, off)
}

// seedMeter counts the bytes of content that are written to a client.
type seedMeter struct {
	http.ResponseWriter
	sent    func(bytes int)
	content bool
}

// WriteHeader is part of http.ResponseWriter.
func (m *seedMeter) WriteHeader(status int) {
	m.content = status == http.StatusOK || status == http.StatusPartialContent
	m.ResponseWriter.WriteHeader(status)
}

// Write is part of io.Writer.
func (m *seedMeter) Write(b []byte) (int, error) {
	n, err := m.ResponseWriter.Write(b)
	if m.content && n > 0 {
		m.sent(n)
	}
	return n, err
}

// maskSeedKey hides the key in the path of a web seed.
func maskSeedKey(path string) string {
	rest, ok := strings.CutPrefix(path, webSeedPath)
	if !ok {
		return path
	}
	name, file, _ := strings.Cut(rest, "/")
	digits, _, keyed := strings.Cut(name, ".")
	if !keyed {
		return path
	}
	return fmt.Sprintf("%s%s.masked/%s", webSeedPath, digits, file)
}
