package udptracker

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

const (
	testConnection  = 0x1122334455667788
	testTransaction = 0xdeadbeef
)

// vectors are the packets of testdata/udp_tracker.json by name.
func vectors(t testing.TB) map[string][]byte {
	var file struct {
		Packets []struct{ Name, Hex string }
	}
	text, err := os.ReadFile("testdata/udp_tracker.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &file))
	packets := make(map[string][]byte)
	for _, p := range file.Packets {
		packets[p.Name], err = hex.DecodeString(p.Hex)
		require.NoError(t, err)
	}
	require.NotEmpty(t, packets)
	return packets
}

func testHash() (h [20]byte) {
	for i := range h {
		h[i] = byte(0x10 + i)
	}
	return h
}

// testRequest is what the announces of the vectors say.
func testRequest(event tracker.Event, numWant int) *tracker.AnnounceRequest {
	return &tracker.AnnounceRequest{
		InfoHash: testHash(), PeerID: [20]byte([]byte("-XX0100-abcdefghijkl")),
		Addr: netip.AddrPortFrom(netip.Addr{}, 6881), Key: 0xbadcafe,
		Downloaded: 1000, Uploaded: 2000, Event: event, NumWant: numWant,
	}
}

// BEP 15: the layouts of its requests; BEP 41: "2: URLData".
func TestRequestVectors(t *testing.T) {
	packets := vectors(t)
	require.Equal(t, packets["connect request"], AppendConnectRequest(nil, testTransaction))
	long := "/" + strings.Repeat("x", 254) + strings.Repeat("y", 45)
	tests := []struct {
		name, path string
		event      tracker.Event
		numWant    int
		same       bool // we would write the same packet
	}{
		{"announce started, seed", "", tracker.EventStarted, -1, true},
		{"announce none", "", tracker.EventNone, -1, true},
		{"announce completed", "", tracker.EventCompleted, -1, true},
		{"announce stopped, numwant 0", "", tracker.EventStopped, 0, true},
		{"announce + BEP 41 URLData", "/dir?a=b&c=d", tracker.EventStarted, -1, true},
		{"announce + BEP 41 URLData + NOP NOP End", "/dir?a=b&c=d", tracker.EventStarted, -1, false},
		{"announce + BEP 41 empty URLData", "", tracker.EventStarted, -1, false},
		{"announce + BEP 41 URLData of 300 bytes in two options", long, tracker.EventStarted, -1, true},
		{"announce + unknown option 0x07 len 3, then URLData", "/a", tracker.EventStarted, -1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := packets[tt.name]
			head, err := ParseRequest(packet)
			require.NoError(t, err)
			require.Equal(t, Request{testConnection, ActionAnnounce, testTransaction}, head)
			want := testRequest(tt.event, tt.numWant)
			var got AnnounceRequest
			require.NoError(t, ParseAnnounceRequest(packet, &got))
			require.Equal(t, *want, got.AnnounceRequest)
			require.Equal(t, tt.path, string(got.Path))
			require.False(t, got.IP.IsValid())
			if tt.same {
				require.Equal(t, packet, AppendAnnounceRequest(nil, testConnection, testTransaction, want, tt.path))
			}
		})
	}
}

func TestScrapeRequestVector(t *testing.T) {
	packet := vectors(t)["scrape request, 2 hashes"]
	hashes := [][20]byte{testHash(), [20]byte([]byte(strings.Repeat("\xaa", 20)))}
	require.Equal(t, packet, AppendScrapeRequest(nil, testConnection, testTransaction, hashes))
	got, err := ParseScrapeRequest(nil, packet)
	require.NoError(t, err)
	require.Equal(t, hashes, got)
}

// BEP 15: the layouts of its responses.
func TestResponseVectors(t *testing.T) {
	packets := vectors(t)
	packet := packets["connect response"]
	require.Equal(t, packet, AppendConnectResponse(nil, testTransaction, testConnection))
	id, err := ParseConnectResponse(packet)
	require.NoError(t, err)
	require.Equal(t, uint64(testConnection), id)

	packet = packets["announce response v4, 2 peers"]
	var res tracker.AnnounceResponse
	require.NoError(t, ParseAnnounceResponse(packet, false, &res))
	require.Equal(t, []any{30 * time.Minute, 9, 5, 12}, []any{res.Interval, res.Complete, res.Incomplete, len(res.Peers4)})
	require.Equal(t, packet, AppendAnnounceResponse(nil, testTransaction, &res, false))

	packet = packets["announce response v6, 1 peer"]
	require.NoError(t, ParseAnnounceResponse(packet, true, &res))
	require.Equal(t, []any{0, 18}, []any{len(res.Peers4), len(res.Peers6)})
	require.Equal(t, packet, AppendAnnounceResponse(nil, testTransaction, &res, true))

	packet = packets["scrape response, 2 rows"]
	stats, err := ParseScrapeResponse(nil, packet)
	require.NoError(t, err)
	require.Equal(t, []tracker.ScrapeStats{{Complete: 9, Downloaded: 100, Incomplete: 5, Downloaders: 5}, {}}, stats)
	require.Equal(t, packet, AppendScrapeResponse(nil, testTransaction, stats))

	err = ParseErrorResponse(packets["error"])
	require.ErrorIs(t, err, tracker.ErrFailure)
	require.Equal(t, &tracker.FailureError{Reason: "Connection ID missmatch."}, err)
}

// BEP 15: "check whether the packet is at least N bytes".
func TestShortPackets(t *testing.T) {
	for name, packet := range vectors(t) {
		for n := range 16 {
			_, err := ParseRequest(packet[:n])
			require.ErrorIs(t, err, ErrPacket, name)
		}
	}
	var req AnnounceRequest
	require.ErrorIs(t, ParseAnnounceRequest(make([]byte, 97), &req), ErrPacket)
	_, err := ParseScrapeRequest(nil, make([]byte, 35))
	require.ErrorIs(t, err, ErrPacket)
	_, err = ParseScrapeRequest(nil, make([]byte, 16+75*20))
	require.ErrorIs(t, err, ErrPacket)
	_, err = ParseResponse(make([]byte, 7))
	require.ErrorIs(t, err, ErrPacket)
	_, err = ParseConnectResponse(make([]byte, 15))
	require.ErrorIs(t, err, ErrPacket)
	res := tracker.AnnounceResponse{}
	require.ErrorIs(t, ParseAnnounceResponse(append([]byte{0, 0, 0, 1}, make([]byte, 15)...), false, &res), ErrPacket)
	require.ErrorIs(t, ParseErrorResponse([]byte{0, 0, 0, 1, 0, 0, 0, 0}), ErrPacket)
}

func TestOddRequests(t *testing.T) {
	_, err := ParseRequest(AppendConnectRequest(nil, 1)[1:])
	require.ErrorIs(t, err, ErrPacket)
	_, err = ParseRequest(append(make([]byte, 11), 0, 0, 0, 0, 0))
	require.ErrorIs(t, err, ErrPacket, "connect without protocol id")
	_, err = ParseRequest(append(make([]byte, 11), 3, 0, 0, 0, 0))
	require.ErrorIs(t, err, ErrPacket, "error is no request")

	packet := AppendAnnounceRequest(nil, 0, 0, testRequest(tracker.EventPaused, math.MinInt), "/a")
	for i := 56; i < 80; i++ {
		packet[i] = 0xff // downloaded, left, uploaded
	}
	packet[80], packet[84], packet[92] = 9, 10, 0x80 // event, ip, num_want
	packet = append(packet, 2, 200, 'x')             // an option that is cut off
	var req AnnounceRequest
	require.NoError(t, ParseAnnounceRequest(packet, &req))
	require.Equal(t, []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}, []int64{req.Downloaded, req.Left, req.Uploaded})
	require.Equal(t, tracker.EventNone, req.Event)
	require.Equal(t, netip.MustParseAddr("10.0.0.0"), req.IP)
	require.Equal(t, -1, req.NumWant)
	require.Equal(t, "/a", string(req.Path))
}

// A client that does not know what it lacks must not be taken for a seed.
func TestUnknownLeftIsNoSeed(t *testing.T) {
	var req AnnounceRequest
	packet := AppendAnnounceRequest(nil, 0, 0, &tracker.AnnounceRequest{Left: -1}, "")
	require.NoError(t, ParseAnnounceRequest(packet, &req))
	require.Equal(t, int64(math.MaxInt64), req.Left)
}

// FuzzRequest: no panic, and what was read is written and read again as it was.
func FuzzRequest(f *testing.F) {
	for _, packet := range vectors(f) {
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := string(packet)
		head, err := ParseRequest(packet)
		if err != nil {
			require.ErrorIs(t, err, ErrPacket)
			return
		}
		switch head.Action {
		case ActionAnnounce:
			var req, again AnnounceRequest
			if err := ParseAnnounceRequest(packet, &req); err != nil {
				require.ErrorIs(t, err, ErrPacket)
				return
			}
			require.LessOrEqual(t, len(req.Path), len(packet))
			written := AppendAnnounceRequest(nil, head.ConnectionID, head.Transaction, &req.AnnounceRequest, string(req.Path))
			require.NoError(t, ParseAnnounceRequest(written, &again))
			require.Equal(t, req.AnnounceRequest, again.AnnounceRequest)
			require.Equal(t, string(req.Path), string(again.Path))
		case ActionScrape:
			hashes, err := ParseScrapeRequest(nil, packet)
			if err != nil {
				require.ErrorIs(t, err, ErrPacket)
				return
			}
			written := AppendScrapeRequest(nil, head.ConnectionID, head.Transaction, hashes)
			require.Equal(t, string(packet[:len(written)]), string(written))
		}
		require.Equal(t, before, string(packet))
	})
}

// FuzzResponse: the same for what a tracker sends.
func FuzzResponse(f *testing.F) {
	for _, packet := range vectors(f) {
		f.Add(packet, false)
		f.Add(packet, true)
	}
	f.Fuzz(func(t *testing.T, packet []byte, six bool) {
		before := string(packet)
		head, err := ParseResponse(packet)
		if err != nil {
			require.ErrorIs(t, err, ErrPacket)
			return
		}
		switch head.Action {
		case ActionConnect:
			if id, err := ParseConnectResponse(packet); err == nil {
				require.Equal(t, before[:16], string(AppendConnectResponse(nil, head.Transaction, id)))
			} else {
				require.ErrorIs(t, err, ErrPacket)
			}
		case ActionAnnounce:
			var res, again tracker.AnnounceResponse
			if err := ParseAnnounceResponse(packet, six, &res); err != nil {
				require.ErrorIs(t, err, ErrPacket)
				break
			}
			for range res.Peers() {
			}
			written := AppendAnnounceResponse(nil, head.Transaction, &res, six)
			require.LessOrEqual(t, len(written), len(packet))
			require.NoError(t, ParseAnnounceResponse(written, six, &again))
			require.Equal(t, res.Interval, again.Interval)
			require.Equal(t, string(res.Peers4)+string(res.Peers6), string(again.Peers4)+string(again.Peers6))
		case ActionScrape:
			stats, err := ParseScrapeResponse(nil, packet)
			require.NoError(t, err)
			require.LessOrEqual(t, len(AppendScrapeResponse(nil, head.Transaction, stats)), len(packet))
		case ActionError:
			require.ErrorIs(t, ParseErrorResponse(packet), tracker.ErrFailure)
		}
		require.Equal(t, before, string(packet))
	})
}
