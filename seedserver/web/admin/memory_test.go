package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// memory is a Source in a struct.
type memory struct {
	mu       sync.Mutex
	status   Status
	details  map[metainfo.InfoHash]Detail
	sums     Sums
	accounts map[Span][]Account // those of everything have Entry 0
	err      error              // of what comes from a disk
	asked    int                // how often Sums was
	clock    bool               // Status.Time goes on
}

var (
	then    = time.Date(2026, 7, 14, 10, 30, 0, 0, time.UTC)
	classes = []Class{{"need", false}, {"plain", false}, {"http", true}}
)

func hash(n byte) metainfo.InfoHash { return metainfo.InfoHash{0xaa, n} }

// hostile is a name that wants to be markup, to turn the text around, and to break lines.
const hostile = "<b>\"evil\" & 'co'\u202egpj\n.exe\xff"

// newMemory returns a Source of three torrents: a busy one, an idle one, and one with a hostile name.
func newMemory() *memory {
	m := &memory{details: map[metainfo.InfoHash]Detail{}}
	m.status = Status{
		DHT: &DHT{
			Tables:  []DHTTable{{Family: "IPv4", ID: "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401", External: "192.0.2.1", Contacts: 200, Good: 180, Ready: true, Infohashes: 3, Peers: 9}},
			Lookups: 2, LookupsDone: 40, Published: 3, Overdue: 1, Announces: 20, Stores: 150, Found: 12, PacketsIn: 1000, PacketsOut: 1100,
			BytesIn: 200_000, BytesOut: 110_000, Answered: 300, Dropped: 5, Lost: 90,
		},
		Time: then, Started: then.Add(-time.Hour), Dir: "/srv/files", Ready: true, Rate: 3 << 20, MaxRate: 5 << 20, Sent: 1 << 30,
		Peers: 3, Seeds: 1, Settling: 1, Hashing: 2, QueueBytes: 7 << 30, Failed: 1, LeftOut: 4,
		Troubles: []Trouble{{About: "reads", Text: "The disk fails.", Error: "reading <a>: input/output error", Since: then.Add(-time.Minute)}}, ReadErrors: 3,
	}
	m.status.Torrents = []Torrent{
		{InfoHash: hash(3), Path: hostile, Size: 100, Entry: 3, Stage: "waiting"},
		{InfoHash: hash(1), Path: "busy.iso", Size: 1 << 30, Entry: 1, Stage: "seeding", Copies: 1.25, Peers: 3, Seeds: 1, Interested: 2,
			Unchoked: 1, Rate: 3 << 20, Sent: 1 << 30},
		{InfoHash: hash(2), Path: "idle.iso", Size: 5 << 20, Entry: 2, Stage: "waiting"},
	}
	m.sums = Sums{
		All: Sum{Today: 1 << 30, Month: 2 << 30, Total: 9 << 30, Completed: 12, Saved: 3 << 30},
		Entries: map[int64]Sum{
			1: {Today: 1 << 30, Month: 2 << 30, Total: 8 << 30, Completed: 11, Saved: 3 << 30},
			2: {Total: 1 << 30, Completed: 1},
		},
	}
	for _, t := range m.status.Torrents {
		m.details[t.InfoHash] = Detail{Torrent: t, PieceLength: 1 << 20, Published: then.Add(-48 * time.Hour), Why: []string{"Nobody asks."}}
	}
	busy := m.details[hash(1)]
	busy.Why = []string{"Two peers want something & one is served.", "The limit is 5 MB/s."}
	busy.Tracked = &Tracked{Seeds: 2, Leechers: 4, Completed: 11}
	busy.Availability = []uint32{1, 1, 0, 2, 2, 12}
	busy.Connections = []Peer{
		{Addr: netip.MustParseAddrPort("198.51.100.7:6881"), Client: "aria2/1.36.0", Progress: .5, Sent: 1 << 29, Rate: 3 << 20, Queued: 5,
			Unchoked: true, Interested: true, Connected: then.Add(-90 * time.Second), Trust: "proven", Relayed: 7},
		{Addr: netip.MustParseAddrPort("[2001:db8::1]:51413"), Client: "<script>", Progress: 1, Seed: true, Connected: then.Add(-3 * time.Hour)},
		{Client: "", Interested: true, Connected: then.Add(-5 * time.Second)},
	}
	m.details[hash(1)] = busy
	day := func(d int, entry int64, path string, need, plain, http int64) Account {
		return Account{Start: time.Date(2026, 7, d, 0, 0, 0, 0, time.UTC), Entry: entry, Path: path, Sent: []int64{need, plain, http}, Completed: 2, Saved: 5, Peers: 3}
	}
	m.accounts = map[Span][]Account{
		Day: {
			day(1, 0, "", 1<<20, 0, 0), day(1, 1, "busy.iso", 1<<20, 0, 0),
			day(14, 0, "", 2<<20, 1<<20, 1<<20), day(14, 1, "busy.iso", 2<<20, 1<<20, 0), day(14, 3, hostile, 0, 0, 1<<20),
		},
		Month: {day(1, 0, "", 3<<20, 1<<20, 1<<20), day(1, 1, "busy.iso", 3<<20, 1<<20, 0), day(1, 3, hostile, 0, 0, 1<<20)},
		Ever:  {day(1, 0, "", 9<<30, 0, 0), day(1, 1, "busy.iso", 8<<30, 0, 0), day(1, 2, "gone.iso", 1<<30, 0, 0)},
	}
	return m
}

func (m *memory) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	if m.clock {
		s.Time = time.Now()
	}
	s.Torrents = slices.Clone(s.Torrents)
	return s
}

func (m *memory) Ready() bool { return m.Status().Ready }

func (m *memory) Sent() Sent {
	s := m.Status()
	sent := Sent{Time: s.Time, All: s.Sent, Torrents: map[metainfo.InfoHash]int64{}}
	for _, t := range s.Torrents {
		if t.Sent > 0 {
			sent.Torrents[t.InfoHash] = t.Sent
		}
	}
	return sent
}

func (m *memory) Torrent(h metainfo.InfoHash) (Detail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.details[h]
	return d, ok
}

func (m *memory) Sums(context.Context) (Sums, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return m.sums, m.err
}

func (m *memory) Accounts(_ context.Context, q Query) ([]Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Account
	for _, a := range m.accounts[q.Span] {
		inside := q.Span == Ever || !a.Start.Before(q.First) && !a.Start.After(q.Last)
		if inside && (q.Each && a.Entry != 0 || !q.Each && a.Entry == q.Entry) {
			found = append(found, a)
		}
	}
	return found, m.err
}

// questions returns how often Sums was asked.
func (m *memory) questions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

// change lets f change m while others read.
func (m *memory) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

var errDisk = errors.New("input/output error")

// newHandler returns a Handler of m; change may set more of its Config.
func newHandler(t testing.TB, m *memory, change func(*Config)) *Handler {
	t.Helper()
	cfg := Config{Source: m, Classes: classes, Version: "1.0"}
	if change != nil {
		change(&cfg)
	}
	h, err := New(cfg)
	require.NoError(t, err)
	return h
}

// ask sends a request to h; headers are names and values in turn, with Host among them.
func ask(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.RemoteAddr = "localhost:8081", "127.0.0.1:40000"
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "From":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	return ask(h, http.MethodGet, target, headers...)
}

// fuzzed asks h for u, whatever that holds.
func fuzzed(h http.Handler, u *url.URL, host, auth string) *httptest.ResponseRecorder {
	r := &http.Request{Method: http.MethodGet, URL: u, Host: host, Header: http.Header{"Authorization": {auth}}, RemoteAddr: "192.0.2.1:1"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
