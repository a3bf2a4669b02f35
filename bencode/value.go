package bencode

import "math"

// Kind is the type of a [Value].
type Kind uint8

// The four types of bencode (BEP 3), and Invalid for a Value that is none: a
// nil one, above all, as [Value.Get] returns for an absent key.
const (
	Invalid Kind = iota
	String
	Int
	List
	Dict
)

func (k Kind) String() string {
	switch k {
	case String:
		return "string"
	case Int:
		return "int"
	case List:
		return "list"
	case Dict:
		return "dict"
	}
	return "invalid"
}

// Value is one complete, validated value in its encoded form. It is a slice of
// the bytes it was decoded from: it lives and changes with them.
//
// The methods answer for nil and for every type, so that a path of them needs
// one check, at its end. A Value that a caller makes of bytes that [Decode] has
// not passed is safe to use, in that no method panics, allocates, reads beyond
// it or takes more than linear time; but what they answer then means nothing.
type Value []byte

// Kind returns the type of v, as its first byte tells it.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Invalid
	}
	switch c := v[0]; {
	case isDigit(c):
		return String
	case c == 'i':
		return Int
	case c == 'l':
		return List
	case c == 'd':
		return Dict
	}
	return Invalid
}

// Bytes returns the content of a string, aliasing v. It reports false if v is
// not a string.
func (v Value) Bytes() ([]byte, bool) {
	if v.Kind() != String {
		return nil, false
	}
	start, end, reason := stringAt(v, 0)
	if reason != "" {
		return nil, false
	}
	return v[start:end:end], true
}

// Int returns an integer. It reports false if v is not an integer, or one out
// of the range of int64: it never wraps around.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Int {
		return 0, false
	}
	end, reason := integerAt(v, 0)
	if reason != "" {
		return 0, false
	}
	digits := v[1 : end-1]
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	// Counting down reaches the least int64, which has no positive twin.
	var n int64
	for _, c := range digits {
		d := int64(c - '0')
		if n < (math.MinInt64+d)/10 {
			return 0, false
		}
		n = n*10 - d
	}
	switch {
	case negative:
		return n, true
	case n == math.MinInt64:
		return 0, false
	}
	return -n, true
}

// Get returns the value under key in a dict, exactly as it is encoded there,
// aliasing v. It returns nil if there is none, or v is not a dict. Of duplicate
// keys, which only lenient decoding lets pass, it returns the first.
func (v Value) Get(key string) Value {
	if v.Kind() != Dict {
		return nil
	}
	for c := v.Cursor(); c.Next(); {
		if string(c.key) == key {
			return c.value
		}
	}
	return nil
}
