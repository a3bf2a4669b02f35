package bencode_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
)

// BEP 3: "i-0e is invalid. All encodings with a leading zero, such as i03e, are
// invalid, other than i0e, which of course corresponds to 0." "Keys must be
// strings and appear in sorted order (sorted as raw strings, not alphanumerics)."
// Each refusal names the token at fault.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		offset   int
		reason   string
	}{
		{"empty", "", 0, "unexpected end of input"},
		{"end of list", "l1:a", 4, "unexpected end of input"},
		{"end of dict", "d1:a1:b", 7, "unexpected end of input"},
		{"end before a value", "d1:a", 4, "unexpected end of input"},
		{"end in an integer", "l1:ai12", 4, "unexpected end of input"},
		{"end in a length", "l1", 1, "unexpected end of input"},
		{"short string", "l5:spae", 1, "string runs past the end of input"},
		{"huge length", "l99999999999999999999999999:e", 1, "string runs past the end of input"},
		{"no colon", "l1a", 1, "string length without a colon"},
		{"zero in length", "l04:spame", 1, "leading zero in a string length"},
		{"zero length twice", "00:", 0, "leading zero in a string length"},
		{"no digits", "lie", 1, "integer is not decimal digits"},
		{"only a sign", "li-ee", 1, "integer is not decimal digits"},
		{"plus", "li+1ee", 1, "integer is not decimal digits"},
		{"negative zero", "li-0ee", 1, "leading zero or negative zero in an integer"},
		{"leading zero", "li03ee", 1, "leading zero or negative zero in an integer"},
		{"negative leading zero", "li-03ee", 1, "leading zero or negative zero in an integer"},
		{"integer key", "di1e1:ae", 1, "dict key is not a string"},
		{"key without a value", "d1:ae", 4, "byte does not start a value"},
		{"unsorted", "d1:b0:1:a0:e", 6, "dict keys out of order"},
		{"sorted by length", "d1:b0:2:aa0:e", 6, "dict keys out of order"},
		{"duplicate", "d1:a0:1:a0:e", 6, "duplicate dict key"},
		{"duplicate empty", "d0:0:0:0:e", 5, "duplicate dict key"},
		{"unsorted after a dict", "d1:bd1:a0:e1:a0:e", 11, "dict keys out of order"},
		{"stray end", "e", 0, "byte does not start a value"},
		{"unknown byte", "l x", 1, "byte does not start a value"},
		{"trailing", "i1ei2e", 3, "bytes after the value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := bencode.Decode([]byte(tt.in))
			require.Nil(t, v)
			require.ErrorIs(t, err, bencode.ErrSyntax)
			require.NotErrorIs(t, err, bencode.ErrLimit)
			var syntax *bencode.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, bencode.SyntaxError{Offset: tt.offset, Reason: tt.reason}, *syntax)
		})
	}
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := bencode.Decode([]byte("d1:ae"))
	require.EqualError(t, err, "bencode: byte does not start a value at offset 4")
	_, _, err = bencode.Options{MaxSize: 2}.Decode([]byte("3:abc"))
	require.EqualError(t, err, "bencode: more than the allowed size of 2 at offset 2")
}

// The keys of one dict say nothing about the keys of another.
func TestKeyOrderIsPerDict(t *testing.T) {
	for _, in := range []string{
		"d1:bd1:a0:e1:cd1:a0:ee",
		"ld1:b0:ed1:a0:ee",
		"d0:d0:d0:0:eee",
		"d1:bl1:a1:ae1:c0:e",
	} {
		_, err := bencode.Decode([]byte(in))
		require.NoError(t, err, in)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("l", n) + strings.Repeat("e", n) }
	for _, tt := range []struct {
		name   string
		o      bencode.Options
		in     string
		offset int    // of the refusal
		limit  string // empty if accepted
	}{
		{"size fits", bencode.Options{MaxSize: 5}, "3:abc", 0, ""},
		{"size fits with more behind", bencode.Options{MaxSize: 5}, "3:abcdef", 0, ""},
		{"size cuts a string", bencode.Options{MaxSize: 4}, "3:abc", 4, "size"},
		{"size cuts a length", bencode.Options{MaxSize: 1}, "10:0123456789", 1, "size"},
		{"size cuts an integer", bencode.Options{MaxSize: 2}, "i1e", 2, "size"},
		{"size cuts a list", bencode.Options{MaxSize: 2}, "llee", 2, "size"},
		{"depth of a scalar", bencode.Options{MaxDepth: 1}, "i1e", 0, ""},
		{"depth fits", bencode.Options{MaxDepth: 1}, "li1ee", 0, ""},
		{"depth exceeded", bencode.Options{MaxDepth: 1}, "li1elee", 4, "depth"},
		{"depth counts dicts", bencode.Options{MaxDepth: 2}, "d1:ad1:bleee", 8, "depth"},
		{"default depth fits", bencode.Options{}, nested(100), 0, ""},
		{"default depth exceeded", bencode.Options{}, nested(101), 100, "depth"},
		{"default depth, unterminated", bencode.Options{}, strings.Repeat("l", 1<<20), 100, "depth"},
		{"greater depth fits", bencode.Options{MaxDepth: 300}, nested(300), 0, ""},
		{"no depth limit fits", bencode.Options{MaxDepth: -1}, nested(10_000), 0, ""},
		{"no depth limit has an end", bencode.Options{MaxDepth: -1}, nested(10_001), 10_000, "depth"},
		{"depth beyond the greatest", bencode.Options{MaxDepth: math.MaxInt}, nested(10_001), 10_000, "depth"},
		{"tokens fit", bencode.Options{MaxTokens: 4}, "d1:ali1eee", 0, ""},
		{"tokens exceeded", bencode.Options{MaxTokens: 3}, "d1:ali1eee", 5, "tokens"},
		{"tokens count keys", bencode.Options{MaxTokens: 1}, "d1:ai1ee", 1, "tokens"},
		{"tokens count lists", bencode.Options{MaxTokens: 1}, "llee", 1, "tokens"},
		{"no token limit", bencode.Options{MaxTokens: -1}, "l" + strings.Repeat("0:", 3_000_000) + "e", 0, ""},
		{"default tokens", bencode.Options{}, "l" + strings.Repeat("0:", 3_000_000) + "e", 5_999_999, "tokens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, n, err := tt.o.Decode([]byte(tt.in))
			if tt.limit == "" {
				require.NoError(t, err)
				require.Len(t, v, n)
				return
			}
			require.Nil(t, v)
			require.Zero(t, n)
			require.ErrorIs(t, err, bencode.ErrLimit)
			require.NotErrorIs(t, err, bencode.ErrSyntax)
			var limit *bencode.LimitError
			require.ErrorAs(t, err, &limit)
			require.Equal(t, tt.limit, limit.Limit)
			require.Equal(t, tt.offset, limit.Offset)
		})
	}
}

// A malformed value stays malformed however small the size limit.
func TestSyntaxErrorWithinSizeLimit(t *testing.T) {
	_, _, err := bencode.Options{MaxSize: 4}.Decode([]byte("li-ee"))
	require.ErrorIs(t, err, bencode.ErrSyntax)
}

// BEP 9: "The metadata piece is appended to the bencoded dictionary, it is not a
// part of the dictionary, but it is a part of the message".
func TestDecodeReportsConsumedBytes(t *testing.T) {
	msg := []byte("d8:msg_typei1e5:piecei0e10:total_sizei34256ee<piece>")
	v, n, err := bencode.Options{}.Decode(msg)
	require.NoError(t, err)
	require.Equal(t, "<piece>", string(msg[n:]))
	require.Len(t, v, n)
	require.Equal(t, n, cap(v), "appending to the value must not write into the piece")
}

func TestLenientKeepsTheFirstDuplicate(t *testing.T) {
	v, err := bencode.DecodeLenient([]byte("d1:b1:x1:ai007e1:a1:ye\n"))
	require.NoError(t, err)
	require.Equal(t, "i007e", string(v.Get("a")))
	n, ok := v.Get("a").Int()
	require.True(t, ok)
	require.EqualValues(t, 7, n)
}

// A reader may not be made to allocate by what a length claims, nor by depth.
func TestDecodeDoesNotAllocate(t *testing.T) {
	deep := []byte(strings.Repeat("d0:", 99) + "le" + strings.Repeat("e", 99))
	mixed := []byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")
	for _, in := range [][]byte{deep, mixed} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			v, err := bencode.Decode(in)
			if err != nil {
				t.Fatal(err)
			}
			for c := v.Cursor(); c.Next(); {
				c.Value().Get("id").Bytes()
			}
		}))
	}
	claim := []byte("1000000000:abc")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := bencode.Decode(claim); !errors.Is(err, bencode.ErrSyntax) {
			t.Fatal(err)
		}
	}), 1.0, "nothing but the error")
}
