package swarmsim

import (
	"fmt"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// A Mark is what it took to get somewhere. The zero Mark says that it was not reached.
type Mark struct {
	At     time.Duration // since the start
	Copies float64       // bytes the server sent, over the length of the torrent
}

// Reached reports whether it was reached.
func (m Mark) Reached() bool { return m.At > 0 }

// A Steady is how things are once the swarm has settled: the figures from Config.WarmUp to the end.
type Steady struct {
	Hours     float64
	Bytes     int64   // the server sent
	Downloads int     // honest peers that became complete
	Mean      float64 // seconds from joining to being complete
	Peers     float64 // honest peers in the swarm, on average
}

// BytesPerHour returns what the server sends in an hour.
func (s Steady) BytesPerHour() float64 { return ratio(float64(s.Bytes), s.Hours) }

// A GroupResult is what came of the peers of a [Group].
type GroupResult struct {
	Joined, Done int
	Mean         time.Duration // from joining to being complete, of those who are
	Slowest      time.Duration
	Received     int64 // bytes from the server
	Dropped      int   // by the server
}

// A Result is what came of a simulation.
type Result struct {
	Seed     uint64
	Ended    time.Duration
	First    Mark                          // every piece is, or was, at some leech
	All      Mark                          // all honest peers are complete
	Sent     int64                         // bytes the server sent
	Passed   int64                         // bytes peers sent each other
	Copies   float64                       // Sent over the length of the torrent
	Classes  map[piecepicker.Class]float64 // copies by what they were sent for; class 0 is a server without classes
	Offers   map[piecepicker.Code]int      // pieces offered, by the rule
	Groups   []GroupResult
	Bound    time.Duration // no policy is done before: see [Bound]
	Honest   int           // honest peers that came
	Done     int           // of those, complete
	Stalled  time.Duration // the longest an honest peer was without a byte while incomplete
	Recovery Mark          // after Config.Loss: every piece is held again; from the loss on
	Lost     int           // pieces lost at Config.Loss
	Steady   Steady
	lines    []Line
	length   int64
	uplink   int64
}

// PerDownload returns how many copies the server sends in the steady state for each download that is completed.
func (r *Result) PerDownload() float64 {
	return ratio(ratio(float64(r.Steady.Bytes), float64(r.length)), float64(r.Steady.Downloads))
}

// BoundAt returns the time before which no policy is done that sends the given copies.
func (r *Result) BoundAt(copies float64) time.Duration {
	return Bound(r.length, r.uplink, r.lines, copies)
}

// Bound returns the time before which no policy can have brought length bytes to peers that come at once with these lines, if
// the server sends no more than copies times the length: copies is 0 for any number. It is the largest of three times: that
// of the first copy, that of the slowest line down, and that of all the bytes over all the lines up.
func Bound(length, uplink int64, lines []Line, copies float64) time.Duration {
	if len(lines) == 0 {
		return 0
	}
	up, down, f := 0.0, float64(lines[0].Down), float64(length)
	for _, l := range lines {
		up += float64(l.Up)
		down = min(down, float64(l.Down))
	}
	all := float64(len(lines)) * f / (float64(uplink) + up)
	if copies > 0 {
		all = (float64(len(lines)) - copies) * f / up
	}
	return time.Duration(max(f/float64(uplink), f/down, all) * float64(time.Second))
}

// String returns the main figures in a line.
func (r *Result) String() string {
	return fmt.Sprintf("first copy %s, all %s, %d of %d done, lower bound %v",
		r.First, r.All, r.Done, r.Honest, r.Bound.Round(time.Second))
}

// String returns the mark such as "1.02 copies in 4m12s", or "never".
func (m Mark) String() string {
	if !m.Reached() {
		return "never"
	}
	return fmt.Sprintf("%.2f copies in %v", m.Copies, m.At.Round(time.Second))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
