package seedserver

import (
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// TestTrackerOverUDP: what is published is tracked on the UDP port of the index, too, and nothing else is.
func TestTrackerOverUDP(t *testing.T) {
	srv, dir, _ := running(t, func(c *Config) { c.Admin, c.AdminExact = "127.0.0.1:0", true })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o644))
	require.Eventually(t, func() bool { return len(srv.torrents.all()) == 1 }, 10*time.Second, 10*time.Millisecond)
	var infohash [20]byte
	for _, one := range srv.torrents.all() {
		h := one.infohash()
		infohash = h
	}
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	udp := "udp://" + boundAddr(srv.http).String()
	req := &tracker.AnnounceRequest{InfoHash: infohash, Key: 1, Left: 7, NumWant: 50, Addr: netip.MustParseAddrPort("0.0.0.0:7000")}
	res, err := c.Announce(t.Context(), udp, req)
	require.NoError(t, err)
	require.Equal(t, 1, res.Complete)
	var peers []netip.AddrPort
	for p := range res.Peers() {
		peers = append(peers, p)
	}
	require.Equal(t, srv.PeerAddrs(), peers, "our own seed")

	req.InfoHash[0]++
	_, err = c.Announce(t.Context(), udp, req)
	require.ErrorIs(t, err, tracker.ErrFailure)

	r, err := http.NewRequest(http.MethodGet, srv.URLs()[0]+"-/tracker", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(body), `"infohash"`), "%s", body)
	require.Contains(t, string(body), `"name":"a","size":7,"complete":1,"downloading":1`)

	resp, err = http.Get(srv.AdminURL() + "metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), `seedserver_tracker_announces_total{transport="udp"} 2`)
	require.Contains(t, string(body), `seedserver_tracker_peers{family="ipv4"} 1`)
}
