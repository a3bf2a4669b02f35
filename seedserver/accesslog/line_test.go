package accesslog

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

// at sets the machine's time zone for a test and returns a moment in it.
func at(t testing.TB) time.Time {
	before := time.Local
	time.Local = time.FixedZone("", 3600)
	t.Cleanup(func() { time.Local = before })
	return time.Date(2026, 3, 1, 12, 0, 7, 5e8, time.Local)
}

func TestRequestLine(t *testing.T) {
	moment := at(t)
	for _, tt := range []struct {
		name string
		r    Request
		want string
	}{
		{"of a browser", Request{
			Client: netip.MustParseAddr("198.51.100.7"), Method: "GET", Target: "/dir/a%20b.iso?torrent", Proto: "HTTP/1.1", Status: 200,
			Bytes: 1234, Referer: "http://files.example/", UserAgent: "Mozilla/5.0 (X11; Linux)",
		}, `198.51.100.7 - - [01/Mar/2026:12:00:07 +0100] "GET /dir/a%20b.iso?torrent HTTP/1.1" 200 1234 "http://files.example/" "Mozilla/5.0 (X11; Linux)"`},
		{"of a client that says little", Request{
			Client: netip.MustParseAddr("2001:db8::1"), Method: "GET", Target: "/announce?info_hash=%01", Proto: "HTTP/1.0", Status: 200,
		}, `2001:db8::1 - - [01/Mar/2026:12:00:07 +0100] "GET /announce?info_hash=%01 HTTP/1.0" 200 0 "-" "-"`},
		{"hostile", Request{
			Client: netip.IPv4Unspecified(), Method: "G\nT", Target: "/\" 200 1 \"", Proto: "HTTP/1.1", Status: 400,
			Referer: "a\r\n1.2.3.4 - - [", UserAgent: "\\\" \x00\x1b[2J\u202eü",
		}, `0.0.0.0 - - [01/Mar/2026:12:00:07 +0100] "G\x0AT /\x22 200 1 \x22 HTTP/1.1" 400 0 "a\x0D\x0A1.2.3.4 - - [" ` +
			`"\x5C\x22 \x00\x1B[2J\xE2\x80\xAE\xC3\xBC"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.Time = moment.UTC()
			require.Equal(t, "before"+tt.want+"\n", string(tt.r.AppendTo([]byte("before"))))
		})
	}
}

func TestTransferLine(t *testing.T) {
	moment := at(t)
	line := Transfer{
		End: moment, Peer: netip.MustParseAddr("198.51.100.0"), InfoHash: [20]byte{0xc1, 19: 0x0a}, Bytes: 1 << 20,
		Duration: 12500 * time.Millisecond, Client: "qBittorrent 5.0", Path: "Füße/\"a\"\n\u202eb.iso\xff",
	}
	require.Equal(t, `2026-03-01T11:00:07Z 198.51.100.0 c10000000000000000000000000000000000000a 1048576 12.500 `+
		`"qBittorrent 5.0" "Füße/\"a\"\n\u202eb.iso\xff"`+"\n", string(line.AppendTo(nil)))
}

func TestLongFieldsAreCut(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	r := Request{Client: netip.IPv4Unspecified(), Method: long, Target: long, Proto: long, Referer: long, UserAgent: long}
	require.Less(t, len(r.AppendTo(nil)), 6*maxField)
	tr := Transfer{Client: long, Path: long}
	require.Less(t, len(tr.AppendTo(nil)), 3*maxField)
}

var combined = regexp.MustCompile(`^(\S+) - - \[([^]"]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"\n$`)

// FuzzRequestLine: whatever a stranger sends, it is one line with the fields it should have, and nothing that a terminal obeys.
func FuzzRequestLine(f *testing.F) {
	f.Add("GET", "/", "HTTP/1.1", "", "curl/8")
	f.Add("\n", "\" 200 7 \"", "\\", "\r\x00", "\x1b\u202e\xff")
	f.Fuzz(func(t *testing.T, method, target, proto, referer, agent string) {
		r := Request{
			Time: time.Unix(1772366407, 0), Client: netip.IPv4Unspecified(), Method: method, Target: target, Proto: proto, Status: 200, Bytes: 7,
			Referer: referer, UserAgent: agent,
		}
		line := string(r.AppendTo(nil))
		m := combined.FindStringSubmatch(line)
		require.NotNil(t, m, "%q", line)
		require.Equal(t, "200", m[4])
		require.Equal(t, "7", m[5])
		for i := range len(line) - 1 {
			require.True(t, line[i] >= ' ' && line[i] < 0x7f, "%q", line)
		}
		if len(agent) <= maxField && agent != "" && agent != "-" {
			back, err := strconv.Unquote(`"` + m[7] + `"`)
			require.NoError(t, err)
			require.Equal(t, agent, back)
		}
	})
}

// FuzzTransferLine: the name of a client or a file cannot begin a line or end a field.
func FuzzTransferLine(f *testing.F) {
	f.Add("qBittorrent 5.0", "dir/file.iso")
	f.Add("\" \"\n", "\xff\u202e\\")
	f.Fuzz(func(t *testing.T, client, path string) {
		line := (&Transfer{Client: client, Path: path, Peer: netip.IPv4Unspecified()}).AppendTo(nil)
		text := string(line[:len(line)-1])
		for _, r := range text {
			require.True(t, unicode.IsPrint(r) || r == ' ', "%q", text)
		}
		fields := strings.SplitN(text, " ", 6)
		first, err := strconv.QuotedPrefix(fields[5])
		require.NoError(t, err)
		gotClient, err := strconv.Unquote(first)
		require.NoError(t, err)
		gotPath, err := strconv.Unquote(fields[5][len(first)+1:])
		require.NoError(t, err)
		require.Equal(t, cut(client), gotClient)
		require.Equal(t, cut(path), gotPath)
	})
}

func BenchmarkRequestLine(b *testing.B) {
	b.ReportAllocs()
	r := Request{Time: time.Now(), Client: netip.MustParseAddr("198.51.100.7"), Method: "GET", Target: "/announce?info_hash=%01",
		Proto: "HTTP/1.1", Status: 200, Bytes: 300, UserAgent: "qBittorrent/5.0"}
	var line []byte
	for b.Loop() {
		line = r.AppendTo(line[:0])
	}
}
