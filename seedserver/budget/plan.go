package budget

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Monthly is an amount of bytes per month; 0 means unlimited. Its text is an amount and "/month", such as "2TB/month".
type Monthly int64

const perMonth = "/month"

// ParseMonthly reads "500GB/month": an amount as in [ParseBytes], of at least a megabyte, and "/month", or "unlimited".
func ParseMonthly(s string) (Monthly, error) {
	text := strings.TrimSpace(s)
	if text == unlimited || text == "0" {
		return 0, nil
	}
	amount, ok := strings.CutSuffix(text, perMonth)
	n, err := parse(amount)
	switch {
	case err == nil && !ok:
		err = errors.New("no /month at the end")
	case err == nil && n < 1e6:
		err = errors.New("less than a megabyte")
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a budget: %w; allowed is a number and %s, then /month, such as 2TB/month, or %s", shorten(s), err, allowed, unlimited)
	}
	return Monthly(n), nil
}

// String returns the budget as in "2TB/month", or "unlimited".
func (m Monthly) String() string {
	if m <= 0 {
		return unlimited
	}
	return Bytes(m).String() + perMonth
}

// MarshalText returns what String returns. It never fails.
func (m Monthly) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is [ParseMonthly].
func (m *Monthly) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMonthly(string(text))
	return err
}

// lastDay is the last day of a month on which a period can begin: every month has it.
const lastDay = 28

// CheckDay reports whether a period can begin on that day of each month.
func CheckDay(day int) error {
	if day < 1 || day > lastDay {
		return errors.New("budget-day " + strconv.Itoa(day) + ": from 1 to 28")
	}
	return nil
}

// Period returns the month around now that begins on a day of the calendar month, at midnight UTC: from start up to end.
func Period(now time.Time, day int) (start, end time.Time) {
	year, month, today := now.UTC().Date()
	if today < day {
		month--
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), time.Date(year, month+1, day, 0, 0, 0, 0, time.UTC)
}
