package httptracker_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

const (
	hash  = "info_hash=aaaaaaaaaaaaaaaaaaaa"
	hash2 = "info_hash=bbbbbbbbbbbbbbbbbbbb"
)

// peer is a client of a tracker.
type peer struct {
	addr  string // where it announces from, with the port it listens on
	left  string
	more  string // of the query
	path  string // "" for /announce
	head  http.Header
	empty bool // sends no peer_id and port of its own
}

func (p peer) request(t testing.TB) *http.Request {
	t.Helper()
	addr := netip.MustParseAddrPort(p.addr)
	path := p.path
	if path == "" {
		path = "/announce"
	}
	query := p.more
	if !p.empty {
		query = fmt.Sprintf("%s&peer_id=-XX0100-abcdefghijkl&port=%d&left=%s&%s", hash, addr.Port(), p.left, p.more)
	}
	r := httptest.NewRequest(http.MethodGet, path+"?"+query, nil)
	r.RemoteAddr = netip.AddrPortFrom(addr.Addr(), 40000).String()
	if p.head != nil {
		r.Header = p.head
	}
	return r
}

// ask sends a request and returns the answer, after checks that hold for all of them.
func ask(t testing.TB, h http.Handler, r *http.Request) bencode.Value {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/plain", w.Header().Get("Content-Type"))
	v, err := bencode.Decode(w.Body.Bytes())
	require.NoError(t, err, "%q", w.Body)
	require.Equal(t, bencode.Dict, v.Kind())
	return v
}

func announce(t testing.TB, h http.Handler, p peer) bencode.Value {
	t.Helper()
	return ask(t, h, p.request(t))
}

func scrape(t testing.TB, h http.Handler, query string) bencode.Value {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/scrape?"+query, nil)
	return ask(t, h, r)
}

func text(v bencode.Value) string {
	b, _ := v.Bytes()
	return string(b)
}

func number(v bencode.Value) int64 {
	n, ok := v.Int()
	if !ok {
		return -1
	}
	return n
}

// peers returns all peers of an answer, as it orders them.
func peers(t testing.TB, v bencode.Value) []string {
	t.Helper()
	require.Empty(t, text(v.Get("failure reason")))
	four, err := compact.Peers4([]byte(text(v.Get("peers"))))
	require.NoError(t, err)
	six, err := compact.Peers6([]byte(text(v.Get("peers6"))))
	require.NoError(t, err)
	got := []string{}
	for _, addr := range append(four, six...) {
		got = append(got, addr.String())
	}
	return got
}

func newHandler(cfg httptracker.Config) *httptracker.Handler {
	cfg.Store = peerstore.New(peerstore.Config{})
	cfg.Jitter = -1
	return httptracker.New(cfg)
}

// BEP 3: "it must have two keys: interval [...] and peers".
func TestAnnounceAnswer(t *testing.T) {
	h := newHandler(httptracker.Config{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, peer{addr: "192.0.2.1:258", left: "5"}.request(t))
	require.Equal(t, "d8:completei0e10:downloadedi0e11:external ip4:\xc0\x00\x02\x01"+
		"10:incompletei1e8:intervali1800e12:min intervali900e5:peers0:e", w.Body.String())
	w = httptest.NewRecorder()
	h.ServeHTTP(w, peer{addr: "192.0.2.2:259", left: "0"}.request(t))
	require.Equal(t, "d8:completei1e10:downloadedi0e11:external ip4:\xc0\x00\x02\x02"+
		"10:incompletei1e8:intervali1800e12:min intervali900e5:peers6:\xc0\x00\x02\x01\x01\x02e", w.Body.String())
}

// The keys and forms that the reference answers show are those we send.
func TestAnswersHaveTheFormOfTheVectors(t *testing.T) {
	var vectors struct{ Responses []struct{ Name, Hex string } }
	b, err := os.ReadFile("testdata/http_tracker.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &vectors))
	vector := map[string]bencode.Value{}
	for _, row := range vectors.Responses {
		raw, err := hex.DecodeString(row.Hex)
		require.NoError(t, err)
		vector[row.Name], err = bencode.Decode(raw)
		require.NoError(t, err)
	}

	h := newHandler(httptracker.Config{})
	announce(t, h, peer{addr: "192.0.2.1:6881", left: "5"})
	announce(t, h, peer{addr: "[2001:db8::1]:6881", left: "5"})
	got := announce(t, h, peer{addr: "203.0.113.9:6881", left: "5"})
	want := vector["compact v4+v6"]
	require.Equal(t, want.Get("peers"), got.Get("peers"))
	require.Equal(t, want.Get("peers6"), got.Get("peers6"))
	require.Equal(t, want.Get("interval"), got.Get("interval"))
	require.Equal(t, want.Get("min interval"), got.Get("min interval"))
	require.Len(t, text(got.Get("external ip")), len(text(want.Get("external ip"))))

	store := peerstore.New(peerstore.Config{})
	for _, row := range []struct {
		name    string
		failure *tracker.FailureError
	}{
		{"failure", &tracker.FailureError{Reason: "Torrent not found"}},
		{"failure + retry in minutes as a string", &tracker.FailureError{Reason: "Overloaded", RetryAfter: 5 * time.Minute}},
		{"failure + retry in minutes as a string", &tracker.FailureError{Reason: "Overloaded", RetryAfter: 4*time.Minute + 1}},
		{"failure never", &tracker.FailureError{Reason: "Not a tracker", RetryAfter: -1}},
	} {
		h := httptracker.New(httptracker.Config{Policy: tracker.Policy{Allow: func([20]byte) error {
			return fmt.Errorf("looking the torrent up: %w", row.failure)
		}}, Store: store})
		require.Equal(t, vector[row.name], announce(t, h, peer{addr: "192.0.2.1:1", left: "0"}), row.name)
	}

	// "downloaders" is in all our answers: BEP 21 "it MUST add a fourth field".
	h = newHandler(httptracker.Config{})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "0"})
	announce(t, h, peer{addr: "192.0.2.2:2", left: "5", more: "event=paused"})
	announce(t, h, peer{addr: "192.0.2.3:3", left: "5"})
	file := scrape(t, h, hash).Get("files").Get(strings.Repeat("a", 20))
	for c := vector["scrape"].Get("files").Get(strings.Repeat("y", 20)).Cursor(); c.Next(); {
		require.NotNil(t, file.Get(string(c.Key())), "%s", c.Key())
	}
	require.EqualValues(t, 1, number(file.Get("complete")))
	require.EqualValues(t, 2, number(file.Get("incomplete")))
	require.EqualValues(t, 1, number(file.Get("downloaders")))
	require.EqualValues(t, 900, number(scrape(t, h, hash).Get("flags").Get("min_request_interval")))
}

// BEP 23: "It is SUGGESTED that trackers return compact format by default."
func TestPeersAsDictionaries(t *testing.T) {
	own := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:6881"), netip.MustParseAddrPort("[2001:db8::ff]:6881")}
	h := newHandler(httptracker.Config{Own: func([20]byte, *http.Request) []netip.AddrPort { return own }})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
	announce(t, h, peer{addr: "[2001:db8::2]:2", left: "5"})
	v := announce(t, h, peer{addr: "192.0.2.3:3", left: "5", more: "compact=0&no_peer_id=1"})
	var got []string
	for c := v.Get("peers").Cursor(); c.Next(); {
		got = append(got, text(c.Value().Get("ip"))+" "+strconv.Itoa(int(number(c.Value().Get("port")))))
		require.Nil(t, c.Value().Get("peer id"))
	}
	require.Equal(t, []string{"192.0.2.1 1", "2001:db8::2 2", "203.0.113.1 6881", "2001:db8::ff 6881"}, got)
	require.Nil(t, v.Get("peers6"))
}

func TestExternalIPOfIPv6(t *testing.T) {
	h := newHandler(httptracker.Config{})
	v := announce(t, h, peer{addr: "[2001:db8::1]:1", left: "5"})
	require.Equal(t, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", text(v.Get("external ip")))
	v = announce(t, h, peer{addr: "[::ffff:192.0.2.1]:1", left: "5"})
	require.Equal(t, "\xc0\x00\x02\x01", text(v.Get("external ip")), "a mapped address is IPv4")
}

func TestOwnSeedComesLastAndToLeechesOnly(t *testing.T) {
	own := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:6881"), netip.MustParseAddrPort("[2001:db8::ff]:6881")}
	var asked [20]byte
	h := newHandler(httptracker.Config{Own: func(infohash [20]byte, r *http.Request) []netip.AddrPort {
		asked = infohash
		require.NotNil(t, r)
		return own
	}})
	leech := peer{addr: "192.0.2.1:1", left: "5"}
	v := announce(t, h, leech)
	require.Equal(t, []string{"203.0.113.1:6881", "[2001:db8::ff]:6881"}, peers(t, v))
	require.EqualValues(t, 1, number(v.Get("complete")), "one seed, whatever its addresses")
	require.Equal(t, strings.Repeat("a", 20), string(asked[:]))

	v = announce(t, h, peer{addr: "192.0.2.2:2", left: "5", more: "numwant=1"})
	require.Equal(t, []string{"192.0.2.1:1", "203.0.113.1:6881", "[2001:db8::ff]:6881"}, peers(t, v))
	require.Empty(t, peers(t, announce(t, h, peer{addr: "192.0.2.2:2", left: "5", more: "numwant=0"})))
	require.Empty(t, peers(t, announce(t, h, peer{addr: "192.0.2.2:2", left: "5", more: "event=stopped"})))

	leech.left, leech.more = "0", "event=completed"
	v = announce(t, h, leech)
	require.Empty(t, peers(t, v), "for a peer that has everything")
	require.EqualValues(t, 2, number(v.Get("complete")))

	require.Len(t, peers(t, announce(t, h, peer{addr: "192.0.2.4:4", left: "0"})), 3, "it may lack the metadata")
	require.EqualValues(t, 3, number(scrape(t, h, hash).Get("files").Get(strings.Repeat("a", 20)).Get("complete")))

	h = newHandler(httptracker.Config{Policy: tracker.Policy{MaxNumWant: -1}, Own: func([20]byte, *http.Request) []netip.AddrPort { return own }})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
	require.Len(t, peers(t, announce(t, h, peer{addr: "192.0.2.2:2", left: "5"})), 2)
}

func TestNumWant(t *testing.T) {
	h := newHandler(httptracker.Config{})
	for i := range 300 {
		announce(t, h, peer{addr: fmt.Sprintf("203.0.%d.%d:1", i/250, i%250), left: "5", more: "numwant=0"})
	}
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"", 50}, {"numwant=", 50}, {"numwant=-1", 50}, {"numwant=0", 0}, {"numwant=7", 7},
		{"numwant=200", 200}, {"numwant=201", 200}, {"numwant=99999999999999999999", 200},
	} {
		got := peers(t, announce(t, h, peer{addr: "192.0.2.1:1", left: "5", more: tt.query}))
		require.Len(t, got, tt.want, tt.query)
		require.NotContains(t, got, "192.0.2.1:1")
	}
}

func TestNotRegistered(t *testing.T) {
	h := newHandler(httptracker.Config{Policy: tracker.Policy{Allow: func(infohash [20]byte) error {
		if infohash[0] != 'a' {
			return tracker.ErrNotRegistered
		}
		return nil
	}}})
	v := announce(t, h, peer{addr: "192.0.2.1:1", empty: true, more: hash2 + "&peer_id=-XX0100-abcdefghijkl&port=1"})
	require.Contains(t, text(v.Get("failure reason")), "torrent not registered")
	require.Nil(t, v.Get("peers"))
	files := scrape(t, h, hash+"&"+hash2).Get("files")
	require.NotNil(t, files.Get(strings.Repeat("a", 20)), "ours, though nobody announced it")
	require.Nil(t, files.Get(strings.Repeat("b", 20)))
}

func TestErrorsOfOthersAreNotShown(t *testing.T) {
	var logged bytes.Buffer
	h := newHandler(httptracker.Config{Policy: tracker.Policy{Allow: func([20]byte) error { return errors.New("/var/lib/secret: permission denied") }}, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	v := announce(t, h, peer{addr: "192.0.2.1:1", left: "5", path: "/announce/KEY"})
	require.Equal(t, "internal error", text(v.Get("failure reason")))
	require.Contains(t, logged.String(), "permission denied")
	require.Contains(t, logged.String(), "level=DEBUG")
	require.NotContains(t, logged.String(), "KEY")
	require.Equal(t, 1, strings.Count(logged.String(), "level="))
}

func TestKeys(t *testing.T) {
	h := newHandler(httptracker.Config{Policy: tracker.Policy{AllowKey: func(key string, infohash [20]byte) error {
		if key != "good" {
			return &tracker.FailureError{Reason: "key is not valid"}
		}
		return nil
	}}})
	require.Empty(t, peers(t, announce(t, h, peer{addr: "192.0.2.1:1", left: "5", path: "/announce/good"})))
	for _, path := range []string{"/announce", "/announce/", "/announce/bad"} {
		require.NotEmpty(t, text(announce(t, h, peer{addr: "192.0.2.1:1", left: "5", path: path}).Get("failure reason")), path)
	}
	files := strings.Repeat("a", 20)
	require.Nil(t, scrape(t, h, hash).Get("files").Get(files))
	v := ask(t, h, httptest.NewRequest(http.MethodGet, "/scrape/good?"+hash, nil))
	require.NotNil(t, v.Get("files").Get(files))
}

func TestScrape(t *testing.T) {
	h := newHandler(httptracker.Config{MaxScrape: 3})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "0", more: "event=completed"})
	v := scrape(t, h, hash2+"&"+hash+"&"+hash)
	require.Equal(t, bencode.Dict, v.Get("files").Kind())
	file := v.Get("files").Get(strings.Repeat("a", 20))
	require.EqualValues(t, 1, number(file.Get("complete")))
	require.EqualValues(t, 0, number(file.Get("incomplete")))
	require.EqualValues(t, 1, number(file.Get("downloaded")))
	require.Nil(t, v.Get("files").Get(strings.Repeat("b", 20)), "nobody knows it")

	require.NotEmpty(t, text(scrape(t, h, "").Get("failure reason")), "a full scrape")
	require.Contains(t, text(scrape(t, h, hash+"&"+hash+"&"+hash+"&"+hash).Get("failure reason")), "Request-URI Too Long")
}

func TestIPParameter(t *testing.T) {
	proxied := func(name string) http.Header { return http.Header{name: {"192.0.2.77"}} }
	for _, tt := range []struct {
		name, from string
		head       http.Header
		hook       bool // ClientAddr reads X-Forwarded-For
		want       string
	}{
		{"a stranger", "192.0.2.1:1", nil, false, "192.0.2.1:1"},
		{"loopback", "127.0.0.1:1", nil, false, "198.51.100.1:1"},
		{"loopback of IPv6", "[::1]:1", nil, false, "198.51.100.1:1"},
		{"a trusted network", "10.9.9.9:1", nil, false, "198.51.100.1:1"},
		{"a stranger through a proxy here that nobody asks", "127.0.0.1:1", proxied("X-Forwarded-For"), false, "127.0.0.1:1"},
		{"the same, other header", "127.0.0.1:1", proxied("Forwarded"), false, "127.0.0.1:1"},
		{"the same, yet another", "127.0.0.1:1", proxied("X-Real-Ip"), false, "127.0.0.1:1"},
		{"a stranger through a trusted proxy", "10.9.9.9:1", proxied("X-Forwarded-For"), true, "192.0.2.77:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := httptracker.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
			if tt.hook {
				cfg.ClientAddr = func(r *http.Request) (netip.Addr, bool) {
					ip, err := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
					return ip, err == nil
				}
			}
			h := newHandler(cfg)
			announce(t, h, peer{addr: tt.from, left: "5", more: "ip=198.51.100.1", head: tt.head})
			asker := peer{addr: "203.0.113.5:5", left: "5", head: http.Header{"X-Forwarded-For": {"203.0.113.5"}}}
			if strings.HasPrefix(tt.want, "127.") {
				asker = peer{addr: "127.0.0.5:5", left: "5"} // others are not told of it
			}
			got := peers(t, announce(t, h, asker))
			require.Equal(t, []string{tt.want}, got)
		})
	}
}

func TestUnknownClientAddress(t *testing.T) {
	h := newHandler(httptracker.Config{})
	r := peer{addr: "192.0.2.1:1", left: "5"}.request(t)
	r.RemoteAddr = "@" // a unix socket
	require.NotEmpty(t, text(ask(t, h, r).Get("failure reason")))
	r.URL.Path = "/scrape"
	require.NotEmpty(t, text(ask(t, h, r).Get("failure reason")))
	h = newHandler(httptracker.Config{ClientAddr: func(*http.Request) (netip.Addr, bool) { return netip.Addr{}, true }})
	require.NotEmpty(t, text(announce(t, h, peer{addr: "192.0.2.1:1", left: "5"}).Get("failure reason")))
}

func TestIntervals(t *testing.T) {
	leech := peer{addr: "192.0.2.1:1", left: "5"}
	store := peerstore.New(peerstore.Config{})
	h := httptracker.New(httptracker.Config{Store: store, Policy: tracker.Policy{Interval: 100 * time.Second}, MinInterval: -1})
	seen := map[int64]bool{}
	for range 200 {
		v := announce(t, h, leech)
		require.Nil(t, v.Get("min interval"))
		n := number(v.Get("interval"))
		require.GreaterOrEqual(t, n, int64(90))
		require.LessOrEqual(t, n, int64(110))
		seen[n] = true
	}
	require.Greater(t, len(seen), 5, "intervals are spread")
	require.Nil(t, scrape(t, h, hash).Get("flags"))

	h = newHandler(httptracker.Config{Policy: tracker.Policy{Interval: time.Minute}})
	require.EqualValues(t, 60, number(announce(t, h, leech).Get("interval")))
	require.EqualValues(t, 30, number(announce(t, h, leech).Get("min interval")))
}

func TestRouting(t *testing.T) {
	h := newHandler(httptracker.Config{})
	for _, tt := range []struct {
		method, target string
		code           int
		handles        bool
	}{
		{"GET", "/announce?" + hash, 200, true},
		{"GET", "/announce/?" + hash, 200, true},
		{"GET", "/announce/KEY?x=1&" + hash, 200, true},
		{"GET", "/scrape?" + hash, 200, true},
		{"GET", "/announce", 200, false},
		{"GET", "/announce?xinfo_hash=1", 200, false},
		{"GET", "/announcement?" + hash, 404, false},
		{"GET", "/announce/KEY/more?" + hash, 404, false},
		{"GET", "/", 404, false},
		{"GET", "/x/announce?" + hash, 404, false},
		{"HEAD", "/announce?" + hash, 405, true},
		{"POST", "/scrape?" + hash, 405, true},
	} {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, tt.code, w.Code, tt.target)
		require.Equal(t, tt.handles, httptracker.Handles(r), tt.target)
	}
	require.Panics(t, func() { httptracker.New(httptracker.Config{}) })
}

func TestAccessLog(t *testing.T) {
	var log []httptracker.Access
	var targets []string
	h := newHandler(httptracker.Config{Log: func(a httptracker.Access) {
		targets = append(targets, a.Target())
		a.Request = nil
		require.WithinDuration(t, time.Now(), a.Time, time.Minute)
		a.Time = time.Time{}
		log = append(log, a)
	}})
	infohash := [20]byte([]byte(strings.Repeat("a", 20)))
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5", more: "event=started", path: "/announce/secret"})
	announce(t, h, peer{addr: "192.0.2.2:2", left: "5"})
	announce(t, h, peer{addr: "192.0.2.3:3", empty: true, more: hash})
	scrape(t, h, hash)
	require.Equal(t, []httptracker.Access{
		{Client: netip.MustParseAddrPort("192.0.2.1:1"), InfoHash: infohash, Event: tracker.EventStarted, Bytes: log[0].Bytes},
		{Client: netip.MustParseAddrPort("192.0.2.2:2"), InfoHash: infohash, Peers: 1, Bytes: log[0].Bytes + 6},
		{Client: netip.MustParseAddrPort("192.0.2.3:0"), InfoHash: infohash, Failure: log[2].Failure, Bytes: log[2].Bytes},
		{Client: netip.MustParseAddrPort("192.0.2.1:0"), Scrape: true, Bytes: log[3].Bytes},
	}, log)
	require.Contains(t, log[2].Failure, "peer_id")
	for _, a := range log {
		require.Positive(t, a.Bytes)
	}
	require.True(t, strings.HasPrefix(targets[1], "/announce?info_hash=aaaa"), targets[1])
	require.Equal(t, "/scrape?"+hash, targets[3])
}

func TestAnnounceKeyIsMasked(t *testing.T) {
	h := newHandler(httptracker.Config{Log: func(a httptracker.Access) {
		require.Equal(t, "/announce/masked?"+hash, a.Target())
		require.Equal(t, "/announce/secret", a.Request.URL.Path, "the request is as it was")
	}})
	announce(t, h, peer{addr: "192.0.2.3:3", empty: true, more: hash, path: "/announce/secret"})
}

// What libtorrent, aria2 and Transmission sent, answered one after the other.
func TestLiveClients(t *testing.T) {
	var file map[string]json.RawMessage
	b, err := os.ReadFile("testdata/live_clients.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &file))
	h := newHandler(httptracker.Config{})
	var complete []int64
	for _, name := range []string{"libtorrent_2.0.8", "aria2", "transmission"} {
		var client struct {
			Tracker struct {
				HTTP []struct {
					Path    string
					Headers map[string]string
				}
			} `json:"tracker_http"`
		}
		require.NoError(t, json.Unmarshal(file[name], &client))
		for _, sent := range client.Tracker.HTTP {
			r := httptest.NewRequest(http.MethodGet, sent.Path, nil)
			for k, v := range sent.Headers {
				r.Header.Set(k, v)
			}
			v := ask(t, h, r)
			require.Empty(t, text(v.Get("failure reason")), name)
			if strings.HasPrefix(sent.Path, "/scrape") {
				c := v.Get("files").Cursor()
				require.True(t, c.Next())
				v = c.Value()
			}
			complete = append(complete, number(v.Get("complete")))
		}
	}
	require.Equal(t, []int64{1, 0, 1, 2, 2}, complete)
}

// A real server frames the longest answers, too.
func TestLongAnswerHasItsLength(t *testing.T) {
	h := newHandler(httptracker.Config{})
	for i := range 200 {
		announce(t, h, peer{addr: fmt.Sprintf("[2001:db8::%x]:1", i+1), left: "5", more: "numwant=0"})
	}
	server := httptest.NewServer(h)
	defer server.Close()
	res, err := http.Get(server.URL + "/announce?" + hash + "&peer_id=-XX0100-abcdefghijkl&port=1&numwant=200")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Greater(t, len(body), 3600)
	require.EqualValues(t, len(body), res.ContentLength)
	require.Empty(t, res.TransferEncoding)
}

// FuzzHandler sends any request line: the answer is strict bencode, or no
// tracker is at that path.
func FuzzHandler(f *testing.F) {
	f.Add("/announce", hash+"&peer_id=-XX0100-abcdefghijkl&port=1&left=0&event=completed", "192.0.2.1:1", false)
	f.Add("/announce/KEY", hash+"&peer_id=-XX0100-abcdefghijkl&port=2&left=9&compact=0&numwant=9", "[2001:db8::1]:1", true)
	f.Add("/scrape", hash2+"&"+hash+"&"+hash, "127.0.0.1:1", true)
	f.Add("/announce", "info_hash=%zz&ip=::1", "@", false)
	own := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:6881")}
	h := newHandler(httptracker.Config{
		Own: func([20]byte, *http.Request) []netip.AddrPort { return own },
		Log: func(a httptracker.Access) { a.Target() },
	})
	f.Fuzz(func(t *testing.T, path, query, from string, again bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawQuery, r.RemoteAddr = path, query, from
		for range 2 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == http.StatusNotFound {
				return
			}
			require.Equal(t, http.StatusOK, w.Code)
			v, err := bencode.Decode(w.Body.Bytes())
			require.NoError(t, err, "%q", w.Body)
			require.Equal(t, bencode.Dict, v.Kind())
			failed := v.Get("failure reason") != nil
			require.Equal(t, failed, v.Get("peers") == nil && v.Get("files") == nil)
			if !again {
				return
			}
		}
	})
}
