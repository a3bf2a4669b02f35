package bencode_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/bencode"
)

func TestKind(t *testing.T) {
	for in, want := range map[string]bencode.Kind{
		"": bencode.Invalid, "e": bencode.Invalid, "-": bencode.Invalid,
		"0:": bencode.String, "9": bencode.String, "i1e": bencode.Int,
		"le": bencode.List, "de": bencode.Dict,
	} {
		require.Equal(t, want, bencode.Value(in).Kind(), in)
	}
	require.Equal(t, "invalid string int list dict", strings.Join([]string{
		bencode.Invalid.String(), bencode.String.String(), bencode.Int.String(), bencode.List.String(), bencode.Dict.String(),
	}, " "))
}

// BEP 3: "Integers have no size limitation." Those beyond int64 pass decoding,
// and are never wrapped around.
func TestIntRange(t *testing.T) {
	for in, want := range map[string]int64{
		"i0e": 0, "i-1e": -1, "i00e": 0, "i-0e": 0, "i-007e": -7,
		"i9223372036854775807e":       1<<63 - 1,
		"i-9223372036854775808e":      -1 << 63,
		"i0009223372036854775807e":    1<<63 - 1,
		"i-00009223372036854775808e":  -1 << 63,
		"i0000000000000000000000012e": 12,
	} {
		n, ok := bencode.Value(in).Int()
		require.True(t, ok, in)
		require.Equal(t, want, n, in)
	}
	for _, in := range []string{
		"", "1:1", "i9223372036854775808e", "i-9223372036854775809e", "i9223372036854775810e",
		"i18446744073709551616e", "i18446744073709551617e", "i99999999999999999999e", "ie", "i-e", "i1", "i1x",
	} {
		n, ok := bencode.Value(in).Int()
		require.False(t, ok, in)
		require.Zero(t, n, in)
	}
}

// BEP 3: "The info-hash must be the hash of the encoded form as found in the
// .torrent file", of which decoding and encoding again may be another.
func TestGetReturnsTheBytesAsTheyCame(t *testing.T) {
	const info = "d4:name1:a6:lengthi007ee"
	doc, err := bencode.DecodeLenient([]byte("d4:info" + info + "e"))
	require.NoError(t, err)
	require.Equal(t, info, string(doc.Get("info")))
	require.NotEqual(t, info, string(encode(nil, doc.Get("info"))))
}

func TestGet(t *testing.T) {
	v, err := bencode.Decode([]byte("d0:1:x1:ad1:bi7ee4:infod6:lengthi1eee"))
	require.NoError(t, err)
	require.Equal(t, "1:x", string(v.Get("")))
	require.Equal(t, "d6:lengthi1ee", string(v.Get("info")))
	require.Equal(t, "i7e", string(v.Get("a").Get("b")))
	require.Nil(t, v.Get("b"))
	require.Nil(t, v.Get("inf"))
	require.Nil(t, v.Get("").Get("x"), "a string has no keys")
	require.Nil(t, bencode.Value(nil).Get(""))

	info := v.Get("info")
	_ = append(info, "overwritten"...)
	require.Equal(t, "d0:1:x1:ad1:bi7ee4:infod6:lengthi1eee", string(v))
}

func TestCursorEnds(t *testing.T) {
	for _, in := range []string{"", "le", "de", "i1e", "3:abc"} {
		c := bencode.Value(in).Cursor()
		require.False(t, c.Next(), in)
		require.False(t, c.Next(), in)
		require.Nil(t, c.Key())
		require.Nil(t, c.Value())
	}
	c := bencode.Value("d0:i1ee").Cursor()
	require.True(t, c.Next())
	require.Equal(t, []byte{}, c.Key(), "an empty key is a key")
	require.Equal(t, "i1e", string(c.Value()))
	require.False(t, c.Next())
	require.Nil(t, c.Key())
	require.Nil(t, c.Value())
}

// What a caller makes of bytes that were not decoded ends the walk, for good.
func TestCursorOverInvalidBytes(t *testing.T) {
	for _, in := range []string{
		"l", "d", "lx", "l5:ab", "l99999999999999999999:", "li", "ll", "d1:a", "d1:ae", "d1:ax", "di1ei1ee", "d5:a", "dx",
	} {
		c := bencode.Value(in).Cursor()
		require.False(t, c.Next(), in)
		require.False(t, c.Next(), in)
		require.Nil(t, c.Key(), in)
		require.Nil(t, c.Value(), in)
	}
	_, ok := bencode.Value("5:ab").Bytes()
	require.False(t, ok)
	_, ok = bencode.Value("le").Bytes()
	require.False(t, ok)
}

func TestAppend(t *testing.T) {
	dst := bencode.AppendDictStart([]byte("x"))
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "a"), nil)
	dst = bencode.AppendListStart(bencode.AppendKey(dst, "b"))
	dst = bencode.AppendInt(dst, -1<<63)
	dst = bencode.AppendInt(dst, 0)
	dst = bencode.AppendString(dst, "0123456789")
	dst = bencode.AppendEnd(bencode.AppendEnd(dst))
	require.Equal(t, "xd1:a0:1:bli-9223372036854775808ei0e10:0123456789ee", string(dst))
}

// What is written reads back as it was, and has one form only.
func TestAppendRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOf(rapid.Byte()).Draw(t, "string")
		n := rapid.Int64().Draw(t, "int")
		doc, err := bencode.Decode(bencode.AppendEnd(bencode.AppendInt(bencode.AppendBytes([]byte("l"), s), n)))
		require.NoError(t, err)
		c := doc.Cursor()
		require.True(t, c.Next())
		gotS, ok := c.Value().Bytes()
		require.True(t, ok)
		require.Equal(t, string(s), string(gotS))
		require.True(t, c.Next())
		gotN, ok := c.Value().Int()
		require.True(t, ok)
		require.Equal(t, n, gotN)
	})
}
