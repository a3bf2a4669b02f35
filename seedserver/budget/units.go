package budget

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Bytes is an amount of data. Its text is a number and a unit: see
// [ParseBytes].
type Bytes int64

// Rate is bytes per second; 0 means unlimited. Its text is a number, a unit and
// "/s": see [ParseRate].
type Rate int64

const unlimited = "unlimited"

// units by name; the first of each size is the one written.
var units = []struct {
	name string
	size int64
}{
	{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3},
	{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"kiB", 1 << 10},
	{"B", 1}, {"", 1},
}

const allowed = "B, kB, MB, GB, TB, PB (thousands) or KiB, MiB, GiB, TiB, PiB (1024s)"

// ParseBytes reads an amount such as "500GB", "256KiB", "1.5 MiB" or "1000": a
// decimal number without sign and one of B, kB, MB, GB, TB, PB, KiB, MiB, GiB,
// TiB, PiB, or none for bytes. The B is upper case, since b would mean bits. A
// fraction of a byte is dropped. The error says what is allowed.
func ParseBytes(s string) (Bytes, error) {
	n, err := parse(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not an amount of bytes: %w; allowed is a number and %s, such as 500GB or 1.5MiB", shorten(s), err, allowed)
	}
	return Bytes(n), nil
}

// ParseRate reads a rate such as "2MB/s", "256KiB/s" or "unlimited": an amount
// as in [ParseBytes], of at least one byte, and "/s", which may be left out.
// "0" means unlimited too. The error says what is allowed.
func ParseRate(s string) (Rate, error) {
	text := strings.TrimSpace(s)
	if text == unlimited || text == "0" {
		return 0, nil
	}
	n, err := parse(strings.TrimSuffix(text, "/s"))
	if err == nil && n == 0 {
		err = errors.New("less than a byte")
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a rate: %w; allowed is a number and %s, then /s, such as 2MB/s or 256KiB/s, or %s", shorten(s), err, allowed, unlimited)
	}
	return Rate(n), nil
}

// parse reads a number and a unit.
func parse(s string) (int64, error) {
	s = strings.TrimSpace(s)
	end := len(s) - len(strings.TrimLeft(s, "0123456789."))
	number, name := s[:end], strings.TrimLeft(s[end:], " ")
	whole, fraction, dotted := strings.Cut(number, ".")
	if whole == "" || dotted && fraction == "" || strings.Contains(fraction, ".") {
		return 0, errors.New("no number")
	}
	if len(number) > 40 {
		return 0, errors.New("too many digits")
	}
	for _, unit := range units {
		if unit.name != name {
			continue
		}
		value, ok := new(big.Rat).SetString(number)
		if !ok {
			return 0, errors.New("no number")
		}
		value.Mul(value, new(big.Rat).SetInt64(unit.size))
		n := new(big.Int).Quo(value.Num(), value.Denom())
		if !n.IsInt64() {
			return 0, errors.New("too large")
		}
		return n.Int64(), nil
	}
	return 0, fmt.Errorf("unknown unit %q", shorten(name))
}

// shorten keeps an error readable whatever was typed.
func shorten(s string) string {
	if len(s) > 50 {
		return s[:47] + "..."
	}
	return s
}

// String returns the amount in the unit that needs the fewest digits and no
// fraction, such as "500GB" or "256KiB". ParseBytes reads it back exactly.
func (b Bytes) String() string {
	best := strconv.FormatInt(int64(b), 10) + "B"
	if b == 0 {
		return best
	}
	for _, unit := range units {
		if unit.size > 1 && int64(b)%unit.size == 0 {
			if text := strconv.FormatInt(int64(b)/unit.size, 10) + unit.name; len(text) < len(best) {
				best = text
			}
		}
	}
	return best
}

// String returns the rate as in "2MB/s", or "unlimited".
func (r Rate) String() string {
	if r <= 0 {
		return unlimited
	}
	return Bytes(r).String() + "/s"
}

// MarshalText returns what String returns. It never fails.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is [ParseBytes].
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}

// MarshalText returns what String returns. It never fails.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is [ParseRate].
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}
