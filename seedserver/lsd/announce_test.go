package lsd

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type vectors struct {
	Datagrams []struct{ Name, ASCII string }
	Limits    struct {
		MaxBytes int `json:"max_bytes"`
	}
}

func loadVectors(t require.TestingT) (v vectors) {
	raw, err := os.ReadFile("testdata/lsd.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &v))
	require.NotEmpty(t, v.Datagrams)
	return v
}

var (
	hash10 = [20]byte{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23}
	hashAA = [20]byte(bytes.Repeat([]byte{0xaa}, 20))
)

func TestVectors(t *testing.T) {
	v := loadVectors(t)
	want := map[string]Announce{
		"one hash":                  {"239.192.152.143:6771", 6881, [][20]byte{hash10}, "name=value"},
		"two hashes, v6":            {"[ff15::efc0:988f]:6771", 6881, [][20]byte{hash10, hashAA}, "abc"},
		"upper-case hex, no cookie": {"239.192.152.143:6771", 6881, [][20]byte{hash10}, ""},
	}
	for _, d := range v.Datagrams {
		t.Run(d.Name, func(t *testing.T) {
			got, err := Parse([]byte(d.ASCII))
			require.NoError(t, err)
			require.Equal(t, want[d.Name], got)
			require.Equal(t, strings.ToLower(d.ASCII), strings.ToLower(string(got.AppendTo(nil))))
		})
	}
	require.Equal(t, v.Limits.MaxBytes, MaxSize)
}

func TestParse(t *testing.T) {
	const hash = "101112131415161718191a1b1c1d1e1f20212223"
	one := Announce{Port: 6881, InfoHashes: [][20]byte{hash10}}
	tests := []struct {
		name, datagram string
		want           Announce
		bad            bool
	}{
		{name: "other order and case", datagram: "bt-search * http/1.1\r\nINFOHASH:" + hash + "\r\nport:6881\r\n\r\n", want: one},
		{name: "bare line feeds", datagram: firstLine + "\nPort: 6881\nInfohash: " + hash + "\n\n", want: one},
		{name: "no empty line", datagram: firstLine + "\r\nPort: 6881\r\nInfohash: " + hash, want: one},
		{name: "what follows", datagram: firstLine + "\r\nPort: 6881\r\nInfohash: " + hash + "\r\n\r\nPort: 1\r\n", want: one},
		{name: "unknown header", datagram: firstLine + "\r\nX\r\nY: z\r\nPort: 6881\r\nInfohash: " + hash + "\r\n\r\n", want: one},
		{name: "a bad hash among good", datagram: firstLine + "\r\nPort: 6881\r\nInfohash: zz\r\nInfohash: " + hash[:39] + "x\r\nInfohash: " + hash + "\r\n\r\n", want: one},
		{name: "another request", datagram: "M-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: " + hash + "\r\n\r\n", bad: true},
		{name: "no port", datagram: firstLine + "\r\nInfohash: " + hash + "\r\n\r\n", bad: true},
		{name: "port 0", datagram: firstLine + "\r\nPort: 0\r\nInfohash: " + hash + "\r\n\r\n", bad: true},
		{name: "port too large", datagram: firstLine + "\r\nPort: 65536\r\nInfohash: " + hash + "\r\n\r\n", bad: true},
		{name: "no hash", datagram: firstLine + "\r\nPort: 6881\r\n\r\n", bad: true},
		{name: "nothing", bad: true},
		{name: "too long", datagram: firstLine + "\r\nPort: 6881\r\nInfohash: " + hash + "\r\nX: " + strings.Repeat("x", MaxSize) + "\r\n\r\n", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.datagram))
			if tt.bad {
				require.ErrorIs(t, err, ErrAnnounce)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// TestLargest: "the datagram must not exceed 1400 bytes" (BEP 14).
func TestLargest(t *testing.T) {
	a := Announce{Host: group6.String(), Port: 65535, InfoHashes: make([][20]byte, 2*MaxInfoHashes), Cookie: strings.Repeat("c", 16)}
	b := a.AppendTo(nil)
	require.LessOrEqual(t, len(b), MaxSize)
	got, err := Parse(b)
	require.NoError(t, err)
	require.Len(t, got.InfoHashes, MaxInfoHashes)
}

// FuzzParse: no panic, bounds held, input neither kept nor changed, and what was read comes back when it is written.
func FuzzParse(f *testing.F) {
	for _, d := range loadVectors(f).Datagrams {
		f.Add([]byte(d.ASCII))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		a, err := Parse(b)
		require.Equal(t, before, b)
		if err != nil {
			require.ErrorIs(t, err, ErrAnnounce)
			require.Zero(t, a)
			return
		}
		clear(b)
		require.NotZero(t, a.Port)
		require.NotEmpty(t, a.InfoHashes)
		require.LessOrEqual(t, len(a.InfoHashes), MaxInfoHashes)
		require.LessOrEqual(t, len(a.Cookie), maxCookie)
		a.Host, a.Cookie = "", strings.TrimSpace(a.Cookie)
		if strings.ContainsAny(a.Cookie, "\r") {
			return
		}
		again, err := Parse(a.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}
