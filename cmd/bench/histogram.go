package main

import (
	"math/bits"
	"time"
)

// histogram counts durations in steps of about 3 %, from a microsecond to days. The zero value is empty.
type histogram struct {
	counts [64 * steps]int64
	total  int64
}

const steps = 32 // of each doubling

// add counts d.
func (h *histogram) add(d time.Duration) {
	h.counts[bucket(uint64(max(0, d/time.Microsecond)))]++
	h.total++
}

// merge adds what other counted.
func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile is the duration that the share q of what was counted does not exceed, in milliseconds.
func (h *histogram) quantile(q float64) float64 {
	left := int64(q * float64(h.total))
	for i, n := range h.counts {
		if left -= n; left < 0 {
			return float64(lowest(i)) / 1e3
		}
	}
	return 0
}

// bucket is where v microseconds are counted: exactly below steps, then with the highest bits of v.
func bucket(v uint64) int {
	if v < steps {
		return int(v)
	}
	shift := bits.Len64(v) - bits.Len64(steps)
	return (shift+1)*steps + int(v>>shift) - steps
}

// lowest is the smallest value of bucket i.
func lowest(i int) uint64 {
	if i < steps {
		return uint64(i)
	}
	return uint64(i%steps+steps) << (i/steps - 1)
}
