package bencode

// Reasons of syntax errors that more than one place gives or tests.
const (
	reasonEnd       = "unexpected end of input"
	reasonPastEnd   = "string runs past the end of input"
	reasonLength    = "string length without a colon"
	reasonInteger   = "integer is not decimal digits"
	reasonZero      = "leading zero or negative zero in an integer"
	reasonZeroLen   = "leading zero in a string length"
	reasonKey       = "dict key is not a string"
	reasonUnsorted  = "dict keys out of order"
	reasonDuplicate = "duplicate dict key"
	reasonStart     = "byte does not start a value"
	reasonTrailing  = "bytes after the value"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// stringAt finds the content of the string whose length starts at b[i], a
// digit: it is b[start:end]. Leading zeros in the length are passed over. If
// there is no such string, reason says why.
//
// The length is compared with what is there digit by digit, so that it neither
// overflows nor promises memory the input does not pay for.
func stringAt(b []byte, i int) (start, end int, reason string) {
	var n uint64
	for i < len(b) && isDigit(b[i]) {
		n = n*10 + uint64(b[i]-'0')
		if n > uint64(len(b)) {
			return 0, 0, reasonPastEnd
		}
		i++
	}
	switch {
	case i == len(b):
		return 0, 0, reasonEnd
	case b[i] != ':':
		return 0, 0, reasonLength
	case n > uint64(len(b)-i-1):
		return 0, 0, reasonPastEnd
	}
	return i + 1, i + 1 + int(n), ""
}

// integerAt returns the index behind the integer that starts at b[i], an 'i'.
// Leading zeros and negative zero are passed over. If there is no such integer,
// reason says why.
func integerAt(b []byte, i int) (end int, reason string) {
	i++
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	switch {
	case i == len(b):
		return 0, reasonEnd
	case b[i] != 'e' || i == first:
		return 0, reasonInteger
	}
	return i + 1, ""
}

// skip returns the length of the value at the start of b, or 0 if there is
// none. It needs no stack: what opens is counted, what closes counts down. On
// bytes that [Options.Decode] has not passed it may take nonsense for a value,
// but stays inside b.
func skip(b []byte) int {
	i, depth := 0, 0
	for i < len(b) {
		reason := ""
		switch c := b[i]; {
		case c == 'l' || c == 'd':
			depth++
			i++
		case c == 'e' && depth > 0:
			depth--
			i++
		case c == 'i':
			i, reason = integerAt(b, i)
		case isDigit(c):
			_, i, reason = stringAt(b, i)
		default:
			return 0
		}
		if reason != "" {
			return 0
		}
		if depth == 0 {
			return i
		}
	}
	return 0
}
