package admin

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestDisplay(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1023: "1023 B", 1024: "1.0 KiB", 10_188: "9.9 KiB", 10_189: "10 KiB", 1 << 20: "1.0 MiB", 1047552: "1023 KiB", 1048064: "1.0 MiB",
		1 << 40: "1.0 TiB", math.MaxInt64: "8.0 EiB", -2048: "−2.0 KiB", math.MinInt64 + 1: "−8.0 EiB",
	} {
		require.Equal(t, want, size(n))
	}
	require.Equal(t, []string{dash, "1.0 KiB/s", dash}, []string{perSec(0), perSec(1024), perSec(-1)})
	require.Equal(t, []string{dash, "5 B"}, []string{some(0), some(5)})
	require.Equal(t, []string{dash, dash, "0.25 ×", "1.00 ×", "12.0 ×", "250 ×"},
		[]string{times(0, 4), times(4, 0), times(1, 4), times(4, 4), times(48, 4), times(1000, 4)})
	require.Equal(t, []string{"0 peers", "1 peer", "2 peers"}, []string{count(0, "peer"), count(1, "peer"), count(2, "peer")})
	for part, want := range map[float64]int{0: 0, -1: 0, math.Inf(1): 100, .999: 99, .5: 50, 1: 100, 2: 100} {
		require.Equal(t, want, percent(part))
	}
	require.Zero(t, percent(math.NaN()))
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 119 * time.Minute: "119 min", 2 * time.Hour: "2 h", 72 * time.Hour: "3 days"} {
		require.Equal(t, want, lasted(d))
	}
	require.Equal(t, "a␀␊␡\ufffdb\ufffd", visible("a\x00\n\x7f\u202eb\xff"))
}

func TestNiceTop(t *testing.T) {
	for n, want := range map[int64]int64{0: 1, 1: 1, 3: 5, 6: 10, 999: 1000, 1000: 1024, 1024: 1024, 1025: 2048, 3 << 20: 5 << 20, 700 << 20: 1000 << 20, 1001 << 20: 1 << 30} {
		require.Equal(t, want, niceTop(n), "%d", n)
	}
	for n := int64(1); n > 0; n <<= 1 {
		require.GreaterOrEqual(t, niceTop(n-1), min(n-1, 1<<60))
	}
	require.Positive(t, niceTop(math.MaxInt64))
}

func TestLineChart(t *testing.T) {
	c := newLineChart([]int64{0, 0, 0, 5 << 10, 5 << 10, 5 << 10, 10 << 10, 0})
	require.Equal(t, "M0 100.0L2 100.0L3 50.0L5 50.0L6 0.0L7 100.0", c.Line, "points on a line between others are left out")
	require.Equal(t, c.Line+"V100H0Z", c.Area)
	require.Equal(t, []any{7, "10 KiB/s", "10 KiB/s", false}, []any{c.Width, c.Top, c.Peak, c.Nothing})
	c = newLineChart(make([]int64, samples))
	require.True(t, c.Nothing)
	require.Equal(t, "M0 100.0L359 100.0", c.Line)
}

func TestDayChart(t *testing.T) {
	days := []daySum{{day: then}, {day: then.AddDate(0, 0, 1), bittorrent: 125, http: 250}, {day: then.AddDate(0, 0, 2), bittorrent: 500}}
	c := newDayChart(days)
	require.Equal(t, []any{27, "500 B", "2026-07-14", "2026-07-16"}, []any{c.Width, c.Top, c.First, c.Last})
	require.Equal(t, []dayBar{
		{"2026-07-15: 125 B by BitTorrent, 250 B by HTTP", []barPart{{"http", 10, 7, "50.0", "50.0"}, {"bittorrent", 10, 7, "25.0", "25.0"}}},
		{"2026-07-16: 500 B by BitTorrent, 0 B by HTTP", []barPart{{"bittorrent", 20, 7, "0.0", "100.0"}}},
	}, c.Bars)
}

func TestPieceMap(t *testing.T) {
	m := newPieceMap([]uint32{0, 0, 1, 3, 3, 4, 50, 0})
	require.Equal(t, "Availability: 3 pieces with no peer, 1 piece with one peer, 2 pieces with 2 or 3 peers, 1 piece with 4 to 9 peers, 1 piece with 10 or more", m.Label)
	require.Equal(t, "M0 .5h2M7 .5h1", m.Levels[0].Path)
	require.Equal(t, "M3 .5h2", m.Levels[2].Path)

	holders := make([]uint32, 100_003)
	for i := range holders {
		holders[i] = 5
	}
	holders[77_777] = 0
	m = newPieceMap(holders)
	require.Equal(t, mapColumns, m.Width)
	require.Equal(t, "M1555 .5h1", m.Levels[0].Path, "the rarest piece shows, however many there are")
}

func TestPeriod(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{"", "2026-07-01_2026-07-31"},
		{"month=2024-02", "2024-02-01_2024-02-29"},
		{"from=2026-01-30&to=2026-03-02", "2026-01-30_2026-03-02"},
		{"from=2026-01-30&to=2026-01-30", "2026-01-30_2026-01-30"},
		{"month=2024-13", ""}, {"month=x", ""}, {"from=2026-01-30", ""}, {"to=2026-01-30", ""}, {"from=2026-01-30&to=2026-01-29", ""},
		{"from=0001-01-01&to=9999-12-31", ""}, {"from=2026-02-30&to=2026-03-30", ""},
	} {
		query, err := url.ParseQuery(tt.query)
		require.NoError(t, err)
		p, err := parsePeriod(query, then)
		if tt.want == "" {
			require.Error(t, err, tt.query)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.want, p.String())
	}
	p := period{time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	var parts []string
	require.NoError(t, p.months(func(part period) error {
		parts = append(parts, part.String())
		return nil
	}))
	require.Equal(t, []string{"2026-01-30_2026-01-31", "2026-02-01_2026-02-28", "2026-03-01_2026-03-02"}, parts)
	require.Len(t, p.days(), 32)
	require.Equal(t, "2026-06-15_2026-07-14", lastDays(then).String())
	require.ErrorIs(t, p.months(func(period) error { return errDisk }), errDisk)
}

// FuzzVisible: whatever a name holds, what is shown is text on one line.
func FuzzVisible(f *testing.F) {
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, name string) {
		shown := visible(name)
		require.True(t, utf8.ValidString(shown))
		require.False(t, strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' || r == '\u2028' }))
		require.Equal(t, shown, visible(shown))
	})
}

// FuzzRequest: whatever a stranger asks for, the answer is one of those documented, and those who may not look see nothing.
func FuzzRequest(f *testing.F) {
	f.Add("localhost", "/", "sort=rate&order=asc&q=b&page=2", "")
	f.Add("127.0.0.1:8081", "/ledger.csv", "from=2026-01-01&to=2026-12-31", "")
	f.Add("[::1]", "/torrent/"+hash(1).String(), "", "Basic YTpi")
	f.Add("evil.example", "/api/v1/ledger", "month=2026-07", "")
	m := newMemory()
	open, closed := newHandler(f, m, nil), newHandler(f, m, func(c *Config) { c.Auth, c.Token = authOf(f, "anna", "secret"), "token" })
	f.Fuzz(func(t *testing.T, host, path, query, auth string) {
		u, err := url.ParseRequestURI("http://localhost/" + strings.TrimPrefix(path, "/"))
		if err != nil || strings.HasSuffix(path, "/events") {
			return
		}
		u.RawQuery = query
		w := fuzzed(open, u, host, auth)
		require.Contains(t, []int{200, 304, 400, 403, 404}, w.Code)
		w = fuzzed(closed, u, host, auth)
		require.Contains(t, []int{200, 401, 403, 429}, w.Code)
		if w.Code == 200 {
			require.Equal(t, "ok\n", w.Body.String())
		}
	})
}
