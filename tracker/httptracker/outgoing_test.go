package httptracker_test

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

func testRequest() *tracker.AnnounceRequest {
	req := &tracker.AnnounceRequest{
		PeerID: [20]byte([]byte("-XX0100-abcdefghijkl")), Addr: netip.MustParseAddrPort("0.0.0.0:6881"),
		Key: 0x0badcafe, Event: tracker.EventStarted, NumWant: 50,
	}
	for i := range req.InfoHash {
		req.InfoHash[i] = byte(0x10 + i)
	}
	return req
}

func TestAnnounceURL(t *testing.T) {
	const query = "info_hash=%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F%20%21%22%23&peer_id=-XX0100-abcdefghijkl&port=6881" +
		"&uploaded=0&downloaded=0&left=0&event=started&numwant=50&key=0BADCAFE&compact=1&no_peer_id=1"
	for announce, want := range map[string]string{
		"http://t.example/announce":             "http://t.example/announce?" + query,
		"http://t.example/announce?passkey=abc": "http://t.example/announce?passkey=abc&" + query,
		"http://t.example/announce?":            "http://t.example/announce?" + query,
		"http://t.example/a?b&":                 "http://t.example/a?b&" + query,
		"http://t.example/announce#x?y":         "http://t.example/announce?" + query,
	} {
		require.Equal(t, want, string(httptracker.AppendAnnounceURL(nil, announce, testRequest())))
	}
	open := &tracker.AnnounceRequest{Left: -1, NumWant: -1, TrackerID: "a&b"}
	got := string(httptracker.AppendAnnounceURL(nil, "", open))
	require.NotContains(t, got, "left")
	require.NotContains(t, got, "numwant")
	require.NotContains(t, got, "&key")
	require.NotContains(t, got, "event")
	require.True(t, strings.HasSuffix(got, "&trackerid=a%26b"))
}

// What the client writes, the tracker reads.
func FuzzAnnounceURL(f *testing.F) {
	f.Add([]byte("infohash and peer id, forty bytes in all"), int64(1), int64(2), int64(3), uint32(4), uint8(2), 50)
	f.Fuzz(func(t *testing.T, ids []byte, up, down, left int64, key uint32, event uint8, want int) {
		req := tracker.AnnounceRequest{
			Uploaded: max(0, up), Downloaded: max(0, down), Left: max(-1, left), Key: key, Event: tracker.Event(event % 5),
			NumWant: max(-1, min(want, math.MaxInt32)), Addr: netip.AddrPortFrom(netip.Addr{}, uint16(want)|1),
		}
		copy(req.InfoHash[:], ids)
		copy(req.PeerID[:], ids[min(len(ids), 20):])
		u, err := url.Parse(string(httptracker.AppendAnnounceURL(nil, "http://t.example/announce?x=1", &req)))
		require.NoError(t, err)
		got, err := httptracker.ParseAnnounceQuery(u.RawQuery)
		require.NoError(t, err)
		require.Equal(t, req, got.AnnounceRequest)
	})
}

func TestResponsesOfTheVectors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		peers   []string
		failure *tracker.FailureError
		check   func(tracker.AnnounceResponse)
	}{
		{"compact v4+v6", []string{"192.0.2.1:6881", "[2001:db8::1]:6881"}, nil, func(res tracker.AnnounceResponse) {
			require.Equal(t, 30*time.Minute, res.Interval)
			require.Equal(t, 15*time.Minute, res.MinInterval)
			require.Equal(t, 9, res.Complete)
			require.Equal(t, 5, res.Incomplete)
			require.Equal(t, "abc", res.TrackerID)
			require.Equal(t, "203.0.113.9", res.ExternalIP.String())
		}},
		{"dict peers", []string{"192.0.2.1:6881", "[2001:db8::1]:6882"}, nil, nil},
		{"no_peer_id dict peers", []string{"192.0.2.1:6881"}, nil, nil},
		{"empty compact", nil, nil, nil},
		{"warning", nil, nil, func(res tracker.AnnounceResponse) { require.Equal(t, "please update", res.Warning) }},
		{"failure", nil, &tracker.FailureError{Reason: "Torrent not found"}, nil},
		{"failure + retry in minutes as a string", nil, &tracker.FailureError{Reason: "Overloaded", RetryAfter: 5 * time.Minute}, nil},
		{"failure + retry in minutes as an integer", nil, &tracker.FailureError{Reason: "Overloaded", RetryAfter: 5 * time.Minute}, nil},
		{"failure never", nil, &tracker.FailureError{Reason: "Not a tracker", RetryAfter: -1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var res tracker.AnnounceResponse
			err := httptracker.ParseAnnounceResponse(responseVector(t, tt.name), &res)
			if tt.failure != nil {
				require.Equal(t, tt.failure, err)
				return
			}
			require.NoError(t, err)
			var peers []string
			for p := range res.Peers() {
				peers = append(peers, p.String())
			}
			require.Equal(t, tt.peers, peers)
			if tt.check != nil {
				tt.check(res)
			}
		})
	}
	all, err := httptracker.ParseScrapeResponse(responseVector(t, "scrape"))
	require.NoError(t, err)
	require.Equal(t, map[[20]byte]tracker.ScrapeStats{
		[20]byte([]byte(strings.Repeat("x", 20))): {Complete: 11, Downloaded: 13772, Incomplete: 19, Downloaders: 19},
		[20]byte([]byte(strings.Repeat("y", 20))): {Complete: 21, Downloaded: 206, Incomplete: 20, Downloaders: 7},
	}, all)
}

func responseVector(t testing.TB, name string) []byte {
	t.Helper()
	var vectors struct{ Responses []struct{ Name, Hex string } }
	b, err := os.ReadFile("testdata/http_tracker.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &vectors))
	for _, row := range vectors.Responses {
		if row.Name == name {
			raw, err := hex.DecodeString(row.Hex)
			require.NoError(t, err)
			return raw
		}
	}
	t.Fatal("no vector ", name)
	return nil
}

func TestOddResponses(t *testing.T) {
	var res tracker.AnnounceResponse
	for _, body := range []string{"", "x", "le", "i1e", "d8:interval", "<html>"} {
		require.ErrorIs(t, httptracker.ParseAnnounceResponse([]byte(body), &res), httptracker.ErrResponse, body)
		_, err := httptracker.ParseScrapeResponse([]byte(body))
		require.ErrorIs(t, err, httptracker.ErrResponse, body)
	}
	for body, want := range map[string]tracker.AnnounceResponse{
		"de": {},
		"d8:intervali-5e8:completei-1e10:incompletei99999999999999ee":            {Incomplete: math.MaxInt32},
		"d8:interval4:30005:peersi5ee":                                           {},
		"d5:peersld2:ip9:192.0.2.14:porti0eed2:ip1:x4:porti1eei7eee":             {},
		"d5:peers8:abcdefghe":                                                    {Peers4: []byte("abcdef")},
		"d11:external ip3:abc10:tracker id300:" + strings.Repeat("i", 300) + "e": {},
		"d15:warning message4:a\n\xffbe":                                         {Warning: "a \uFFFDb"},
		"d5:peersld2:ip16:::ffff:192.0.2.14:porti6eeee":                          {Peers4: []byte{192, 0, 2, 1, 0, 6}},
	} {
		require.NoError(t, httptracker.ParseAnnounceResponse([]byte(body), &res), body)
		res.Peers4, res.Peers6 = slices.Clip(res.Peers4), nil
		if len(res.Peers4) == 0 {
			res.Peers4 = nil
		}
		require.Equal(t, want, res, body)
		res = tracker.AnnounceResponse{}
	}
	// Some say in another way when to come back.
	err := httptracker.ParseAnnounceResponse([]byte("d14:failure reason1:x12:min intervali900ee"), &res)
	require.Equal(t, &tracker.FailureError{Reason: "x", RetryAfter: 15 * time.Minute}, err)
}

func FuzzAnnounceResponse(f *testing.F) {
	for _, name := range []string{"compact v4+v6", "dict peers", "warning", "failure never", "scrape"} {
		f.Add(responseVector(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := slices.Clone(body)
		var res tracker.AnnounceResponse
		err := httptracker.ParseAnnounceResponse(body, &res)
		requireKnown(t, err)
		require.LessOrEqual(t, len(res.Peers4)+len(res.Peers6), 2000*24)
		require.GreaterOrEqual(t, res.Interval, time.Duration(0))
		require.GreaterOrEqual(t, res.MinInterval, time.Duration(0))
		all, err := httptracker.ParseScrapeResponse(body)
		requireKnown(t, err)
		require.LessOrEqual(t, len(all)*22, len(body))
		require.Equal(t, sent, body)
	})
}

func requireKnown(t *testing.T, err error) {
	t.Helper()
	if err != nil && err != httptracker.ErrResponse {
		require.ErrorIs(t, err, tracker.ErrFailure)
	}
}

// trackerServer is a tracker that answers as f does.
func trackerServer(t *testing.T, f http.HandlerFunc) string {
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL + "/announce"
}

func TestClientAndHandler(t *testing.T) {
	h := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{}), Policy: tracker.Policy{Jitter: -1}})
	announce := trackerServer(t, h.ServeHTTP)
	c := httptracker.NewClient(httptracker.ClientConfig{})
	defer c.CloseIdle()
	var res tracker.AnnounceResponse
	req := testRequest()
	require.NoError(t, c.Announce(t.Context(), announce, req, &res))
	require.Equal(t, 1, res.Complete)
	require.Equal(t, 30*time.Minute, res.Interval)
	all, err := c.Scrape(t.Context(), announce, [][20]byte{req.InfoHash, {1}})
	require.NoError(t, err)
	require.Equal(t, map[[20]byte]tracker.ScrapeStats{req.InfoHash: {Complete: 1}}, all)
	_, err = c.Scrape(t.Context(), strings.TrimSuffix(announce, "announce"), nil)
	require.ErrorContains(t, err, "no scrape")
}

func TestClientReadsTheReasonOfAnyStatus(t *testing.T) {
	c := httptracker.NewClient(httptracker.ClientConfig{})
	var res tracker.AnnounceResponse
	for body, want := range map[string]string{
		"d14:failure reason4:gonee": "tracker: gone",
		"<html>":                    "the tracker answered 404 Not Found",
		"d8:intervali5ee":           "the tracker answered 404 Not Found",
	} {
		announce := trackerServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); io.WriteString(w, body) })
		require.EqualError(t, c.Announce(t.Context(), announce, testRequest(), &res), want)
	}
}

// A torrent of a stranger must not make us speak to what only we can reach.
func TestClientDoesNotReachForbiddenAddresses(t *testing.T) {
	asked := 0
	announce := trackerServer(t, func(http.ResponseWriter, *http.Request) { asked++ })
	c := httptracker.NewClient(httptracker.ClientConfig{Allow: tracker.Public})
	var res tracker.AnnounceResponse
	for _, target := range []string{announce, strings.Replace(announce, "127.0.0.1", "localhost", 1)} {
		err := c.Announce(t.Context(), target, testRequest(), &res)
		require.ErrorIs(t, err, tracker.ErrAddress)
	}
	require.Zero(t, asked)

	// Nor by a redirect.
	hop := trackerServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://[::1]:1/announce", http.StatusFound)
	})
	c = httptracker.NewClient(httptracker.ClientConfig{Allow: func(ip netip.Addr) bool { return ip.Is4() }})
	require.ErrorIs(t, c.Announce(t.Context(), hop, testRequest(), &res), tracker.ErrAddress)
	require.Zero(t, asked)
}

func TestClientFollowsFewRedirects(t *testing.T) {
	hops := 0
	announce := trackerServer(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, fmt.Sprint("/announce?", hops), http.StatusFound)
	})
	var res tracker.AnnounceResponse
	c := httptracker.NewClient(httptracker.ClientConfig{})
	require.ErrorContains(t, c.Announce(t.Context(), announce, testRequest(), &res), "too many redirects")
	require.Equal(t, 6, hops)
	announce = trackerServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	require.ErrorContains(t, c.Announce(t.Context(), announce, testRequest(), &res), "scheme")
	require.Error(t, c.Announce(t.Context(), "udp://127.0.0.1:1", testRequest(), &res))
	require.Error(t, c.Announce(t.Context(), "http:///announce", testRequest(), &res))
}

func TestClientBoundsAnswers(t *testing.T) {
	c := httptracker.NewClient(httptracker.ClientConfig{MaxResponse: 1000})
	var res tracker.AnnounceResponse
	announce := trackerServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 1000 {
			z.Write(make([]byte, 100_000))
		}
		z.Close()
	})
	require.ErrorIs(t, c.Announce(t.Context(), announce, testRequest(), &res), httptracker.ErrResponse)

	announce = trackerServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "d8:intervali60ee")
		z.Close()
	})
	require.NoError(t, c.Announce(t.Context(), announce, testRequest(), &res))
	require.Equal(t, time.Minute, res.Interval)
}

func TestClientStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	announce := trackerServer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	var res tracker.AnnounceResponse
	require.ErrorIs(t, httptracker.NewClient(httptracker.ClientConfig{}).Announce(ctx, announce, testRequest(), &res), context.Canceled)
}
