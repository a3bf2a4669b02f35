package bencode_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode"
)

func seed(f *testing.F) {
	v := loadVectors(f)
	for _, row := range append(v.Valid, v.Invalid...) {
		f.Add(row.bytes(f))
	}
	f.Add([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"))
	f.Add([]byte("d8:msg_typei1e5:piecei0e10:total_sizei34256ee<piece>"))
	f.Add([]byte("d4:addr0:8:announce3:url5:extrai1e4:infod6:lengthi5eee"))
	f.Add([]byte(strings.Repeat("l", 101) + strings.Repeat("e", 101)))
	f.Add([]byte("d1:bi-0e1:a01:xe"))
}

// Small limits bring the fuzzer to all of them.
var fuzzOptions = bencode.Options{MaxSize: 1 << 10, MaxDepth: 8, MaxTokens: 64}

// FuzzDecode compares both modes with the slow twin below.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		strict, strictN, strictErr := fuzzOptions.Decode(b)
		o := fuzzOptions
		o.Lenient = true
		lenient, lenientN, lenientErr := o.Decode(b)
		require.Equal(t, before, b, "input changed")

		requireVerdict(t, b, strict, strictN, strictErr)
		requireVerdict(t, b, lenient, lenientN, lenientErr)
		if strictErr == nil {
			require.NoError(t, lenientErr, "lenient refuses what strict accepts")
			require.Equal(t, strictN, lenientN)
			require.Equal(t, string(strict), string(encode(nil, strict)), "encoding again")
		}

		tw := twin{b: b, o: fuzzOptions}
		end := tw.value(0, 0)
		if lenientErr == nil {
			require.Equal(t, lenientN, end, "the twin sees another end")
			require.Equal(t, !tw.odd, strictErr == nil, "strict: %v", strictErr)
		} else {
			require.Negative(t, end, "the twin accepts: %v", lenientErr)
		}
	})
}

func requireVerdict(t *testing.T, b []byte, v bencode.Value, n int, err error) {
	if err == nil {
		require.Equal(t, string(b[:n]), string(v))
		require.Positive(t, n)
		return
	}
	require.Nil(t, v)
	require.Zero(t, n)
	var syntax *bencode.SyntaxError
	var limit *bencode.LimitError
	switch {
	case errors.As(err, &syntax):
		require.ErrorIs(t, err, bencode.ErrSyntax)
		require.True(t, 0 <= syntax.Offset && syntax.Offset <= len(b), "%v", err)
	case errors.As(err, &limit):
		require.ErrorIs(t, err, bencode.ErrLimit)
		require.True(t, 0 <= limit.Offset && limit.Offset < len(b), "%v", err)
	default:
		require.Fail(t, "undocumented error", "%v", err)
	}
}

// twin is a decoder made to be obviously right: recursive, and careless of
// memory and time.
type twin struct {
	b      []byte
	o      bencode.Options
	tokens int
	odd    bool // there is what only lenient decoding accepts
}

// value returns the end of the value at i, or -1 if there is none within the
// limits.
func (w *twin) value(i, depth int) int {
	w.tokens++
	if i < 0 || i >= len(w.b) || w.tokens > w.o.MaxTokens || depth > w.o.MaxDepth {
		return -1
	}
	switch w.b[i] {
	case 'i':
		end := bytes.IndexByte(w.b[i:], 'e')
		if end < 0 || i+end >= w.o.MaxSize {
			return -1
		}
		if _, ok := w.decimal(string(w.b[i+1:i+end]), true); !ok {
			return -1
		}
		return i + end + 1
	case 'l', 'd':
		if depth == w.o.MaxDepth {
			return -1
		}
		return w.items(i, depth)
	}
	_, end := w.str(i)
	return end
}

func (w *twin) items(i, depth int) int {
	dict := w.b[i] == 'd'
	var keys []string
	for i++; ; {
		if i < 0 || i >= len(w.b) || i >= w.o.MaxSize {
			return -1
		}
		if w.b[i] == 'e' {
			return i + 1
		}
		if dict {
			w.tokens++
			key, end := w.str(i)
			if end < 0 || w.tokens > w.o.MaxTokens {
				return -1
			}
			if len(keys) > 0 && keys[len(keys)-1] >= key {
				w.odd = true
			}
			keys, i = append(keys, key), end
		}
		i = w.value(i, depth+1)
	}
}

// str returns the content of the string at i, and its end or -1.
func (w *twin) str(i int) (string, int) {
	length, rest, ok := strings.Cut(string(w.b[i:]), ":")
	if !ok {
		return "", -1
	}
	n, ok := w.decimal(length, false)
	if !ok || n.Cmp(big.NewInt(int64(len(rest)))) > 0 {
		return "", -1
	}
	end := i + len(length) + 1 + int(n.Int64())
	if end > w.o.MaxSize {
		return "", -1
	}
	return rest[:n.Int64()], end
}

func (w *twin) decimal(s string, signed bool) (*big.Int, bool) {
	digits := s
	if signed {
		digits = strings.TrimPrefix(s, "-")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	n, ok := new(big.Int).SetString(s, 10)
	if ok && n.String() != s {
		w.odd = true
	}
	return n, ok
}

// FuzzValue takes bytes nobody checked for a Value: nothing panics, and nothing
// reaches beyond them.
func FuzzValue(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		// What a method returns must end where its own bytes end.
		v := bencode.Value(append(bytes.Clone(b), "sentinel"...)[:len(b)])
		v.Int()
		if s, ok := v.Bytes(); ok {
			require.LessOrEqual(t, cap(s), len(b))
		}
		v.Get("a").Get("b")
		total := 0
		for c := v.Cursor(); c.Next(); {
			require.NotEmpty(t, c.Value())
			require.Equal(t, len(c.Value()), cap(c.Value()))
			require.Equal(t, len(c.Key()), cap(c.Key()))
			require.Equal(t, v.Kind() == bencode.Dict, c.Key() != nil)
			total += len(c.Key()) + len(c.Value())
		}
		require.LessOrEqual(t, total, len(b), "items overlap")
		require.Equal(t, string(before), string(v))
	})
}

// FuzzUnmarshal maps what strangers send to structs and back.
func FuzzUnmarshal(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		for _, lenient := range []bool{false, true} {
			o := fuzzOptions
			o.Lenient = lenient
			var d document
			requireMappingError(t, o.Unmarshal(b, &d))
			var v any
			err := o.Unmarshal(b, &v)
			requireMappingError(t, err)
			if err == nil && !lenient {
				again, err := bencode.Marshal(v)
				require.NoError(t, err)
				require.Equal(t, string(b), string(again))
			}
		}
		require.Equal(t, before, b, "input changed")
	})
}

func requireMappingError(t *testing.T, err error) {
	if err == nil || errors.Is(err, bencode.ErrSyntax) || errors.Is(err, bencode.ErrLimit) || errors.Is(err, bencode.ErrType) {
		return
	}
	require.Fail(t, "undocumented error", "%v", err)
}
