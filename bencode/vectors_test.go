package bencode_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
)

type vectors struct {
	Valid, Invalid []vector
}

type vector struct {
	Hex        *string
	Repeat     string // "hex*count" where Hex is null
	Why        string
	Libtorrent string
	Value      expected
}

// expected is the meaning of a valid vector; one field is set.
type expected struct {
	Int  *string
	Hex  *string
	List []expected
	Dict [][2]json.RawMessage // key in hex, value
}

func (v vector) bytes(t testing.TB) []byte {
	if v.Hex != nil {
		return unhex(t, *v.Hex)
	}
	unit, count, ok := strings.Cut(v.Repeat, "*")
	require.True(t, ok)
	n, err := strconv.Atoi(count)
	require.NoError(t, err)
	return []byte(strings.Repeat(string(unhex(t, unit)), n))
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func loadVectors(t testing.TB) vectors {
	b, err := os.ReadFile("testdata/bencode.json")
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(b, &v))
	require.Len(t, v.Valid, 28)
	require.Len(t, v.Invalid, 46)
	return v
}

func TestStrictVectors(t *testing.T) {
	v := loadVectors(t)
	for _, row := range v.Valid {
		b := row.bytes(t)
		got, err := bencode.Decode(b)
		require.NoError(t, err, "%q", b)
		require.Equal(t, string(b), string(got))
		requireValue(t, row.Value, got)
		require.Equal(t, string(b), string(encode(nil, got)), "encoding again")
	}
	for _, row := range v.Invalid {
		b := row.bytes(t)
		got, err := bencode.Decode(b)
		require.Nil(t, got, "%q", b)
		require.True(t, errors.Is(err, bencode.ErrSyntax) || errors.Is(err, bencode.ErrLimit), "%q: %v", b, err)
	}
}

// Lenient decoding accepts and refuses exactly what libtorrent 2.0.8 does.
func TestLenientVectorsAgreeWithLibtorrent(t *testing.T) {
	v := loadVectors(t)
	accepted := 0
	for _, row := range append(v.Valid, v.Invalid...) {
		b := row.bytes(t)
		_, err := bencode.DecodeLenient(b)
		require.Equal(t, row.Libtorrent == "accepted", err == nil, "%q: libtorrent %s, we %v", b, row.Libtorrent, err)
		if err == nil {
			accepted++
		}
	}
	require.Equal(t, 28+14, accepted)
}

func requireValue(t *testing.T, want expected, got bencode.Value) {
	switch {
	case want.Int != nil:
		n, ok := got.Int()
		wantN, err := strconv.ParseInt(*want.Int, 10, 64)
		require.Equal(t, err == nil, ok, *want.Int)
		if ok {
			require.Equal(t, wantN, n)
		}
	case want.Hex != nil:
		s, ok := got.Bytes()
		require.True(t, ok)
		require.Equal(t, *want.Hex, hex.EncodeToString(s))
	case want.Dict != nil:
		require.Equal(t, bencode.Dict, got.Kind())
		c := got.Cursor()
		for _, entry := range want.Dict {
			var key string
			var value expected
			require.NoError(t, json.Unmarshal(entry[0], &key))
			require.NoError(t, json.Unmarshal(entry[1], &value))
			require.True(t, c.Next())
			require.Equal(t, key, hex.EncodeToString(c.Key()))
			requireValue(t, value, c.Value())
		}
		require.False(t, c.Next())
	default:
		require.NotNil(t, want.List)
		require.Equal(t, bencode.List, got.Kind())
		c := got.Cursor()
		for _, value := range want.List {
			require.True(t, c.Next())
			requireValue(t, value, c.Value())
		}
		require.False(t, c.Next())
	}
}

// encode writes v again, token by token, as the Cursor tells it. Integers
// beyond int64 have no other form than their bytes.
func encode(dst []byte, v bencode.Value) []byte {
	switch v.Kind() {
	case bencode.String:
		s, _ := v.Bytes()
		return bencode.AppendBytes(dst, s)
	case bencode.Int:
		if n, ok := v.Int(); ok {
			return bencode.AppendInt(dst, n)
		}
		return append(dst, v...)
	case bencode.List:
		dst = bencode.AppendListStart(dst)
		for c := v.Cursor(); c.Next(); {
			dst = encode(dst, c.Value())
		}
		return bencode.AppendEnd(dst)
	case bencode.Dict:
		dst = bencode.AppendDictStart(dst)
		for c := v.Cursor(); c.Next(); {
			dst = encode(bencode.AppendKey(dst, string(c.Key())), c.Value())
		}
		return bencode.AppendEnd(dst)
	}
	return dst
}
