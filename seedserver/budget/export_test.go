package budget

import "time"

// Advance is what Run does once a second.
func (a *Account) Advance(now time.Time) { a.advance(now) }
