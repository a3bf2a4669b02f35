package admin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// visible returns name as it can be shown: valid UTF-8, with control characters and those that change the direction of the text
// around them replaced by ones that can be seen.
func visible(name string) string {
	return strings.Map(func(r rune) rune {
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
	}, name)
}

// size returns a number of bytes in the unit that leaves one to four digits before the point: "999 B", "1.5 KiB", "1023 GiB".
func size(n int64) string {
	if n < 0 {
		return "−" + size(-n)
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n)/1024, 0
	for ; value >= 1023.5 && unit < 5; unit++ {
		value /= 1024
	}
	digits := 0
	if value < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + "KMGTPE"[unit:unit+1] + "iB"
}

// perSec returns a rate in bytes per second, "–" for none.
func perSec(n int64) string {
	if n <= 0 {
		return dash
	}
	return size(n) + "/s"
}

// some returns a number of bytes, "–" for none.
func some(n int64) string {
	if n == 0 {
		return dash
	}
	return size(n)
}

// times returns how many times n goes into of: "0.25 ×", "12 ×"; "–" when nothing was counted.
func times(n, of int64) string {
	if n <= 0 || of <= 0 {
		return dash
	}
	return decimal(float64(n)/float64(of), 2) + " ×"
}

// decimal returns v with digits behind the point, fewer when it is large.
func decimal(v float64, digits int) string {
	if v >= 10 {
		digits--
	}
	if v >= 100 {
		digits = 0
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// percent returns a part of one in whole percent, 0 to 100; 100 only if it is all.
func percent(part float64) int {
	switch {
	case !(part > 0):
		return 0
	case part >= 1:
		return 100
	}
	return int(part * 100)
}

// count returns "1 peer", "2 peers".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// moment returns t as people read it, in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// lasted returns a duration in its largest unit: "12 s", "3 min", "5 h", "2 days".
func lasted(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
