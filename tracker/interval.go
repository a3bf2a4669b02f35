package tracker

import (
	"math/rand/v2"
	"time"
)

// Jitter returns an interval in whole seconds, uniform between d*(1-spread) and
// d*(1+spread). Clients that began together, after a restart of the tracker for
// one, are so spread over time. A spread of 0 or less leaves d as it is, one
// over 1 counts as 1. The result is at least one second.
func Jitter(d time.Duration, spread float64, r *rand.Rand) time.Duration {
	if spread > 0 {
		d = time.Duration(float64(d) * (1 + min(spread, 1)*(2*r.Float64()-1)))
	}
	return max(d.Round(time.Second), time.Second)
}
