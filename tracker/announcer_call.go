package tracker

import (
	"errors"
	"time"
)

// Next returns an announce that is to be made now, and false if there is none
// until [Announcer.Deadline]. Of several groups each may have one: a program
// calls Next until it returns false.
func (a *Announcer) Next(now time.Time) (Call, bool) {
	if !a.running {
		return Call{}, false
	}
	for _, g := range a.groups {
		if c, at := a.candidate(g, now); c != nil && !at.After(now) {
			return a.call(c, now), true
		}
	}
	return Call{}, false
}

// Deadline returns when Next is to be called again, the zero time if only an
// event or the end of a call can change anything.
func (a *Announcer) Deadline(now time.Time) time.Time {
	var first time.Time
	if !a.running {
		return first
	}
	for _, g := range a.groups {
		c, at := a.candidate(g, now)
		if c != nil && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// candidate returns the tracker of g to be told next, and when; nil if there is
// none, or one of them is being told.
func (a *Announcer) candidate(g *group, now time.Time) (*contact, time.Time) {
	if a.stopping {
		for c := range g.contacts() {
			if c.started && !c.calling {
				return c, now
			}
		}
		return nil, time.Time{}
	}
	if g.calls > 0 {
		return nil, time.Time{}
	}
	for c := range g.contacts() { // an event goes to the tracker that knows of the session
		if c.started && c.complete && !c.never && !c.notBefore.After(now) {
			return c, now
		}
	}
	var best *contact
	var when time.Time
	for c := range g.contacts() { // in this order those that are ready go first
		at := later(g.due, c.ready())
		if !c.never && (best == nil || at.Before(when)) {
			best, when = c, at
		}
		if best != nil && !when.After(later(now, g.due)) {
			break
		}
	}
	return best, when
}

// ready returns when c may be told what it is to be told next. Only an event
// goes before the least interval.
func (c *contact) ready() time.Time {
	if c.started && c.complete {
		return c.notBefore
	}
	return later(c.notBefore, c.soonest)
}

func (a *Announcer) call(c *contact, now time.Time) Call {
	event := EventNone
	switch {
	case c.started && c.complete && !c.never && !c.notBefore.After(now): // before "stopped", too: else nobody counts the download
		event = EventCompleted
	case a.stopping:
		event = EventStopped
	case !c.started:
		event = EventStarted
	case a.partial:
		event = EventPaused
	}
	c.calling = true
	c.group.calls++
	return Call{URL: c.url, Event: event, TrackerID: c.id, to: c}
}

// Answered reports that the tracker of call answered. Of res the intervals are
// kept, the counts, the tracker id and the warning, not the peers.
func (a *Announcer) Answered(now time.Time, call Call, res *AnnounceResponse) {
	c := call.to
	c.calling = false
	c.group.calls--
	c.last.Announced, c.last.Err = now, nil
	if res.TrackerID != "" { // "it should not be discarded" if one is missing
		c.id = res.TrackerID
	}
	c.failures, c.notBefore = 0, time.Time{}
	regular, least := a.intervals(res)
	c.soonest = now.Add(least)
	if call.Event == EventStopped {
		c.started = false
		return
	}
	c.last.Complete, c.last.Incomplete, c.last.Warning = res.Complete, res.Incomplete, res.Warning
	switch call.Event {
	case EventStarted:
		c.started = true
	case EventCompleted:
		c.complete = false
	}
	c.group.promote(c)
	c.group.current = c
	if !c.complete && !a.stopping {
		c.group.due = now.Add(regular)
	}
}

// intervals returns the time to the next announce, and to the first that may be
// made.
func (a *Announcer) intervals(res *AnnounceResponse) (regular, least time.Duration) {
	regular = res.Interval
	if regular <= 0 {
		regular = defaultAnnounce
	}
	least = min(max(res.MinInterval, a.least), maxAnnounce)
	regular = min(max(regular, least), maxAnnounce)
	// Later rather than earlier: some trackers punish even a second.
	return regular + time.Duration(a.rand.Float64()*announceSpread*float64(regular)), least
}

// Failed reports that the tracker of call did not answer, or refused. A refusal
// that names a time is obeyed (BEP 31). The next tracker of the tier, or of the
// next tier, is asked at once; one that failed is asked again later and later,
// after an hour at most.
func (a *Announcer) Failed(now time.Time, call Call, err error) {
	c := call.to
	c.calling = false
	c.group.calls--
	c.last.Err = err
	if call.Event == EventStopped {
		c.started = false // told once, as good as could be
		return
	}
	pause := backoff(c.failures, firstPause)
	var refusal *FailureError
	if errors.As(err, &refusal) {
		pause = backoff(c.failures, firstRefused)
		switch {
		case refusal.RetryAfter < 0:
			c.never = true
		case refusal.RetryAfter > 0:
			pause = min(max(refusal.RetryAfter, a.least), maxAnnounce)
		}
	}
	c.failures++
	c.notBefore = now.Add(pause + time.Duration(a.rand.Float64()*announceSpread*float64(pause)))
}

// Retry forgets back-offs and what trackers said about never: the user wants
// it. What they said about the least interval stays.
func (a *Announcer) Retry(now time.Time) {
	for _, g := range a.groups {
		g.due = now
		for c := range g.contacts() {
			c.never, c.failures, c.notBefore = false, 0, time.Time{}
		}
	}
}

const (
	firstPause   = 15 * time.Second // of a tracker that is silent
	firstRefused = 5 * time.Minute  // of one that refused and named no time
	longestPause = time.Hour
)

// backoff is how long a tracker is left alone that failed after this many
// failures before.
func backoff(failures int, first time.Duration) time.Duration {
	pause := first
	for range min(failures, 6) {
		pause *= 3
	}
	return min(pause, longestPause)
}
