package seedserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// runTracker runs a tracker on loopback until the test ends, and returns its announce URLs.
func runTracker(t *testing.T, cfg seedserver.TrackerConfig) []string {
	cfg.HTTP = "127.0.0.1:0"
	tr, err := seedserver.NewTracker(cfg)
	require.NoError(t, err)
	require.NoError(t, tr.Listen(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return tr.URLs()
}

func announceTo(t *testing.T, url string, port uint16, left int64) (*tracker.AnnounceResponse, error) {
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	return c.Announce(t.Context(), url, &tracker.AnnounceRequest{InfoHash: [20]byte{7}, PeerID: [20]byte{byte(port)}, Key: uint32(port), Left: left,
		NumWant: 50, Addr: netip.AddrPortFrom(netip.Addr{}, port)})
}

// TestTrackerPlaces: connections that are no announces are not without number: one address has some, and others have theirs.
func TestTrackerPlaces(t *testing.T) {
	urls := runTracker(t, seedserver.TrackerConfig{Open: true, NoUDP: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	at := strings.TrimSuffix(strings.TrimPrefix(urls[0], "http://"), "/announce")
	const most = 512
	open := 0
	var conns []net.Conn
	for range most + 20 {
		conn, err := net.Dial("tcp", at)
		require.NoError(t, err)
		defer conn.Close()
		conn.Write([]byte("GET / HTTP/1.1\r\n")) // fails if it is turned away at once
		conns = append(conns, conn)
	}
	for _, conn := range conns[most-20:] {
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
	}
	require.Equal(t, 20, open)
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := other.Dial("tcp", at)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), " 200 OK")
}

// Peers over HTTP and UDP are in one swarm, which outlives the tracker.
func TestTracker(t *testing.T) {
	state := filepath.Join(t.TempDir(), "swarms")
	t.Run("first", func(t *testing.T) {
		urls := runTracker(t, seedserver.TrackerConfig{Open: true, State: state})
		require.Len(t, urls, 2)
		for i, u := range urls {
			res, err := announceTo(t, u, uint16(2000+i), 5)
			require.NoError(t, err)
			require.Equal(t, i+1, res.Incomplete)
			require.Len(t, res.Peers4, 6*i)
		}
	})
	urls := runTracker(t, seedserver.TrackerConfig{Open: true, State: state})
	res, err := announceTo(t, urls[1], 2000, 0)
	require.NoError(t, err)
	require.Equal(t, 1, res.Complete, "the client is recognized")
	require.Equal(t, 1, res.Incomplete)
}

func TestTrackerLimits(t *testing.T) {
	urls := runTracker(t, seedserver.TrackerConfig{Open: true, MaxPeers: 2, MaxNumWant: 1, Scrape: "none",
		DenyIP: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for i := range 5 {
		res, err := announceTo(t, urls[i%2], uint16(2000+i), 5)
		require.NoError(t, err)
		require.Equal(t, min(i+1, 2), res.Incomplete, "a full swarm answers, and does not grow")
		require.LessOrEqual(t, len(res.Peers4), 6)
	}
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	for _, u := range urls {
		_, err := c.Scrape(t.Context(), u, [][20]byte{{7}})
		require.ErrorIs(t, err, tracker.ErrFailure)
	}
}

// Without a list of what is tracked nothing starts; a list that cannot be read is told at once.
func TestTrackerSettings(t *testing.T) {
	for want, cfg := range map[string]seedserver.TrackerConfig{
		"say what is tracked":   {},
		"exclude each other":    {Open: true, Allow: "x"},
		"announce-interval":     {Open: true, AnnounceInterval: time.Second},
		"full, specific, none":  {Open: true, Scrape: "some"},
		"log-addresses":         {Open: true, LogAddresses: "some"},
		"url":                   {Open: true, URL: "tracker.example"},
		"reading the list":      {Allow: filepath.Join(t.TempDir(), "none")},
		"loading the tracker's": {Open: true, State: t.TempDir()},
	} {
		_, err := seedserver.NewTracker(cfg)
		require.ErrorContains(t, err, want)
	}
}

// The page lists what is on the list, also before anybody has announced it.
func TestTrackerPage(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(list, []byte(strings.Repeat("61", 20)+"\n"), 0o600))
	tr, err := seedserver.NewTracker(seedserver.TrackerConfig{Allow: list, LogFile: filepath.Join(t.TempDir(), "access.log")})
	require.NoError(t, err)
	defer tr.Close()
	get := func(path string) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept", "application/json")
		r.RemoteAddr = "192.0.2.1:4000"
		w := httptest.NewRecorder()
		tr.Handler().ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Body)
		return string(b)
	}
	require.Contains(t, get("/announce?info_hash=bbbbbbbbbbbbbbbbbbbb&peer_id=aaaaaaaaaaaaaaaaaaaa&port=9&left=1"), "not registered")
	require.Contains(t, get("/scrape"), "tracker's page", "only a full scrape has no infohash")
	var table struct{ Torrents []struct{ InfoHash string } }
	require.NoError(t, json.Unmarshal([]byte(get("/-/tracker")), &table))
	require.Len(t, table.Torrents, 1)
	require.Equal(t, strings.Repeat("61", 20), table.Torrents[0].InfoHash)
}

// With a NAT check a peer is handed out once it could be connected to, and no other ever is.
func TestTrackerNATCheck(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer open.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	port := func(l net.Listener) uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

	urls := runTracker(t, seedserver.TrackerConfig{Open: true, NATCheck: true})
	for i, l := range []net.Listener{open, closed} {
		_, err := announceTo(t, urls[i], port(l), 5)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		res, err := announceTo(t, urls[1], port(closed), 5)
		require.NoError(t, err)
		return len(res.Peers4) == 6
	}, 10*time.Second, 10*time.Millisecond)
	res, err := announceTo(t, urls[0], port(open), 5)
	require.NoError(t, err)
	require.Empty(t, res.Peers4)
	require.Equal(t, 1, res.Incomplete)
}
