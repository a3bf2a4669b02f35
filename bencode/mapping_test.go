package bencode_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
)

type document struct {
	Announce string             `bencode:"announce"`
	Tiers    [][]string         `bencode:"announce-list,omitempty"`
	Created  int64              `bencode:"creation date,omitempty"`
	Info     bencode.RawMessage `bencode:"info"`
	Private  bool               `bencode:"private,omitempty"`
	Extra    any                `bencode:"extra,omitempty"`
	Seen     map[string]uint64  `bencode:"seen,omitempty"`
	Addr     netip.Addr         `bencode:"addr,omitempty"`
	//lint:ignore U1000 unexported fields are passed over
	hidden int
}

func TestMappingRoundTrip(t *testing.T) {
	in := "d4:addr9:192.0.2.18:announce3:url13:announce-listll1:ael1:b1:cee13:creation datei1754000000e" +
		"5:extrali1e1:xe4:infod6:lengthi5ee7:privatei1e4:seend1:zi9eee"
	var d document
	require.NoError(t, bencode.Unmarshal([]byte(in), &d))
	require.Equal(t, document{
		Announce: "url",
		Tiers:    [][]string{{"a"}, {"b", "c"}},
		Created:  1754000000,
		Info:     bencode.RawMessage("d6:lengthi5ee"),
		Private:  true,
		Extra:    []any{int64(1), "x"},
		Seen:     map[string]uint64{"z": 9},
		Addr:     netip.MustParseAddr("192.0.2.1"),
	}, d)
	out, err := bencode.Marshal(d)
	require.NoError(t, err)
	require.Equal(t, in, string(out))
}

// What was read is a copy: the network buffer may be used again.
func TestUnmarshalCopies(t *testing.T) {
	b := []byte("d4:infod6:lengthi5eee")
	var d document
	require.NoError(t, bencode.Unmarshal(b, &d))
	clear(b)
	require.Equal(t, "d6:lengthi5ee", string(d.Info))
}

func TestUnmarshalChecksFirst(t *testing.T) {
	for in, want := range map[string]error{
		"1000000000:abc":                bencode.ErrSyntax, // a mapper that believes it takes 954 MiB
		"d4:infoi--5ee":                 bencode.ErrSyntax, // a mapper that copies raw bytes keeps this
		strings.Repeat("l", 20<<20):     bencode.ErrLimit,  // a mapper that recurses overflows the stack
		"i007e":                         bencode.ErrSyntax,
		"d1:b0:1:a0:e":                  bencode.ErrSyntax,
		"i1eXYZ":                        bencode.ErrSyntax,
		"":                              bencode.ErrSyntax,
		strings.Repeat("l", 101) + "i1": bencode.ErrLimit,
	} {
		var v any
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := bencode.Unmarshal([]byte(in), &v)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, want, "%.20q", in)
		require.Nil(t, v)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "%.20q", in)
	}
}

func TestUnmarshalLenient(t *testing.T) {
	var d document
	o := bencode.Options{Lenient: true}
	require.NoError(t, o.Unmarshal([]byte("d4:infod1:bi-0e1:a01:xe8:announce003:urle\n"), &d))
	require.Equal(t, "url", d.Announce)
	require.Equal(t, "d1:bi-0e1:a01:xe", string(d.Info), "raw bytes stay as they came")
}

func TestUnmarshalDuplicates(t *testing.T) {
	var d document
	o := bencode.Options{Lenient: true}
	require.NoError(t, o.Unmarshal([]byte("d8:announce1:a8:announce1:be"), &d))
	require.Equal(t, "b", d.Announce)
	require.ErrorIs(t, o.Unmarshal([]byte("d5:extrai1e5:extrai2ee"), &d), bencode.ErrType)
}

// The deepest document the options allow does not exhaust the stack.
func TestUnmarshalDeep(t *testing.T) {
	var v any
	in := strings.Repeat("l", 10_000) + strings.Repeat("e", 10_000)
	require.NoError(t, bencode.Options{MaxDepth: -1}.Unmarshal([]byte(in), &v))
}

type narrowList struct {
	Next *narrowList
	Port []map[string]*uint16
}

type ownNarrow int8

func (n *ownNarrow) UnmarshalBencode(b []byte) error {
	i, ok := bencode.Value(b).Int()
	if !ok || i != int64(int8(i)) {
		return errOwn
	}
	*n = ownNarrow(i)
	return nil
}

var errOwn = errors.New("not an int8")

func TestUnmarshalTypeErrors(t *testing.T) {
	held := any(int64(1))
	for _, tt := range []struct {
		name string
		in   string
		v    any
	}{
		{"nil", "i1e", nil},
		{"no pointer", "i1e", document{}},
		{"nil pointer", "i1e", (*document)(nil)},
		{"interface holding a value", "i2e", &held},
		{"field holding a value", "d5:extrai1ee", &document{Extra: "x"}},
		{"int8", "i300e", new(int8)},
		{"int", "i1e", new(int)},
		{"uint32 below", "de", new(struct{ A []uint32 })},
		{"narrow in a recursive type", "de", new(narrowList)},
		{"own methods, overlooked below a nil pointer", "i300e", new(*ownNarrow)},
		{"list into array", "li1ei2ei3ee", new([2]int64)},
		{"list into bytes of a named type", "le", new(bencode.Value)},
		{"string into int64", "1:a", new(int64)},
		{"int into string", "i1e", new(string)},
		{"dict into slice", "de", new([]string)},
		{"beyond int64", "i9223372036854775808e", new(int64)},
		{"beyond uint64", "i18446744073709551616e", new(uint64)},
		{"negative into uint64", "i-1e", new(uint64)},
		{"beyond int64 under an unknown key", "d1:xi9223372036854775808ee", new(document)},
		{"text of the wrong form", "d4:addr1:xe", new(document)},
		{"map with integer keys", "de", new(map[int64]string)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := bencode.Unmarshal([]byte(tt.in), tt.v)
			require.ErrorIs(t, err, bencode.ErrType)
			require.NotErrorIs(t, err, bencode.ErrSyntax)
			var te *bencode.TypeError
			require.ErrorAs(t, err, &te)
			require.Equal(t, fmt.Sprintf("%T", tt.v), te.Type)
			require.ErrorContains(t, err, "bencode: "+te.Type+": "+te.Err.Error())
		})
	}
}

func TestUnmarshalOwnMethods(t *testing.T) {
	var v struct{ N ownNarrow }
	require.NoError(t, bencode.Unmarshal([]byte("d1:Ni-128ee"), &v))
	require.EqualValues(t, -128, v.N)
	require.ErrorIs(t, bencode.Unmarshal([]byte("d1:Ni300ee"), &v), errOwn)
}

func TestMarshalTypeErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
	}{
		{"nil", nil},
		{"nil pointer", (*document)(nil)},
		{"float", 1.5},
		{"empty raw message", document{Announce: "url"}},
		{"malformed raw message", bencode.RawMessage("i1")},
		{"two values in a raw message", bencode.RawMessage("i1ei2e")},
		{"integer keys", map[int64]string{1: "x"}},
		{"nil in a dict", map[string]any{"a": (*[]string)(nil), "b": []any{nil}, "c": math.Inf(1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := bencode.Marshal(tt.v)
			require.ErrorIs(t, err, bencode.ErrType)
			require.Nil(t, b)
		})
	}
}

// An info dict of another's making keeps its form, or its infohash would change.
func TestMarshalKeepsRawMessages(t *testing.T) {
	raw := bencode.RawMessage("d1:b0:1:ai007ee")
	b, err := bencode.Marshal(document{Info: raw})
	require.NoError(t, err)
	require.Equal(t, "d4:addr0:8:announce0:4:info"+string(raw)+"e", string(b))
}
