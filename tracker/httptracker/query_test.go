package httptracker

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// loadJSON reads a file of testdata.
func loadJSON(t testing.TB, name string, v any) {
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, v))
}

const (
	hash    = "info_hash=%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F%20%21%22%23"
	minimal = hash + "&peer_id=-XX0100-abcdefghijkl&port=6881"
)

func TestAnnounceVectors(t *testing.T) {
	var vectors struct {
		Announce []struct {
			Query string `json:"query_in_order"`
		}
	}
	loadJSON(t, "http_tracker.json", &vectors)
	q, err := ParseAnnounceQuery(vectors.Announce[0].Query)
	require.NoError(t, err)
	want := AnnounceQuery{}
	for i := range want.InfoHash {
		want.InfoHash[i] = byte(0x10 + i)
	}
	want.PeerID = [20]byte([]byte("-XX0100-abcdefghijkl"))
	want.Addr = netip.AddrPortFrom(netip.Addr{}, 6881)
	want.Key, want.Event, want.NumWant = 0x0BADCAFE, tracker.EventStarted, 50
	require.Equal(t, want, q)
}

func TestPercentEncodingVectors(t *testing.T) {
	var vectors struct {
		Rows []struct{ Hex, Encoded string } `json:"percent_encoding"`
	}
	loadJSON(t, "http_tracker.json", &vectors)
	require.NotEmpty(t, vectors.Rows)
	lower := regexp.MustCompile("%..").ReplaceAllStringFunc
	for _, row := range vectors.Rows {
		want, err := hex.DecodeString(row.Hex)
		require.NoError(t, err)
		for _, encoded := range []string{row.Encoded, lower(row.Encoded, strings.ToLower)} {
			id, ok := unescape20(encoded)
			require.Equal(t, len(want) == 20, ok, encoded)
			if ok {
				require.Equal(t, want, id[:])
			}
			var got []byte
			for s := encoded; s != ""; {
				b, width := unescape(s)
				require.NotZero(t, width)
				got, s = append(got, b), s[width:]
			}
			require.Equal(t, want, got)
		}
	}
}

// capture is a request of a real client.
type capture struct {
	client, path string
}

// captures returns the announces and scrapes captured from real clients.
func captures(t testing.TB) []capture {
	var file map[string]json.RawMessage
	loadJSON(t, "live_clients.json", &file)
	var all []capture
	for _, name := range []string{"libtorrent_2.0.8", "aria2", "transmission"} {
		var c struct {
			Tracker struct{ HTTP []struct{ Path string } } `json:"tracker_http"`
		}
		require.NoError(t, json.Unmarshal(file[name], &c))
		require.NotEmpty(t, c.Tracker.HTTP, name)
		for _, r := range c.Tracker.HTTP {
			all = append(all, capture{name, r.Path})
		}
	}
	return all
}

func TestLiveClients(t *testing.T) {
	infohash := "8bdaa28b4bc24472d01660f809f3878659104c75"
	want := []AnnounceQuery{
		{AnnounceRequest: tracker.AnnounceRequest{Key: 0x34B1402D, Event: tracker.EventStarted, NumWant: 200}},
		{AnnounceRequest: tracker.AnnounceRequest{Key: 0x34B1402D, Event: tracker.EventStopped, NumWant: 0}},
		{AnnounceRequest: tracker.AnnounceRequest{Key: parseKey("%A1%84%D6%DBe%E6%97%98"), Event: tracker.EventStarted, NumWant: 50}},
		{AnnounceRequest: tracker.AnnounceRequest{Key: 0xd20b9f0, Event: tracker.EventStarted, NumWant: 80}},
	}
	ids := []string{"-LT2080-LH22jcBB!EL*", "-LT2080-LH22jcBB!EL*", "A2-1-36-0-nS\xa1\x84\xd6\xdbe\xe6\x97\x98", "-TR3000-3k8t06fhz281"}
	ports := []uint16{38955, 38955, 52951, 47583}
	n := 0
	for _, c := range captures(t) {
		path, raw, _ := strings.Cut(c.path, "?")
		if path == tracker.ScrapePath {
			hashes, err := parseScrapeQuery(nil, raw, 1)
			require.NoError(t, err)
			require.Equal(t, infohash, hex.EncodeToString(hashes[0][:]))
			continue
		}
		q, err := ParseAnnounceQuery(raw)
		require.NoError(t, err, c.client)
		want[n].InfoHash = [20]byte(q.InfoHash)
		require.Equal(t, infohash, hex.EncodeToString(q.InfoHash[:]))
		want[n].PeerID = [20]byte([]byte(ids[n]))
		want[n].Addr = netip.AddrPortFrom(netip.Addr{}, ports[n])
		require.Equal(t, want[n], q, c.client)
		n++
	}
	require.Equal(t, len(want), n)
	require.NotZero(t, want[2].Key)
}

func TestParseAnnounceQuery(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		check       func(AnnounceQuery) any
		want        any
	}{
		{"left is missing", "", left, int64(-1)},
		{"left is empty", "left=", left, int64(-1)},
		{"left is 0", "left=0", left, int64(0)},
		{"left is 2^63-1", "left=9223372036854775807", left, int64(math.MaxInt64)},
		{"left is 2^63", "left=9223372036854775808", left, int64(math.MaxInt64)},
		{"left is 2^64-1", "left=18446744073709551615", left, int64(math.MaxInt64)},
		{"left is negative", "left=-5", left, int64(-1)},
		{"left is -2^63 and less", "left=-99999999999999999999", left, int64(-1)},
		{"left is no number", "left=NaN", left, int64(-1)},
		{"left is a minus", "left=-", left, int64(-1)},
		{"left with a plus", "left=+5", left, int64(-1)},
		{"numwant is missing", "", want, -1},
		{"numwant is empty", "numwant=", want, -1},
		{"numwant is 0", "numwant=0", want, 0},
		{"numwant is negative", "numwant=-1", want, -1},
		{"numwant is very negative", "numwant=-2147483649", want, -1},
		{"numwant is huge", "numwant=99999999999999999999", want, math.MaxInt32},
		{"numwant is no number", "numwant=all", want, -1},
		{"event is empty", "event=", event, tracker.EventNone},
		{"event is unknown", "event=update", event, tracker.EventNone},
		{"event is paused", "event=paused", event, tracker.EventPaused},
		{"compact is missing", "", dicts, false},
		{"compact=1", "compact=1", dicts, false},
		{"compact=0", "compact=0", dicts, true},
		{"compact is empty", "compact=", dicts, false},
		{"uploaded is negative", "uploaded=-1&downloaded=-1", totals, [2]int64{}},
		{"totals", "uploaded=5&downloaded=7", totals, [2]int64{5, 7}},
		{"totals are no numbers", "uploaded=x&downloaded=", totals, [2]int64{}},
		{"key is missing", "", key, uint32(0)},
		{"key is empty", "key=", key, uint32(0)},
		{"key is hex", "key=0bAdCaFe", key, uint32(0xbadcafe)},
		{"key is short hex", "key=f", key, uint32(15)},
		{"ip", "ip=192.0.2.1", ip, netip.MustParseAddr("192.0.2.1")},
		{"ip of IPv6", "ip=2001:db8::1", ip, netip.MustParseAddr("2001:db8::1")},
		{"ip of escaped IPv6", "ip=2001%3adb8%3A%3a1", ip, netip.MustParseAddr("2001:db8::1")},
		{"ip is mapped", "ip=::ffff:192.0.2.1", ip, netip.MustParseAddr("192.0.2.1")},
		{"ip has a zone", "ip=fe80::1%25eth0", ip, netip.MustParseAddr("fe80::1")},
		{"ip is a name", "ip=tracker.example", ip, netip.Addr{}},
		{"ip is a broken escape", "ip=%zz", ip, netip.Addr{}},
		{"ip is long", "ip=%30" + strings.Repeat("0", 100), ip, netip.Addr{}},
		{"the later counts", "left=1&left=2", left, int64(2)},
		{"no value, no key, nothing", "left&=&&=5&left=3", left, int64(3)},
		{"a value with =", "left=3&x==&y=a=b", left, int64(3)},
		{"a semicolon is no separator", "x=1;left=3", left, int64(-1)},
		{"a broken escape elsewhere", "x=%&left=3&y=%zz", left, int64(3)},
		{"ipv4= is not ip=", "ipv4=192.0.2.1&ipv6=2001:db8::1", ip, netip.Addr{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, query := range []string{minimal + "&" + tt.query, tt.query + "&" + minimal} {
				q, err := ParseAnnounceQuery(query)
				require.NoError(t, err)
				require.Equal(t, tt.want, tt.check(q), query)
				require.EqualValues(t, 6881, q.Addr.Port())
			}
		})
	}
}

func left(q AnnounceQuery) any   { return q.Left }
func want(q AnnounceQuery) any   { return q.NumWant }
func event(q AnnounceQuery) any  { return q.Event }
func dicts(q AnnounceQuery) any  { return q.Dicts }
func totals(q AnnounceQuery) any { return [2]int64{q.Uploaded, q.Downloaded} }
func key(q AnnounceQuery) any    { return q.Key }
func ip(q AnnounceQuery) any     { return q.IP }

// A key that is not a short hex number still tells clients apart.
func TestOddKeys(t *testing.T) {
	seen := map[uint32]string{0: "none"}
	for _, k := range []string{"%A1%84", "%A1%85", "xyz", "123456789", "%31", "%", "%zz"} {
		require.NotContains(t, seen, parseKey(k), k)
		seen[parseKey(k)] = k
	}
	require.Equal(t, parseKey("%a1x"), parseKey("%A1%78"), "the same bytes")
}

func TestRefusedQueries(t *testing.T) {
	rest := "&peer_id=-XX0100-abcdefghijkl&port=6881"
	for _, tt := range []struct {
		name, query string
		want        error
	}{
		{"nothing", "", errInfoHash},
		{"info_hash of 19 bytes", "info_hash=0123456789012345678" + rest, errInfoHash},
		{"info_hash of 21 bytes", "info_hash=012345678901234567890" + rest, errInfoHash},
		{"info_hash in hex", "info_hash=" + strings.Repeat("ab", 20) + rest, errInfoHash},
		{"info_hash is empty", "info_hash=" + rest, errInfoHash},
		{"info_hash ends in an escape", "info_hash=0123456789012345678%2" + rest, errInfoHash},
		{"info_hash with a broken escape", "info_hash=0123456789012345678%g0" + rest, errInfoHash},
		{"peer_id is missing", hash + "&port=6881", errPeerID},
		{"peer_id is short", hash + "&peer_id=-XX&port=6881", errPeerID},
		{"port is missing", hash + "&peer_id=-XX0100-abcdefghijkl", errPort},
		{"port is 0", strings.Replace(minimal, "6881", "0", 1), errPort},
		{"port is too large", strings.Replace(minimal, "6881", "65536", 1), errPort},
		{"port is negative", strings.Replace(minimal, "6881", "-6881", 1), errPort},
		{"port is no number", strings.Replace(minimal, "6881", "a", 1), errPort},
		{"too long", minimal + "&x=" + strings.Repeat("x", maxQuery), errLongQuery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseAnnounceQuery(tt.query)
			require.Equal(t, tt.want, err)
		})
	}
}

// What clients escape differs: everything, next to nothing, and spaces as in forms.
func TestEscapingStyles(t *testing.T) {
	raw := "\x00 +&%=;/~\xff!*'()-._"
	raw += "AB"
	require.Len(t, raw, 20)
	every := ""
	for i := range len(raw) {
		every += "%" + hex.EncodeToString([]byte{raw[i]})
	}
	for _, s := range []string{every, strings.ToUpper(every), url.QueryEscape(raw), "%00+%2B%26%25=;/~\xff!*'()-._AB"} {
		got, ok := unescape20(s)
		require.True(t, ok, s)
		require.Equal(t, raw, string(got[:]), s)
	}
}

func TestParseScrapeQuery(t *testing.T) {
	other := "info_hash=zzzzzzzzzzzzzzzzzzzz"
	hashes, err := parseScrapeQuery(nil, "pk=1&"+hash+"&x=2&"+other+"&"+hash, 3)
	require.NoError(t, err)
	require.Len(t, hashes, 3)
	require.Equal(t, hashes[0], hashes[2])
	for _, tt := range []struct {
		query string
		want  error
	}{
		{"", errFullScrape},
		{"x=1", errFullScrape},
		{"info_hash=", errInfoHash},
		{hash + "&info_hash=abc", errInfoHash},
		{hash + "&" + other + "&" + other + "&" + other, errLongScrape},
		{strings.Repeat("x", maxQuery+1), errLongQuery},
	} {
		_, err := parseScrapeQuery(nil, tt.query, 3)
		require.Equal(t, tt.want, err, tt.query)
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	raw := minimal + "&uploaded=0&downloaded=0&left=16384&corrupt=0&key=34B1402D&event=started&numwant=200&compact=1&ip=192.0.2.1"
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseAnnounceQuery(raw) }))
	bad := strings.Replace(raw, "6881", "0", 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseAnnounceQuery(bad) }))
}

func FuzzParseAnnounceQuery(f *testing.F) {
	for _, c := range captures(f) {
		_, raw, _ := strings.Cut(c.path, "?")
		f.Add(raw)
	}
	f.Add(minimal + "&left=&ip=2001%3Adb8::1&key=%00&compact=0")
	f.Add("info_hash=%&peer_id=%4&port=99999999999999999999")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := ParseAnnounceQuery(raw)
		if err != nil {
			require.ErrorIs(t, err, tracker.ErrFailure)
			return
		}
		require.NotZero(t, q.Addr.Port())
		require.GreaterOrEqual(t, q.Left, int64(-1))
		require.GreaterOrEqual(t, q.NumWant, -1)
		require.GreaterOrEqual(t, min(q.Uploaded, q.Downloaded), int64(0))
		again, err := ParseAnnounceQuery(encode(q))
		require.NoError(t, err)
		require.Equal(t, q, again)

		// Where package url understands the query, both read the same bytes.
		if values, err := url.ParseQuery(raw); err == nil && len(values["info_hash"]) == 1 {
			require.Equal(t, values.Get("info_hash"), string(q.InfoHash[:]))
		}
	})
}

// encode writes q as a query that says the same.
func encode(q AnnounceQuery) string {
	v := url.Values{}
	set := func(key string, n int64) { v.Set(key, strconv.FormatInt(n, 10)) }
	v.Set("info_hash", string(q.InfoHash[:]))
	v.Set("peer_id", string(q.PeerID[:]))
	v.Set("event", q.Event.String())
	v.Set("key", hex.EncodeToString([]byte{byte(q.Key >> 24), byte(q.Key >> 16), byte(q.Key >> 8), byte(q.Key)}))
	set("port", int64(q.Addr.Port()))
	set("uploaded", q.Uploaded)
	set("downloaded", q.Downloaded)
	set("left", q.Left)
	set("numwant", int64(q.NumWant))
	if q.Dicts {
		v.Set("compact", "0")
	}
	if q.IP.IsValid() {
		v.Set("ip", q.IP.String())
	}
	return v.Encode()
}

func FuzzParseScrapeQuery(f *testing.F) {
	f.Add(hash)
	f.Add("x&" + hash + "&info_hash=%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		hashes, err := parseScrapeQuery(nil, raw, 10)
		if err != nil {
			require.ErrorIs(t, err, tracker.ErrFailure)
			return
		}
		require.NotEmpty(t, hashes)
		require.LessOrEqual(t, len(hashes), 10)
		v := url.Values{}
		for _, h := range hashes {
			v.Add("info_hash", string(h[:]))
		}
		again, err := parseScrapeQuery(nil, v.Encode(), 10)
		require.NoError(t, err)
		require.Equal(t, hashes, again)
	})
}
