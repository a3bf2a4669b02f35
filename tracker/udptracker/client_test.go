package udptracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// scripted is a tracker on the other end of a pipe: answer returns what it
// sends for a packet, nothing if nil.
func scripted(t *testing.T, cfg ClientConfig, answer func(r Request, b []byte) [][]byte) *Client {
	var one sync.Mutex // connections come one after the other, but nothing else tells the race detector so
	cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			b := make([]byte, 2048)
			for {
				n, err := theirs.Read(b)
				if err != nil {
					return
				}
				r, err := ParseRequest(b[:n])
				if err != nil {
					t.Errorf("%x: %v", b[:n], err)
				}
				one.Lock()
				all := answer(r, b[:n])
				one.Unlock()
				for _, out := range all {
					if _, err := theirs.Write(out); err != nil {
						return
					}
				}
			}
		}()
		return ours, nil
	}
	return NewClient(cfg)
}

const trackerURL = "udp://tracker.example:80/announce?key=1"

func TestClientAnnounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := tracker.AnnounceResponse{Interval: time.Hour, Complete: 3, Incomplete: 4, Peers4: []byte{192, 0, 2, 1, 0x1a, 0xe1}}
		c := scripted(t, ClientConfig{}, func(r Request, b []byte) [][]byte {
			if r.Action == ActionConnect {
				return [][]byte{AppendConnectResponse(nil, r.Transaction, 77)}
			}
			var req AnnounceRequest
			if err := ParseAnnounceRequest(b, &req); err != nil || r.ConnectionID != 77 || string(req.Path) != "/announce?key=1" || req.Key != 5 {
				t.Errorf("%v: %+v", err, req)
			}
			return [][]byte{
				[]byte("junk"), // of strangers, and late
				AppendErrorResponse(nil, r.Transaction+1, "not for us"),
				AppendConnectResponse(nil, r.Transaction, 1),
				AppendAnnounceResponse(nil, r.Transaction, &sent, false)[:19],
				AppendAnnounceResponse(nil, r.Transaction, &sent, false),
			}
		})
		var res tracker.AnnounceResponse
		req := &tracker.AnnounceRequest{Key: 5, Addr: netip.MustParseAddrPort("0.0.0.0:6881")}
		require.NoError(t, c.Announce(t.Context(), trackerURL, req, &res))
		require.Equal(t, sent.Peers4, res.Peers4)
		require.Equal(t, time.Hour, res.Interval)
		require.Equal(t, 3, res.Complete)
	})
}

// BEP 15: "If a response is not received after 15 * 2 ^ n seconds, the client
// should retransmit the request, where n starts at 0 and is increased up to 8".
func TestRetransmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		c := scripted(t, ClientConfig{}, func(r Request, _ []byte) [][]byte {
			at = append(at, time.Since(start)/time.Second)
			return nil
		})
		require.ErrorIs(t, c.Announce(t.Context(), trackerURL, &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse)), ErrNoAnswer)
		synctest.Wait()
		require.Equal(t, []time.Duration{0, 15, 45, 105, 225, 465, 945, 1905, 3825}, at)
		require.Equal(t, 7665*time.Second, time.Since(start))
	})
}

// BEP 15: "a client can use a connection ID until one minute after it has
// received it".
func TestConnectionIDExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []string
		c := scripted(t, ClientConfig{Retries: 4}, func(r Request, _ []byte) [][]byte {
			got = append(got, fmt.Sprint(r.Action, " ", int(time.Since(start).Seconds())))
			if r.Action == ActionConnect {
				return [][]byte{AppendConnectResponse(nil, r.Transaction, 77)}
			}
			return nil
		})
		_, err := c.Scrape(t.Context(), trackerURL, [][20]byte{{1}})
		require.ErrorIs(t, err, ErrNoAnswer)
		synctest.Wait()
		require.Equal(t, []string{"connect 0", "scrape 0", "scrape 15", "scrape 45", "connect 105", "scrape 105", "connect 225", "scrape 225"}, got)
	})
}

func TestLostPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[Action]int{}
		c := scripted(t, ClientConfig{}, func(r Request, _ []byte) [][]byte {
			if seen[r.Action]++; seen[r.Action] < 3 {
				return nil
			}
			if r.Action == ActionConnect {
				return [][]byte{AppendConnectResponse(nil, r.Transaction, 1)}
			}
			return [][]byte{AppendAnnounceResponse(nil, r.Transaction, new(tracker.AnnounceResponse), false)}
		})
		start := time.Now()
		require.NoError(t, c.Announce(t.Context(), trackerURL, &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse)))
		require.Equal(t, 90*time.Second, time.Since(start))
	})
}

func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t, ClientConfig{}, func(r Request, _ []byte) [][]byte {
			return [][]byte{AppendErrorResponse(nil, r.Transaction, "go\naway\x00")}
		})
		err := c.Announce(t.Context(), trackerURL, &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse))
		require.Equal(t, &tracker.FailureError{Reason: "go away"}, err)
	})
}

func TestClientEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, cause)
		defer cancel()
		start := time.Now()
		c := scripted(t, ClientConfig{}, func(Request, []byte) [][]byte { return nil })
		require.ErrorIs(t, c.Announce(ctx, trackerURL, &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse)), cause)
		require.Equal(t, 20*time.Second, time.Since(start))
	})
}

func TestScrapeInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hashes := make([][20]byte, 100)
		for i := range hashes {
			hashes[i][0] = byte(i + 1)
		}
		connects := 0
		c := scripted(t, ClientConfig{}, func(r Request, b []byte) [][]byte {
			if r.Action == ActionConnect {
				connects++
				return [][]byte{AppendConnectResponse(nil, r.Transaction, 1)}
			}
			some, err := ParseScrapeRequest(nil, b)
			if err != nil {
				t.Error(err)
			}
			stats := make([]tracker.ScrapeStats, len(some))
			for i := range some {
				stats[i].Complete = int(some[i][0])
			}
			return [][]byte{AppendScrapeResponse(nil, r.Transaction, stats)}
		})
		all, err := c.Scrape(t.Context(), trackerURL, hashes)
		require.NoError(t, err)
		require.Len(t, all, 100)
		require.Equal(t, 100, all[hashes[99]].Complete)
		require.Equal(t, 1, connects)
	})
}

func TestTrackerURLs(t *testing.T) {
	c := NewClient(ClientConfig{})
	for _, u := range []string{"", "http://x:1", "udp://x", "udp://:1", "udp:x:1", "udp://x:%zz"} {
		require.ErrorContains(t, c.Announce(t.Context(), u, &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse)), "udp://HOST:PORT", u)
	}
	_, path, err := split("udp://x:1/")
	require.NoError(t, err)
	require.Empty(t, path)
}

func TestClientDoesNotReachForbiddenAddresses(t *testing.T) {
	stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer stranger.Close()
	c := NewClient(ClientConfig{Allow: tracker.Public})
	err = c.Announce(t.Context(), "udp://"+stranger.LocalAddr().String(), &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse))
	require.ErrorIs(t, err, tracker.ErrAddress)
}

// Nobody listens: the system says so, and no quarter of a minute is lost.
func TestRefusedPort(t *testing.T) {
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	c := NewClient(ClientConfig{Timeout: 5 * time.Second})
	start := time.Now()
	require.Error(t, c.Announce(t.Context(), "udp://"+closed.LocalAddr().String(), &tracker.AnnounceRequest{}, new(tracker.AnnounceResponse)))
	require.Less(t, time.Since(start), 4*time.Second)
}
