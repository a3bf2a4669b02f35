package admission

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

func TestNetworks(t *testing.T) {
	ten, one := netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")
	for _, tt := range []struct {
		networks Networks
		ip       string
		want     bool
	}{
		{Networks{}, "192.0.2.1", true},
		{Networks{Deny: []netip.Prefix{ten}}, "10.1.2.3", false},
		{Networks{Deny: []netip.Prefix{ten}}, "::ffff:10.1.2.3", false},
		{Networks{Deny: []netip.Prefix{ten}}, "192.0.2.1", true},
		{Networks{Allow: []netip.Prefix{ten}}, "192.0.2.1", false},
		{Networks{Allow: []netip.Prefix{ten}, Deny: []netip.Prefix{one}}, "10.1.2.3", false},
		{Networks{Allow: []netip.Prefix{ten}, Deny: []netip.Prefix{one}}, "10.2.2.3", true},
	} {
		require.Equal(t, tt.want, tt.networks.Admits(netip.MustParseAddr(tt.ip)), "%+v", tt)
	}
}

func TestPace(t *testing.T) {
	now := time.Unix(1e9, 0)
	p := NewPace(30*time.Minute, 100)
	require.Equal(t, 30*time.Minute, p.Interval())
	require.Equal(t, 45*time.Minute, p.Follow(now, 1000))
	require.Equal(t, 90*time.Minute, p.Follow(now, 100*3600))
	require.Equal(t, time.Hour, p.Interval())
	require.Equal(t, 3*time.Hour, p.Follow(now, 1<<30))
	require.Equal(t, 2*time.Hour, p.Interval(), "not without end")
	// Peers that were told a long interval are not forgotten when it shrinks.
	require.Equal(t, 3*time.Hour, p.Follow(now.Add(time.Minute), 0))
	require.Equal(t, 30*time.Minute, p.Interval())
	require.Equal(t, 45*time.Minute, p.Follow(now.Add(4*time.Hour), 0))
}

const (
	hashA = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a"
	hashB = "D12FE1C06BBA254A9DC9F519B335AA7C1367A88B"
)

func parsed(t testing.TB, s string) [20]byte {
	h, err := metainfo.ParseInfoHash(s)
	require.NoError(t, err)
	return h
}

func TestListOfHashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(path, []byte("# ours\n\n"+hashA+"\n "+hashB+"  failure  gone for good \n"+hashA+" warning there is a newer one\r\n"), 0o600))
	l := NewList(path)
	require.ErrorIs(t, l.Allow(parsed(t, hashA)), tracker.ErrNotRegistered)
	n, problems, err := l.Load()
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Equal(t, 2, n)
	require.NoError(t, l.Allow(parsed(t, hashA)))
	require.Equal(t, "there is a newer one", l.Warning(parsed(t, hashA)))
	require.Equal(t, &tracker.FailureError{Reason: "gone for good", RetryAfter: -1}, l.Allow(parsed(t, hashB)))
	require.ErrorIs(t, l.Allow([20]byte{}), tracker.ErrNotRegistered)
	l.Each(func([20]byte, Torrent) bool { n--; return true })
	require.Zero(t, n)

	require.NoError(t, os.WriteFile(path, []byte(hashA+" wrning x\n"), 0o600))
	_, _, err = l.Load()
	require.ErrorContains(t, err, "line 1")
	require.NoError(t, l.Allow(parsed(t, hashA)), "the old list stays")
	_, _, err = NewList(path + "x").Load()
	require.Error(t, err)
}

func FuzzLines(f *testing.F) {
	f.Add(hashA + " warning x\n#\n" + hashB)
	f.Add("zz")
	f.Fuzz(func(t *testing.T, s string) {
		torrents := map[metainfo.InfoHash]Torrent{}
		if err := parseLines(strings.NewReader(s), "list", torrents); err == nil {
			require.LessOrEqual(t, len(torrents)*40, len(s))
		}
		for _, one := range torrents {
			require.LessOrEqual(t, len(one.Warning)+len(one.Failure), 2*maxMessage)
		}
	})
}

func TestListOfTorrents(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	info := "d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae"
	put("a.torrent", "d4:info"+info+"e")
	put("bad.torrent", "d4:infoe")
	put("readme", "x")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir.torrent"), 0o700))
	torrent, err := metainfo.Parse([]byte("d4:info" + info + "e"))
	require.NoError(t, err)
	put(messagesTxt, torrent.InfoHash.String()+" warning soon gone\n"+hashB+" warning not ours\n")

	l := NewList(dir)
	n, problems, err := l.Load()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, problems, 1)
	require.ErrorContains(t, problems[0], "bad.torrent")
	got, ok := l.Find(torrent.InfoHash)
	require.True(t, ok)
	require.Equal(t, Torrent{Name: "x", Size: 5, Warning: "soon gone"}, got)

	require.NoError(t, os.Remove(filepath.Join(dir, "a.torrent")))
	n, _, err = l.Load()
	require.NoError(t, err)
	require.Zero(t, n)
}

// dials is a network in which some addresses can be connected to.
func dials(open ...string) (r *Reach, tried chan string) {
	r, tried = NewReach(), make(chan string, 100)
	r.Dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		tried <- addr
		if !slices.Contains(open, addr) {
			return nil, errors.New("refused")
		}
		ours, _ := net.Pipe()
		return ours, nil
	}
	return r, tried
}

func TestReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reach, tried := dials("192.0.2.1:6881")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- reach.Run(ctx) }()
		store := &Store{Peers: peerstore.New(peerstore.Config{}), Reach: reach}
		announce := func(addr string) int {
			var res tracker.AnnounceResponse
			_, err := store.Announce(time.Now(), &tracker.AnnounceRequest{Addr: netip.MustParseAddrPort(addr), Left: 5, NumWant: 9}, &res)
			require.NoError(t, err)
			synctest.Wait()
			return len(res.Peers4) / 6
		}
		require.Zero(t, announce("192.0.2.1:6881"))
		require.Equal(t, 1, announce("192.0.2.2:6881"), "who can be reached is told of as soon as that is known")
		require.Equal(t, 1, announce("192.0.2.3:22"))
		require.Zero(t, announce("192.0.2.1:6881"), "who cannot be reached is not told of")
		require.Equal(t, 1, announce("192.0.2.2:6881"))
		require.Len(t, tried, 2, "each is tried once, and none on a port of the system")
		time.Sleep(reachAgain)
		announce("192.0.2.2:6881")
		require.Len(t, tried, 3)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestReachIsBounded(t *testing.T) {
	reach, now := NewReach(), time.Unix(1e9, 0)
	for i := range 3 * maxReached {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
		require.False(t, reach.Reachable(now, addr, func() {}))
		if len(reach.queue) == reachQueue {
			<-reach.queue
		}
	}
	require.LessOrEqual(t, len(reach.known), maxReached)
}

func TestStoreRefusesNetworks(t *testing.T) {
	store := &Store{Peers: peerstore.New(peerstore.Config{}), Networks: Networks{Deny: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
	_, err := store.Announce(time.Now(), &tracker.AnnounceRequest{Addr: netip.MustParseAddrPort("192.0.2.1:6881")}, new(tracker.AnnounceResponse))
	require.ErrorIs(t, err, tracker.ErrFailure)
	_, known := store.Scrape([20]byte{})
	require.False(t, known)
}
