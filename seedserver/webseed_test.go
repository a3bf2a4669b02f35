package seedserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// webSeedBytes returns what the ledger counted for web seeds, everything together.
func webSeedBytes(t *testing.T, srv *Server) int64 {
	rows, err := srv.ledger.Rows(t.Context(), ledger.RowQuery{Span: ledger.SpanEver})
	require.NoError(t, err)
	var n int64
	for _, row := range rows {
		n += row.Counts.Sent[ledger.ClassWebSeed]
	}
	return n
}

// TestWebSeed: what a torrent names as its web seed serves each of its files, counted to the byte; nothing else does.
func TestWebSeed(t *testing.T) {
	srv, dir, _ := running(t, func(cfg *Config) { cfg.WebSeed = true })
	single := strings.Repeat("0123456789", 1000)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a b.bin"), []byte(single), 0o644))
	unit := filepath.Join(t.TempDir(), "unit")
	require.NoError(t, os.MkdirAll(filepath.Join(unit, "deep"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(unit, ".seedserver.toml"), []byte("unit = true"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(unit, "deep", "é"), []byte("in the unit"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(unit, "x"), []byte("x"), 0o644))
	require.NoError(t, os.Rename(unit, filepath.Join(dir, "unit")))
	get := func(url, byteRange string) (int, string) {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)
		if byteRange != "" {
			r.Header.Set("Range", byteRange)
		}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	seedOf := func(path string) string {
		var seed string
		require.Eventually(t, func() bool {
			status, body := get(srv.URLs()[0]+path, "")
			torrent, err := metainfo.Parse([]byte(body))
			if status != http.StatusOK || err != nil {
				return false
			}
			require.Len(t, torrent.WebSeeds, 1)
			seed = torrent.WebSeeds[0]
			return true
		}, 10*time.Second, 20*time.Millisecond)
		return seed
	}
	seed := seedOf("a%20b.bin.torrent")
	require.True(t, strings.HasSuffix(seed, "/"))
	status, body := get(seed+"a%20b.bin", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, single, body)
	status, body = get(seed+"a%20b.bin", "bytes=5-14")
	require.Equal(t, http.StatusPartialContent, status)
	require.Equal(t, "5678901234", body)
	status, body = get(seedOf("unit.torrent")+"unit/deep/%C3%A9", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "in the unit", body)
	for _, wrong := range []string{"other", "a%20b.bin/x", "../a%20b.bin", ""} {
		status, _ := get(seed+wrong, "")
		require.Equal(t, http.StatusNotFound, status, wrong)
	}
	status, _ = get(strings.Replace(seed, "seed/", "seed/0", 1)+"a%20b.bin", "")
	require.Equal(t, http.StatusNotFound, status)
	require.Eventually(t, func() bool { return webSeedBytes(t, srv) == int64(len(single)+10+len("in the unit")) }, 10*time.Second, 50*time.Millisecond)
}

// TestWebSeedOfAPrivateTorrent: its address holds the user's key, which logs do not.
func TestWebSeedOfAPrivateTorrent(t *testing.T) {
	c := newClub(t)
	c.srv.cfg.WebSeed = true
	torrent := c.torrentOf("alice")
	seed := torrent.WebSeeds[0]
	_, key, _ := strings.Cut(torrent.Announce, "/announce/")
	require.Contains(t, seed, key)
	path := strings.TrimPrefix(seed, c.url) + "zebra.iso"
	require.Equal(t, http.StatusOK, c.get("", path).status)
	for _, bad := range []string{"." + key, "." + key[1:], "." + strings.Repeat("A", 32)} {
		changed := strings.Replace(path, "."+key, bad, 1)
		if bad == "."+key {
			changed = strings.Replace(path, "."+key, "", 1)
		}
		got := c.get("", changed)
		nothing := c.get("", "/-/seed/0000000000000000000000000000000000000000/zebra.iso")
		require.Equal(t, nothing, got)
	}
	require.Eventually(t, func() bool { return strings.Contains(c.logs.String(), "masked/zebra.iso") }, 5*time.Second, 10*time.Millisecond)
	require.NotContains(t, c.logs.String(), key)
	c.setUsers("bob")
	require.Equal(t, http.StatusNotFound, c.get("", path).status)
}

// TestBudgetOverHTTP: when the share is spent, files and web seeds answer 503 and say when to come back, and the index says so.
func TestBudgetOverHTTP(t *testing.T) {
	srv, dir, end := running(t, func(cfg *Config) { cfg.WebSeed, cfg.Budget = true, 1e12 })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte(strings.Repeat("f", 5000)), 0o644))
	require.Eventually(t, func() bool { return status(t, srv, "f") == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { state, _ := srv.account.State(); return state.Spent >= 5000 }, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, http.StatusOK, status(t, srv, ""))
	fetch := func(path string) (*http.Response, string) {
		resp, err := http.Get(srv.URLs()[0] + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(body)
	}
	_, body := fetch("f.torrent")
	torrent, err := metainfo.Parse([]byte(body))
	require.NoError(t, err)
	seed := strings.TrimPrefix(torrent.WebSeeds[0]+"f", srv.URLs()[0])
	resp, _ := fetch(seed)
	require.Equal(t, http.StatusOK, resp.StatusCode)

	require.NoError(t, end())
	spent, ok, err := reservationAt(t, srv.cfg.State)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, int64(10_000+512), spent.Bytes, "after an orderly end it is what was sent, and read to tell the type")

	// The next life has a budget of which all but the reserve is spent.
	cfg := srv.cfg
	cfg.Budget = 10_500
	again, err := New(cfg)
	require.NoError(t, err)
	defer again.Close()
	require.NoError(t, again.Listen(t.Context()))
	state, _ := again.account.State()
	require.True(t, state.OnlyReserve)
	require.NotZero(t, again.account.Busy(budget.LaneHTTP))
	require.Contains(t, again.notice(web.Via{}), "nearly spent")
	require.ErrorContains(t, busy(again.account, budget.LaneWebSeed), "With BitTorrent")
	require.NotNil(t, again.budgetStatus())
	require.Contains(t, fmt.Sprint(again.whyBudget()), "reserve")
}

func reservationAt(t *testing.T, state string) (ledger.Reservation, bool, error) {
	l, err := ledger.Config{}.Open(t.Context(), state)
	require.NoError(t, err)
	defer l.Close()
	return l.Reservation(t.Context())
}

// TestWebSeedOfASwarm: a torrent that is seeded conservatively is not to be had over HTTP while somebody else holds all of it.
func TestWebSeedOfASwarm(t *testing.T) {
	srv, dir, _ := running(t, func(cfg *Config) { cfg.WebSeed = true })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte("one piece"), 0o644))
	require.Eventually(t, func() bool { return status(t, srv, "f") == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	var h metainfo.InfoHash
	for _, one := range srv.torrents.all() {
		h = one.infohash()
	}
	seed := fmt.Sprintf("-/seed/%v/f", h)
	require.Equal(t, http.StatusOK, status(t, srv, seed))

	conn, err := net.Dial("tcp", srv.peer.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	hs := peerwire.Handshake{InfoHash: h, PeerID: peerwire.PeerID([]byte("-XX0000-abcdefghijkl"))}
	_, err = conn.Write(append(hs.AppendTo(nil), 0, 0, 0, 2, 5, 0x80)) // it has the piece
	require.NoError(t, err)
	require.Eventually(t, func() bool { return status(t, srv, seed) == http.StatusServiceUnavailable }, 10*time.Second, 20*time.Millisecond)
	resp, err := http.Get(srv.URLs()[0] + seed)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, "300", resp.Header.Get("Retry-After"))
	conn.Close()
	require.Eventually(t, func() bool { return status(t, srv, seed) == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
}

// TestSecretsAreNotPublished: a file of users, or a key, in the published directory would be published.
func TestSecretsAreNotPublished(t *testing.T) {
	dir := t.TempDir()
	_, err := New(Config{Dir: dir, State: t.TempDir(), UsersFile: filepath.Join(dir, "users")})
	require.ErrorContains(t, err, "--users")
	_, err = New(Config{Dir: dir, State: t.TempDir(), TLSCert: filepath.Join(dir, "cert"), TLSKey: filepath.Join(dir, "key")})
	require.ErrorContains(t, err, "--tls-key")
}
