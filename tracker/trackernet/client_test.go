package trackernet_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/trackernet"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// trackers runs one store behind both protocols on loopback and returns their URLs.
func trackers(t testing.TB) (urls []string) {
	store := peerstore.New(peerstore.Config{})
	web := httptest.NewServer(httptracker.New(httptracker.Config{Store: store}))
	conns, err := udptracker.Listen(t.Context(), "127.0.0.1:0", 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	server := udptracker.New(udptracker.Config{Store: store})
	serving.Go(func() { server.Serve(ctx, conns[0]) })
	t.Cleanup(func() {
		cancel()
		serving.Wait()
		web.Close()
	})
	return []string{web.URL + "/announce", "udp://" + conns[0].LocalAddr().String()}
}

func request(port int, left int64) *tracker.AnnounceRequest {
	return &tracker.AnnounceRequest{InfoHash: [20]byte{1}, PeerID: [20]byte{byte(port)}, Key: uint32(port), Left: left, NumWant: 50,
		Addr: netip.AddrPortFrom(netip.Addr{}, uint16(port))}
}

// Peers that announce in different ways find each other.
func TestClient(t *testing.T) {
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	urls := trackers(t)
	for i, u := range urls {
		res, err := c.Announce(t.Context(), u, request(1000+i, 5))
		require.NoError(t, err)
		require.Len(t, slices.Collect(res.Peers()), i)
	}
	for _, u := range urls {
		all, err := c.Scrape(t.Context(), u, [][20]byte{{1}})
		require.NoError(t, err)
		require.Equal(t, 2, all[[20]byte{1}].Incomplete)
	}
}

// Who takes peers at one address of a machine is known to trackers by that one.
func TestBoundClient(t *testing.T) {
	if ln, err := net.Listen("tcp", "127.0.0.2:0"); err != nil {
		t.Log("no second address of this machine:", err)
		return
	} else {
		ln.Close()
	}
	bound := trackernet.New(trackernet.Config{Private: true, Bind: netip.MustParseAddr("127.0.0.2")})
	defer bound.CloseIdle()
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	for _, u := range trackers(t) {
		_, err := bound.Announce(t.Context(), u, request(1000, 5))
		require.NoError(t, err)
		res, err := c.Announce(t.Context(), u, request(2000, 5))
		require.NoError(t, err)
		require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.2:1000")}, slices.Collect(res.Peers()))
	}
}

// A name is resolved for each family; where the tracker has but one, that is enough.
func TestNamedTracker(t *testing.T) {
	c := trackernet.New(trackernet.Config{Private: true})
	defer c.CloseIdle()
	for _, u := range trackers(t) {
		name := strings.Replace(u, "127.0.0.1", "localhost", 1)
		res, err := c.Announce(t.Context(), name, request(1000, 5))
		require.NoError(t, err, name)
		require.Equal(t, 1, res.Incomplete)
	}
}

// Trackers of strangers' torrents are not looked for in private places.
func TestPrivateTrackersAreRefused(t *testing.T) {
	c := trackernet.New(trackernet.Config{})
	for _, u := range append(trackers(t), "http://localhost/announce", "udp://localhost:1", "http://10.0.0.1/announce", "udp://[::1]:1",
		"http://169.254.169.254/announce") {
		_, err := c.Announce(t.Context(), u, request(1, 5))
		require.ErrorIs(t, err, tracker.ErrAddress, u)
		if _, ok := tracker.ScrapeURL(u); ok {
			_, err = c.Scrape(t.Context(), u, [][20]byte{{1}})
			require.ErrorIs(t, err, tracker.ErrAddress, u)
		}
	}
}

func TestUnknownSchemes(t *testing.T) {
	c := trackernet.New(trackernet.Config{})
	for _, u := range []string{"", "wss://tracker.example/announce", "file:///etc/passwd", "nonsense"} {
		_, err := c.Announce(t.Context(), u, request(1, 5))
		require.ErrorContains(t, err, "begins with http://", u)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := trackernet.New(trackernet.Config{}).Announce(ctx, "udp://192.0.2.1:1", request(1, 5))
	require.ErrorIs(t, err, context.Canceled)
}

// Two peers meet at a tracker.
func ExampleSession() {
	store := peerstore.New(peerstore.Config{})
	web := httptest.NewServer(httptracker.New(httptracker.Config{Store: store}))
	defer web.Close()
	store.Announce(time.Now(), &tracker.AnnounceRequest{Addr: netip.MustParseAddrPort("192.0.2.1:6881")}, new(tracker.AnnounceResponse))

	ctx, cancel := context.WithCancel(context.Background())
	session := trackernet.NewSession(trackernet.SessionConfig{
		Client:   trackernet.New(trackernet.Config{Private: true}), // the tracker is on this machine
		Tiers:    [][]string{{web.URL + "/announce"}},
		PeerID:   [20]byte([]byte("-XX0100-abcdefghijkl")),
		Port:     6881,
		Progress: func() (uploaded, downloaded, left int64) { return 0, 0, 1 << 20 },
		Found: func(peers []netip.AddrPort) {
			fmt.Println("found", peers)
			cancel()
		},
	})
	fmt.Println(session.Run(ctx))
	// Output:
	// found [192.0.2.1:6881]
	// context canceled
}
