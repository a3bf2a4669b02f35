package ledger

import "time"

// Day is a day in UTC, counted from 1970-01-01, which is 0.
type Day int32

const daySeconds = 24 * 60 * 60

// DayOf returns the day of t in UTC.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= daySeconds - 1 // round down
	}
	return Day(seconds / daySeconds)
}

// Time returns the beginning of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// Month returns the first day of the month of d.
func (d Day) Month() Day {
	t := d.Time()
	return d - Day(t.Day()-1)
}

// String returns the day as in "2006-01-02".
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText returns the day as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Span is a length of time over which traffic is added up.
type Span uint8

// The spans. A row of each is kept for every entry, so that a sum over days is
// never needed.
const (
	SpanDay   Span = iota // from midnight to midnight
	SpanMonth             // of the calendar
	SpanEver              // since counting began
)

var spanNames = [...]string{"day", "month", "ever"}

// String returns "day", "month" or "ever".
func (s Span) String() string {
	if int(s) >= len(spanNames) {
		return "unknown"
	}
	return spanNames[s]
}

// start returns the first day of the span that d is in; that of SpanEver is 0.
func (s Span) start(d Day) Day {
	switch s {
	case SpanDay:
		return d
	case SpanMonth:
		return d.Month()
	}
	return 0
}
