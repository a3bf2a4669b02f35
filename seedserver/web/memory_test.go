package web_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// memory is a Source of files in memory. It is filled before it is served.
type memory struct {
	entries map[string]web.Entry
	content map[string][]byte
	info    map[string][]byte // of a file or unit: its info dict

	mu       sync.Mutex
	demanded []string
}

func newMemory() *memory {
	return &memory{
		entries: map[string]web.Entry{"": {Dir: true}},
		content: map[string][]byte{},
		info:    map[string][]byte{},
	}
}

var modified = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// put adds an entry, and the directories above it that are missing.
func (m *memory) put(e web.Entry) {
	e.Name = path.Base(e.Path)
	if e.ModTime.IsZero() {
		e.ModTime = modified
	}
	m.entries[e.Path] = e
	dir := path.Dir(e.Path)
	if _, ok := m.entries[dir]; dir != "." && !ok {
		m.put(web.Entry{Path: dir, Dir: true})
	}
}

// add publishes a file, or notes it as empty.
func (m *memory) add(name string, content []byte) {
	e := web.Entry{Path: name, Size: int64(len(content)), State: web.Empty}
	m.content[name] = content
	if len(content) > 0 {
		e.State = web.Published
		e.InfoHash = m.build(name, metainfo.BuildConfig{
			Name: path.Base(name), Files: []metainfo.Input{input(nil, content)},
		})
	}
	m.put(e)
}

// addUnit publishes a directory as one torrent. The names of the files are
// below it.
func (m *memory) addUnit(dir string, content map[string][]byte) {
	cfg := metainfo.BuildConfig{Name: path.Base(dir), Multi: true}
	unit := web.Entry{Path: dir, Dir: true, Unit: true, State: web.Published, Files: len(content)}
	for name, b := range content {
		cfg.Files = append(cfg.Files, input(strings.Split(name, "/"), b))
		unit.Size += int64(len(b))
	}
	unit.InfoHash = m.build(dir, cfg)
	m.put(unit)
	for name, b := range content {
		file := dir + "/" + name
		m.content[file] = b
		for above := path.Dir(file); above != dir; above = path.Dir(above) {
			m.put(web.Entry{Path: above, Dir: true, In: dir})
		}
		m.put(web.Entry{Path: file, In: dir, Size: int64(len(b)), State: web.Published, InfoHash: unit.InfoHash})
	}
}

func input(elements []string, content []byte) metainfo.Input {
	return metainfo.Input{Path: elements, Length: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func (m *memory) build(name string, cfg metainfo.BuildConfig) metainfo.InfoHash {
	info, err := metainfo.Build(context.Background(), cfg)
	if err != nil {
		panic(err)
	}
	m.info[name] = info
	torrent, err := metainfo.Parse((&metainfo.Torrent{InfoBytes: info}).Encode())
	if err != nil {
		panic(err)
	}
	return torrent.InfoHash
}

func (m *memory) Lookup(name string) (web.Entry, bool) {
	e, ok := m.entries[name]
	return e, ok
}

func (m *memory) List(dir string) ([]web.Entry, bool) {
	if e, ok := m.entries[dir]; !ok || !e.Dir {
		return nil, false
	}
	var list []web.Entry
	for name, e := range m.entries {
		if above := strings.TrimSuffix(name, e.Name); name != "" && strings.TrimSuffix(above, "/") == dir {
			list = append(list, e)
		}
	}
	return list, true
}

func (m *memory) Torrent(_ context.Context, e web.Entry, v web.Via) ([]byte, error) {
	info, ok := m.info[e.Path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return (&metainfo.Torrent{Announce: v.URL + "/announce", InfoBytes: info}).Encode(), nil
}

func (m *memory) Magnet(e web.Entry, v web.Via) metainfo.Magnet {
	return metainfo.Magnet{InfoHash: e.InfoHash, HasInfoHash: true, Name: e.Name, Trackers: []string{v.URL + "/announce"}}
}

func (m *memory) Open(_ context.Context, e web.Entry) (io.ReadSeekCloser, error) {
	content, ok := m.content[e.Path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return nopCloser{bytes.NewReader(content)}, nil
}

func (m *memory) Demand(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.demanded, name) {
		m.demanded = append(m.demanded, name)
	}
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
