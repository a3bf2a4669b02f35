package bencode

import "math"

const (
	defaultMaxSize   = 64 << 20
	defaultMaxDepth  = 100
	defaultMaxTokens = 3_000_000

	hardMaxSize  = math.MaxInt32 // offsets are kept in 32 bits
	hardMaxDepth = 10_000        // deeper documents could exhaust the stack of recursive readers
)

// Options are the limits and the form of acceptable input. The zero value is
// strict with the default limits. Options are plain values and may be copied.
type Options struct {
	// Lenient tolerates what is not canonical but has one reading: leading
	// zeros in integers and string lengths, i-0e, dict keys out of order and
	// duplicate keys (of which [Value.Get] returns the first).
	Lenient bool

	// MaxSize is the length of a value in bytes. If zero, 64 MiB. If negative,
	// or more than that, 2 GiB less one byte.
	MaxSize int

	// MaxDepth is how many lists and dicts may be open at once: 1 admits a list
	// of strings. If zero, 100. If negative, or more than that, 10,000.
	// Up to 100, decoding does not allocate.
	MaxDepth int

	// MaxTokens is how many values a document may hold, where each string,
	// integer, list and dict counts, keys included. If zero, 3,000,000. If
	// negative, any number.
	MaxTokens int
}

func (o Options) maxSize() int   { return limit(o.MaxSize, defaultMaxSize, hardMaxSize) }
func (o Options) maxDepth() int  { return limit(o.MaxDepth, defaultMaxDepth, hardMaxDepth) }
func (o Options) maxTokens() int { return limit(o.MaxTokens, defaultMaxTokens, math.MaxInt) }

func limit(set, standard, hard int) int {
	switch {
	case set == 0:
		return standard
	case set < 0:
		return hard
	}
	return min(set, hard)
}

// Decode checks the value at the start of b and returns it with its length n.
// What follows the value is not looked at: a metadata message, for one, is a
// dict followed by raw bytes (BEP 9). The value aliases b; its capacity ends
// with it, so that appending to it cannot overwrite what follows.
//
// The error is a [*SyntaxError] or a [*LimitError], and n is then 0. Decode
// does not allocate unless it fails or MaxDepth is above 100.
func (o Options) Decode(b []byte) (v Value, n int, err error) {
	n, err = o.scan(b)
	if err != nil {
		return nil, 0, err
	}
	return Value(b[:n:n]), n, nil
}

// Decode checks that b is exactly one value in canonical form, within the
// default limits, and returns it. The value aliases b.
//
// The error is a [*SyntaxError] or a [*LimitError].
func Decode(b []byte) (Value, error) { return Options{}.whole(b) }

// DecodeLenient is like [Decode] but tolerates what [Options] calls lenient,
// and ignores bytes after the value, as files end in a newline here and there.
func DecodeLenient(b []byte) (Value, error) { return Options{Lenient: true}.whole(b) }

// whole decodes a document: strict ones end with b.
func (o Options) whole(b []byte) (Value, error) {
	v, n, err := o.Decode(b)
	if err != nil {
		return nil, err
	}
	if n < len(b) && !o.Lenient {
		return nil, &SyntaxError{n, reasonTrailing}
	}
	return v, nil
}
