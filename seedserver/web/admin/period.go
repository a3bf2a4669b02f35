package admin

import (
	"fmt"
	"net/url"
	"time"
)

// period is some days, the first and the last included. Each is the beginning of a day in UTC.
type period struct{ first, last time.Time }

// maxPeriod bounds what one answer covers.
const maxPeriod = 10 * 366 * 24 * time.Hour

const monthLayout = "2006-01"

// monthOf returns the month that t is in.
func monthOf(t time.Time) period {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return period{first, first.AddDate(0, 1, -1)}
}

// lastDays returns the 30 days that end with that of t.
func lastDays(t time.Time) period {
	last := t.UTC().Truncate(24 * time.Hour)
	return period{last.AddDate(0, 0, -29), last}
}

// String returns both days, as in 2006-01-02_2006-01-31.
func (p period) String() string {
	return p.first.Format(time.DateOnly) + "_" + p.last.Format(time.DateOnly)
}

// parsePeriod reads month=, or from= and to=; without them it is the month of now.
func parsePeriod(query url.Values, now time.Time) (period, error) {
	if text := query.Get("month"); text != "" {
		t, err := time.Parse(monthLayout, text)
		if err != nil {
			return period{}, fmt.Errorf("month=%q: write it as in 2006-01", text)
		}
		return monthOf(t), nil
	}
	if !query.Has("from") && !query.Has("to") {
		return monthOf(now), nil
	}
	var p period
	for name, t := range map[string]*time.Time{"from": &p.first, "to": &p.last} {
		var err error
		if *t, err = time.Parse(time.DateOnly, query.Get(name)); err != nil {
			return period{}, fmt.Errorf("%s=%q: write both days as in 2006-01-02", name, query.Get(name))
		}
	}
	if p.last.Before(p.first) || p.last.Sub(p.first) > maxPeriod {
		return period{}, fmt.Errorf("from=%s&to=%s: the first day comes first, and ten years are the most",
			p.first.Format(time.DateOnly), p.last.Format(time.DateOnly))
	}
	return p, nil
}

// months calls do for each month that p has a part in, with that part, in order, until it fails.
func (p period) months(do func(part period) error) error {
	for first := p.first; !first.After(p.last); {
		month := monthOf(first)
		last := month.last
		if last.After(p.last) {
			last = p.last
		}
		if err := do(period{first, last}); err != nil {
			return err
		}
		first = last.AddDate(0, 0, 1)
	}
	return nil
}

// days lists the days of p.
func (p period) days() []time.Time {
	var days []time.Time
	for day := p.first; !day.After(p.last); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days
}
