package web

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// visible returns name as it can be shown: valid UTF-8, with control characters
// and those that change the direction of the text around them replaced by ones
// that can be seen.
func visible(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] < ' ' || name[i] > '~' {
			return strings.Map(visibleRune, name)
		}
	}
	return name
}

// visibleText is visible for a text of several lines: it keeps tabs and the ends
// of lines.
func visibleText(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return r
		}
		return visibleRune(r)
	}, text)
}

func visibleRune(r rune) rune {
	switch {
	case r < ' ':
		return '␀' + r
	case r == 0x7f:
		return '␡'
	case 0x80 <= r && r < 0xa0, r == 0x2028, r == 0x2029, // C1 controls, line and paragraph separator
		0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069: // embeddings, overrides, isolates
		return utf8.RuneError
	}
	return r
}

// appendHTML appends s escaped for text and for attributes in double quotes.
func appendHTML[T string | []byte](dst []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		escape := ""
		switch s[i] {
		case '&':
			escape = "&amp;"
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '"':
			escape = "&#34;"
		case '\'':
			escape = "&#39;"
		default:
			continue
		}
		dst = append(append(dst, s[start:i]...), escape...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// appendSize appends a number of bytes in the unit that leaves one to four
// digits before the point: "999 B", "1.5 KiB", "1023 GiB".
func appendSize(dst []byte, n int64) []byte {
	if n < 1024 {
		return append(strconv.AppendInt(dst, n, 10), " B"...)
	}
	value, unit := float64(n)/1024, 0
	for ; value >= 1023.5 && unit < 5; unit++ {
		value /= 1024
	}
	digits := 0
	if value < 9.95 {
		digits = 1
	}
	dst = strconv.AppendFloat(dst, value, 'f', digits, 64)
	return append(dst, ' ', "KMGTPE"[unit], 'i', 'B')
}

// appendTime appends t as people read it, in UTC, or nothing if it is zero.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return t.UTC().AppendFormat(dst, "2006-01-02 15:04")
}

// appendCount appends "1 file", "2 files".
func appendCount(dst []byte, n int, noun string) []byte {
	dst = append(strconv.AppendInt(dst, int64(n), 10), ' ')
	dst = append(dst, noun...)
	if n == 1 {
		return dst
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return append(append(dst[:len(dst)-len(noun)], stem...), "ies"...)
	}
	return append(dst, 's')
}

// percent returns a part of one in whole percent, 0 to 100; 100 only if all is
// done.
func percent(part float64) int {
	switch {
	case !(part > 0):
		return 0
	case part >= 1:
		return 100
	}
	return int(part * 100)
}
