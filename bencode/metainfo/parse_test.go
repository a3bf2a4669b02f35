package metainfo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// oneByte is the info dict of a torrent of one byte.
const oneByte = "d6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae"

// str returns s bencoded.
func str(s string) string { return strconv.Itoa(len(s)) + ":" + s }

// around returns a torrent of oneByte with other top-level entries, bencoded.
func around(t *testing.T, entries string) *metainfo.Torrent {
	t.Helper()
	torrent, err := metainfo.Parse([]byte("d" + entries + "4:info" + oneByte + "e"))
	require.NoError(t, err)
	return torrent
}

// BEP 12: "if the "announce-list" key is present, the client will ignore the
// "announce" key and only use the URLs in "announce-list"."
func TestTrackers(t *testing.T) {
	const a, b, c = "http://a.example/announce", "udp://b.example:80", "wss://c.example/"
	tests := []struct {
		name, entries string
		want          [][]string
	}{
		{"none", "", nil},
		{"announce", "8:announce" + str(a), [][]string{{a}}},
		{"announce-list wins", "8:announce" + str(a) + "13:announce-listll" + str(b) + str(c) + "ee", [][]string{{b, c}}},
		{"tiers", "8:announce" + str(a) + "13:announce-listll" + str(b) + str(c) + "el" + str(a) + "ee", [][]string{{b, c}, {a}}},
		{"list of strings", "13:announce-listl" + str(a) + str(b) + "e", [][]string{{a}, {b}}},
		{"empty tiers", "8:announce" + str(a) + "13:announce-listllel" + str("") + "ee", [][]string{{a}}},
		{"nothing but empty tiers", "8:announce" + str(a) + "13:announce-list" + "llelelee", [][]string{{a}}},
		{"mixed rubbish", "8:announcei1e13:announce-listl" + "i1el" + str(a) + "i2eed1:ai1eee", [][]string{{a}}},
		{"spaces", "8:announce" + str(" "+a+"\r\n"), [][]string{{a}}},
		{"no scheme", "8:announce" + str("tracker.example/announce"), nil},
		{"unknown scheme", "8:announce" + str("file:///etc/passwd"), nil},
		{"no host", "8:announce" + str("http:///announce"), nil},
		{"twice in a tier", "13:announce-listll" + str(a) + str(a) + "ee", [][]string{{a}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, around(t, tt.entries).Trackers())
		})
	}
}

func TestTrackersAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "l%se", str("http://t"+strconv.Itoa(i)+".example/"))
	}
	require.Len(t, around(t, "13:announce-listl"+b.String()+"e").Trackers(), 1000)
}

// BEP 19: "This key will refer to a one or more URLs".
func TestWebSeeds(t *testing.T) {
	const a, b = "http://a.example/f", "ftp://b.example/"
	require.Equal(t, []string{a}, around(t, "8:url-list"+str(a)).WebSeeds)
	require.Equal(t, []string{a, b}, around(t, "8:url-listl"+str(a)+str("")+"i1e"+str(b)+str(a)+"e").WebSeeds)
	require.Nil(t, around(t, "8:url-list"+str("")).WebSeeds)
	require.Nil(t, around(t, "8:url-listd1:a"+str(a)+"e").WebSeeds)
	// "A client should ignore any protocols it does not know from the url-list."
	require.Equal(t, []string{a}, around(t, "8:url-listl"+str("gopher://b.example/")+str(a)+"e").WebSeeds)
}

func TestNodes(t *testing.T) {
	const good = "l9:127.0.0.1i6881ee" + "l11:2001:db8::1i1941ee"
	bad := []string{"le", "l1:ae", "l1:ai0ee", "l1:ai65536ee", "l1:ai-1ee", "l0:i1ee", "li1ei1ee", "l3:a bi1ee", "1:a", "d1:ai1ee"}
	got := around(t, "5:nodesl"+strings.Join(bad, "")+good+"e").Nodes
	require.Equal(t, []metainfo.Node{{Host: "127.0.0.1", Port: 6881}, {Host: "2001:db8::1", Port: 1941}}, got)
}

func TestInformalFields(t *testing.T) {
	torrent := around(t, "7:comment2:\xe9!13:comment.utf-83:\u00e9!10:created by3:a\xffb13:creation datei1700000000e")
	require.Equal(t, "é!", torrent.Comment)
	require.Equal(t, "a\ufffdb", torrent.CreatedBy)
	require.Equal(t, time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC), torrent.CreationDate)
	for _, date := range []string{"i0e", "i-5e", "i253402300800e", "i99999999999999999999e", "10:2023-11-14"} {
		require.True(t, around(t, "13:creation date"+date).CreationDate.IsZero(), date)
	}
}

// TestParseInfo: each row changes one field of a good info dict.
func TestParseInfo(t *testing.T) {
	base := map[string]string{"length": "i1e", "name": "1:x", "piece length": "i16384e", "pieces": str(strings.Repeat("a", 20))}
	file := func(path string) string { return "ld6:lengthi1e4:path" + path + "ee" }
	tests := []struct {
		name, key, value string
		field            string // of the error; "" for none
	}{
		{"as it is", "", "", ""},
		{"unknown key", "zzz", "i1e", ""},
		{"name missing", "name", "", "name"},
		{"name is a number", "name", "i1e", "name"},
		{"name is a dot", "name", "1:.", "name"},
		{"length is a string", "length", "1:1", "length"},
		{"length out of 64 bits", "length", "i18446744073709551617e", "length"},
		{"length of 2^48", "length", "i281474976710656e", "length"},
		{"piece length negative", "piece length", "i-1e", "piece length"},
		{"piece length too large", "piece length", "i536870913e", "piece length"},
		{"piece length largest", "piece length", "i536870912e", ""},
		{"too many pieces", "length", "i281474976710655e", "piece length"},
		{"pieces missing", "pieces", "", "pieces"},
		{"pieces is a list", "pieces", "le", "pieces"},
		{"files beside length", "files", file("l1:ae"), "length"},
		{"private", "private", "i1e", ""},
		{"meta version of v1", "meta version", "i1e", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, err := metainfo.ParseInfo(dictWith(base, tt.key, tt.value))
			if tt.field == "" {
				require.NoError(t, err)
				require.Equal(t, tt.key == "private", info.Private)
				require.Equal(t, []metainfo.File{{Path: []string{"x"}, Length: 1}}, info.Files)
				return
			}
			var fieldError *metainfo.FieldError
			require.ErrorAs(t, err, &fieldError)
			require.ErrorIs(t, err, metainfo.ErrInvalid)
			require.Equal(t, tt.field, fieldError.Field)
		})
	}
}

// TestParseInfoFiles: each row is the files of a torrent of one byte.
func TestParseInfoFiles(t *testing.T) {
	tests := []struct {
		name, files string
		want        []metainfo.File // nil for an error
	}{
		{"not a list", "d1:ai1ee", nil},
		{"empty", "le", nil},
		{"no dictionary", "l1:ae", nil},
		{"no length", "ld4:pathl1:aeee", nil},
		{"no path", "ld6:lengthi1eee", nil},
		{"path is a string", "ld6:lengthi1e4:path1:aee", nil},
		{"element is a number", "ld6:lengthi1e4:pathli1eeee", nil},
		{"only dots", "ld6:lengthi1e4:pathl1:.1:.eee", nil},
		{"too deep", "ld6:lengthi1e4:pathl" + strings.Repeat("1:a", 101) + "eee", nil},
		{"sum out of 64 bits", "l" + strings.Repeat("d6:lengthi9223372036854775807e4:pathl1:aee", 2) + "e", nil},
		{"sum over the limit", "l" + strings.Repeat("d6:lengthi281474976710655e4:pathl1:aee", 2) + "e", nil},
		{"dots left out", "ld6:lengthi1e4:pathl1:.1:a0:1:beee", []metainfo.File{{Path: []string{"a", "b"}, Length: 1}}},
		{"path.utf-8", "ld6:lengthi1e4:pathl1:\xe9e10:path.utf-8l2:éeee", []metainfo.File{{Path: []string{"é"}, Length: 1}}},
		{"attributes", "ld4:attr3:xh?6:lengthi1e4:pathl1:aeee", []metainfo.File{{Path: []string{"a"}, Length: 1, Executable: true, Hidden: true}}},
		// BEP 47: "The length of a symlink is always zero".
		{"symbolic link", "ld4:attr1:l4:pathl1:aeed6:lengthi1e4:pathl1:beee", []metainfo.File{
			{Path: []string{"a"}, Symlink: true}, {Path: []string{"b"}, Length: 1}}},
		{"empty file", "ld6:lengthi1e4:pathl1:aeed6:lengthi0e4:pathl1:beee", []metainfo.File{
			{Path: []string{"a"}, Length: 1}, {Path: []string{"b"}, Offset: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := "d5:files" + tt.files + "4:name1:d12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae"
			info, err := metainfo.ParseInfo([]byte(raw))
			if tt.want == nil {
				require.ErrorIs(t, err, metainfo.ErrInvalid)
				return
			}
			require.NoError(t, err)
			require.True(t, info.Multi)
			require.Equal(t, tt.want, info.Files)
		})
	}
}

// dictWith returns a bencoded dictionary: base with one value set, or with ""
// left out.
func dictWith(base map[string]string, key, value string) []byte {
	b := []byte("d")
	for _, k := range []string{"files", "length", "meta version", "name", "piece length", "pieces", "private", "zzz"} {
		v := base[k]
		if k == key {
			v = value
		}
		if v != "" {
			b = append(b, str(k)+v...)
		}
	}
	return append(b, 'e')
}

func TestParseInfoTrailing(t *testing.T) {
	_, err := metainfo.ParseInfo([]byte(oneByte + "\n"))
	require.ErrorIs(t, err, metainfo.ErrInvalid, "it would be hashed")
	_, err = metainfo.Parse([]byte("d4:info" + oneByte + "e\n"))
	require.NoError(t, err)
	_, err = metainfo.ParseInfo([]byte("le"))
	require.ErrorIs(t, err, metainfo.ErrInvalid)
	_, err = metainfo.Parse([]byte("le"))
	require.ErrorIs(t, err, metainfo.ErrInvalid)
}

// TestParseKeepsNothing: the caller may use its buffer again.
func TestParseKeepsNothing(t *testing.T) {
	raw := readVector(t, "torrents/v1_multi.torrent")
	torrent, err := metainfo.Parse(raw)
	require.NoError(t, err)
	clear(raw)
	again, err := metainfo.ParseInfo(torrent.InfoBytes)
	require.NoError(t, err)
	require.Equal(t, again, torrent.Info)
	require.NotContains(t, string(torrent.Info.Pieces), "\x00\x00\x00\x00\x00\x00\x00\x00")
}

func TestPieceSizeOutOfRange(t *testing.T) {
	info := around(t, "").Info
	require.Equal(t, int64(1), info.PieceSize(0))
	require.Zero(t, info.PieceSize(1))
	require.Zero(t, info.PieceSize(-1))
	require.Zero(t, (&metainfo.Info{}).Length())
}

// BEP 3: "Keys must be strings and appear in sorted order".
func TestEncode(t *testing.T) {
	torrent := around(t, "")
	torrent.Announce = "http://a.example/announce"
	torrent.AnnounceList = [][]string{{"http://a.example/announce"}, {}, {"udp://b.example:1"}}
	torrent.Comment, torrent.CreatedBy = "c", "b"
	torrent.CreationDate = time.Unix(1700000000, 0).UTC()
	torrent.Nodes = []metainfo.Node{{Host: "::1", Port: 1}}
	torrent.WebSeeds = []string{"http://w.example/"}
	want := "d8:announce25:http://a.example/announce13:announce-listll25:http://a.example/announceel17:udp://b.example:1ee" +
		"7:comment1:c10:created by1:b13:creation datei1700000000e4:info" + oneByte +
		"5:nodesll3:::1i1eee8:url-list17:http://w.example/e"
	require.Equal(t, want, string(torrent.Encode()))
	torrent.WebSeeds = append(torrent.WebSeeds, "http://v.example/")
	_, err := bencode.Decode(torrent.Encode())
	require.NoError(t, err)
	again, err := metainfo.Parse(torrent.Encode())
	require.NoError(t, err)
	torrent.AnnounceList = [][]string{{"http://a.example/announce"}, {"udp://b.example:1"}}
	require.Equal(t, torrent, again)

	bare := metainfo.Torrent{InfoBytes: []byte(oneByte), AnnounceList: [][]string{{}}}
	require.Equal(t, "d4:info"+oneByte+"e", string(bare.Encode()))
	require.Nil(t, (&metainfo.Torrent{}).Encode())
}

func TestInfoHash(t *testing.T) {
	const digits = "ba618eab9a2c3c8e1b2f00c0f0e1d2c3b4a59687"
	for _, s := range []string{digits, strings.ToUpper(digits), "XJQY5K42FQ6I4GZPADAPBYOSYO2KLFUH", "xjqy5k42fq6i4gzpadapbyosyo2klfuh"} {
		h, err := metainfo.ParseInfoHash(s)
		require.NoError(t, err)
		require.Equal(t, digits, h.String())
		require.Equal(t, digits, slog.AnyValue(h).Resolve().String())
	}
	for _, s := range []string{"", digits[1:], digits + "0", "g" + digits[1:], "1JQY5K42FQ6I4GZPADAPBYOSYO2KLFUH", strings.Repeat("\n", 32), "XJQY5K42FQ6I4GZPADAPBYOSYO2KLFU="} {
		_, err := metainfo.ParseInfoHash(s)
		require.ErrorIs(t, err, metainfo.ErrInvalid, "%q", s)
	}
	h, err := metainfo.ParseInfoHash(digits)
	require.NoError(t, err)
	text, err := json.Marshal(map[metainfo.InfoHash]metainfo.InfoHash{h: h})
	require.NoError(t, err)
	var back map[metainfo.InfoHash]metainfo.InfoHash
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, map[metainfo.InfoHash]metainfo.InfoHash{h: h}, back)
	require.Error(t, h.UnmarshalText([]byte("x")))
	require.Equal(t, digits, h.String(), "an error leaves it alone")
}

// TestErrorTexts: what a user reads.
func TestErrorTexts(t *testing.T) {
	for err, want := range map[error]string{
		&metainfo.FieldError{Field: "name", Reason: "missing"}:  "metainfo: name: missing",
		&metainfo.UnsupportedError{MetaVersion: 2}:              "metainfo: this is a v2-only torrent (BEP 52); only v1 and hybrid torrents are supported",
		&metainfo.UnsupportedError{MetaVersion: 3}:              "metainfo: this torrent has meta version 3; only versions 1 and 2 are known",
		&metainfo.SizeError{Path: "d/a", Want: 5}:               "metainfo: d/a is shorter than 5 bytes",
		&metainfo.SizeError{Path: "d/a", Want: 5, Longer: true}: "metainfo: d/a is longer than 5 bytes",
	} {
		require.EqualError(t, err, want)
	}
}

// BenchmarkParse reads a torrent of 20,000 files and 20,000 pieces.
func BenchmarkParse(b *testing.B) {
	var raw bytes.Buffer
	raw.WriteString("d8:announce25:http://a.example/announce4:infod5:filesl")
	for i := range 20_000 {
		fmt.Fprintf(&raw, "d6:lengthi16384e4:pathl3:dir%see", str("file number "+strconv.Itoa(i)+".txt"))
	}
	fmt.Fprintf(&raw, "e4:name1:d12:piece lengthi16384e6:pieces%see", str(strings.Repeat("a", 20*20_000)))
	b.SetBytes(int64(raw.Len()))
	b.ReportAllocs()
	for b.Loop() {
		_, err := metainfo.Parse(raw.Bytes())
		require.NoError(b, err)
	}
}
