package catalog

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// library is a Publisher that remembers, and checks that it is told things in
// the order that Publisher promises.
type library struct {
	t *testing.T

	mu       sync.Mutex
	torrents map[metainfo.InfoHash]*Version // nil value: paused
	log      []string
	busy     bool // a call is being served
}

func newLibrary(t *testing.T) *library {
	return &library{t: t, torrents: map[metainfo.InfoHash]*Version{}}
}

// serve notes one call, during which no other may come.
func (l *library) serve(text string, f func()) {
	l.mu.Lock()
	if l.busy {
		l.t.Error("two calls at once")
	}
	l.busy = true
	l.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	l.log = append(l.log, text)
	f()
}

func (l *library) Publish(v *Version) error {
	l.serve("publish "+v.Path, func() {
		if _, ok := l.torrents[v.InfoHash]; ok {
			l.t.Errorf("%s published twice", v.Path)
		}
		l.torrents[v.InfoHash] = v
	})
	return nil
}

func (l *library) Resume(v *Version) error {
	l.serve("resume "+v.Path, func() {
		if _, ok := l.torrents[v.InfoHash]; !ok {
			l.t.Errorf("%s resumed but not published", v.Path)
		}
		l.torrents[v.InfoHash] = v
	})
	return nil
}

func (l *library) Pause(h metainfo.InfoHash) {
	l.serve("pause", func() {
		if l.torrents[h] == nil {
			l.t.Errorf("%s paused but not seeded", h)
		}
		l.torrents[h] = nil
	})
}

func (l *library) Retire(h metainfo.InfoHash, reason string) {
	l.serve("retire: "+reason, func() {
		if _, ok := l.torrents[h]; !ok {
			l.t.Errorf("%s retired but not published", h)
		}
		delete(l.torrents, h)
	})
}

// told returns what was said since it was last asked.
func (l *library) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.log
	l.log = nil
	return told
}

// version returns what is seeded as h, or nil.
func (l *library) version(h metainfo.InfoHash) *Version {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.torrents[h]
}

// memory is a Store.
type memory struct {
	mu          sync.Mutex
	records     map[string]Record // by path
	checkpoints map[string]Checkpoint
	resumed     int // checkpoints that were asked for and there
}

func (m *memory) Load(context.Context) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.records)), nil
}

func (m *memory) Write(_ context.Context, changes []Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = map[string]Record{}
	}
	for _, ch := range changes {
		if r, ok := m.records[ch.From]; ok && r.InfoHash == ch.Record.InfoHash {
			delete(m.records, ch.From)
		}
		if ch.Retired == "" {
			m.records[ch.Record.Path] = ch.Record
		} else if r, ok := m.records[ch.Record.Path]; ok && r.InfoHash == ch.Record.InfoHash {
			delete(m.records, ch.Record.Path)
		}
	}
	return nil
}

func (m *memory) Checkpoint(_ context.Context, path string) (Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.checkpoints[path]
	if ok {
		m.resumed++
	}
	return c, nil
}

func (m *memory) SaveCheckpoint(_ context.Context, c Checkpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.checkpoints == nil {
		m.checkpoints = map[string]Checkpoint{}
	}
	m.checkpoints[c.Path] = c
	return nil
}

// awaitSeeded waits until path is published, and fails the test unless that is
// with the bytes that are there. The view may be a moment behind the Publisher,
// so both are asked.
func (s *server) awaitSeeded(path string) *Version {
	s.t.Helper()
	var e Entry
	var v *Version
	s.await(path+" seeded", func() bool {
		e, _ = s.cat.Lookup(path)
		v = s.lib.version(e.InfoHash)
		return e.State == Published && v != nil
	})
	require.Equal(s.t, e.InfoHash, v.InfoHash)
	requireInfoHash(s.t, v, func(f FileStamp) string {
		b, err := s.cat.Root().ReadFile(f.Path)
		require.NoError(s.t, err)
		return string(b)
	})
	return v
}
