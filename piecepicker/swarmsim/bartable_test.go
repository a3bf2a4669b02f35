package swarmsim

import (
	"fmt"
	"strings"
)

// A bar is something the picker is to be good for, and what it is.
type bar struct {
	goal, where, asked string
	got                float64
	most               float64 // that got may be
}

// bars are the goals that a simulation can tell about.
func bars(all table) []bar {
	const gate, open = "conservative", "without gate"
	copies := func(r *Result) float64 { return r.Copies }
	first := func(r *Result) float64 { return r.First.Copies }
	firstTime := func(r *Result) float64 { return r.First.At.Seconds() / (float64(r.length) / float64(r.uplink)) }
	seconds := func(r *Result) float64 { return r.All.At.Seconds() }
	over := func(r *Result) float64 { return ratio(r.All.At.Seconds(), r.BoundAt(r.All.Copies).Seconds()) }
	stalled := func(r *Result) float64 { return r.Stalled.Seconds() }
	missing := func(r *Result) float64 { return float64(r.Honest - r.Done) }
	m := func(sc, server string, f func(*Result) float64) float64 { return mean(all.of(sc, server), f) }
	against := func(sc, server, other string, f func(*Result) float64) float64 {
		return ratio(m(sc, server, f), m(sc, other, f))
	}
	var out []bar
	add := func(goal, asked string, most float64, sc, server string, got float64) {
		out = append(out, bar{goal, sc + ", " + server, asked, got, most})
	}
	for _, sc := range []string{"leave, N=10", "leave, N=100", "leave, N=1000", "mixed lines, leave, N=100"} {
		add("copies at the first copy", "1.02", 1.02, sc, open, m(sc, open, first))
		add("time of the first copy over F/us", "1.10", 1.10, sc, open, m(sc, open, firstTime))
	}
	for _, sc := range []string{"stay, N=100", "stay, N=1000"} {
		add("copies, peers stay", "1.10", 1.10, sc, open, m(sc, open, copies))
	}
	crowds := []string{
		"leave, N=20", "leave, N=100", "leave, N=1000", "mixed lines, leave, N=100", "mixed lines, leave, N=1000",
		"64 MiB in 256 pieces, leave, N=100",
	}
	for _, sc := range crowds {
		add("copies, they leave, gate", "1.15", 1.15, sc, gate, m(sc, gate, copies))
		add("copies, they leave, no gate", "1.35", 1.35, sc, open, m(sc, open, copies))
	}
	for _, sc := range append(crowds, "stay, N=100") {
		add("time against libtorrent's super-seeding", "1.10", 1.10, sc, gate, against(sc, gate, "libtorrent", seconds))
		add("copies against it", "0.33", 0.3334, sc, gate, against(sc, gate, "libtorrent", copies))
	}
	add("time over the least for so many copies", "1.15", 1.15, "leave, N=10", open, m("leave, N=10", open, over))
	add("the same", "1.15", 1.15, "leave, N=10", gate, m("leave, N=10", gate, over))
	add("the same, unthrottled", "1.10", 1.10, "leave, N=10", "generous", m("leave, N=10", "generous", over))
	add("time of a lone leech against a normal seed", "1.05", 1.05, "alone", gate, against("alone", gate, "normal", seconds))
	for _, sc := range []string{"360 arrivals/h", "108 arrivals/h", "108 arrivals/h that stay 5 min"} {
		add("copies for each further download", "L/F = 0.0020", 1.0/512, sc, gate, m(sc, gate, (*Result).PerDownload))
	}
	for _, sc := range []string{"5 % lost at 700 s, N=10", "5 % lost at 700 s, N=100"} {
		rs := all.of(sc, open)
		lost := float64(rs[0].Lost)
		pieces := mean(rs, func(r *Result) float64 { return r.Recovery.Copies * 512 })
		add("pieces sent for each one lost", "1.3", 1.3, sc, open, pieces/lost)
		seconds := mean(rs, func(r *Result) float64 { return r.Recovery.At.Seconds() })
		add("seconds until held again", "5 + 1.3 k L/us = 22", 5+1.3*lost*2/4, sc, open, seconds)
	}
	const fakes = "20 and 180 fake seeds"
	for _, server := range []string{gate, open} {
		add("longest without a byte, s", "120", 120, fakes, server, m(fakes, server, stalled))
	}
	add("time of the first copy over F/us", "1.10", 1.10, fakes, open, m(fakes, open, firstTime))
	for _, sc := range []string{"50 % free riders, N=10", "50 % free riders, N=100"} {
		add("copies at the first copy", "1.20", 1.20, sc, gate, m(sc, gate, first))
		add("honest peers not complete", "0", 0, sc, gate, m(sc, gate, missing))
		add("copies against libtorrent's super-seeding", "0.50", 0.5, sc, gate, against(sc, gate, "libtorrent", copies))
	}
	return out
}

func barTable(all table) string {
	var b strings.Builder
	list := bars(all)
	failed := 0
	b.WriteString("| goal | where | at most | is | |\n|---|---|---|---|---|\n")
	for _, x := range list {
		verdict := "met"
		if x.got > x.most {
			verdict = "**not met**"
			failed++
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.4g | %s |\n", x.goal, x.where, x.asked, x.got, verdict)
	}
	fmt.Fprintf(&b, "\n%d of %d are not met.\n", failed, len(list))
	return b.String()
}
