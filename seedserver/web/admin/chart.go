package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lineChart is a rate over the last hour.
type lineChart struct {
	Label   string // what it shows, for who does not see it
	Peak    string // the highest point
	Top     string // what the upper edge stands for
	Width   int
	Line    string // the path of the line, in a box of Width by 100
	Area    string // the same, closed at the bottom
	Nothing bool   // all points are zero
}

func newLineChart(points []int64) lineChart {
	peak := slices.Max(points)
	top := niceTop(peak)
	c := lineChart{Width: len(points) - 1, Peak: perSec(peak), Top: perSec(top), Nothing: peak == 0}
	c.Label = "Upload in the last hour: " + c.Peak + " at most, now " + perSec(points[len(points)-1])
	if c.Nothing {
		c.Label, c.Top = "Upload in the last hour: nothing", "0"
	}
	var line strings.Builder
	for i, v := range points {
		if i > 0 && i < len(points)-1 && points[i-1] == v && points[i+1] == v {
			continue // on the line between its neighbours
		}
		line.WriteString(strings.Repeat("L", min(i, 1)))
		line.WriteString(strconv.Itoa(i))
		line.WriteByte(' ')
		line.WriteString(strconv.FormatFloat(100-100*float64(v)/float64(max(top, 1)), 'f', 1, 64))
	}
	c.Line = "M" + line.String()
	c.Area = c.Line + "V100H0Z"
	return c
}

// niceTop returns the lowest 1, 2 or 5 with zeros, in the unit it is shown in, that is not below n.
func niceTop(n int64) int64 {
	unit := int64(1)
	for n >= 1000*unit && unit < 1<<60 {
		unit <<= 10
	}
	for step := unit; ; step *= 10 {
		for _, digit := range []int64{1, 2, 5} {
			if top := digit * step; top >= n || top > 1<<60 {
				return top
			}
		}
	}
}

// daySum is what was sent on a day.
type daySum struct {
	day              time.Time
	bittorrent, http int64
}

// dayChart is the bytes of each day of some, as bars in a box of Width by 100.
type dayChart struct {
	Label       string
	Top         string // what the upper edge stands for
	Width       int
	First, Last string
	Bars        []dayBar // of the days on which anything was sent
}

type dayBar struct {
	Title string
	Parts []barPart
}

type barPart struct {
	Class     string
	X, Width  int
	Y, Height string
}

// barStep is how wide a day is, barWidth its bar.
const barStep, barWidth = 10, 7

func newDayChart(days []daySum) dayChart {
	var peak int64
	for _, d := range days {
		peak = max(peak, d.bittorrent+d.http)
	}
	c := dayChart{
		Label: "Sent on each day: " + size(peak) + " at most", Width: barStep*len(days) - barStep + barWidth,
		First: days[0].day.Format(time.DateOnly), Last: days[len(days)-1].day.Format(time.DateOnly),
	}
	top := niceTop(peak)
	if c.Top = size(top); peak == 0 {
		c.Label, c.Top = "Sent on each day: nothing", "0"
	}
	part := func(i int, class string, above, n int64) barPart {
		height := func(n int64) string { return strconv.FormatFloat(100*float64(n)/float64(top), 'f', 1, 64) }
		return barPart{class, i * barStep, barWidth, height(top - above - n), height(n)}
	}
	for i, d := range days {
		bar := dayBar{Title: fmt.Sprintf("%s: %s by BitTorrent, %s by HTTP", d.day.Format(time.DateOnly), size(d.bittorrent), size(d.http))}
		if d.http > 0 {
			bar.Parts = append(bar.Parts, part(i, "http", 0, d.http))
		}
		if d.bittorrent > 0 {
			bar.Parts = append(bar.Parts, part(i, "bittorrent", d.http, d.bittorrent))
		}
		if bar.Parts != nil {
			c.Bars = append(c.Bars, bar)
		}
	}
	return c
}

// pieceMap is the strip of availability: how many peers have each piece.
type pieceMap struct {
	Label  string
	Width  int
	Levels []mapLevel
}

// mapLevel is one of the classes into which the map sorts pieces.
type mapLevel struct {
	Class  string
	Name   string
	Pieces int
	Path   string // a line through the middle of a box of Width by 1, as wide as that is high
}

// mapColumns is how many columns a map has at most.
const mapColumns = 2000

var levels = []struct {
	from uint32
	name string
}{{0, "no peer"}, {1, "one peer"}, {2, "2 or 3 peers"}, {4, "4 to 9 peers"}, {10, "10 or more"}}

func levelOf(holders uint32) int {
	level := 0
	for i, l := range levels {
		if holders >= l.from {
			level = i
		}
	}
	return level
}

// newPieceMap draws holders, for each piece how many peers have it. Where there are more pieces than columns, a column shows the
// rarest of its pieces.
func newPieceMap(holders []uint32) pieceMap {
	m := pieceMap{Width: min(len(holders), mapColumns), Levels: make([]mapLevel, len(levels))}
	for i := range m.Levels {
		m.Levels[i].Class, m.Levels[i].Name = "level"+strconv.Itoa(i), levels[i].name
	}
	for _, n := range holders {
		m.Levels[levelOf(n)].Pieces++
	}
	paths := make([]strings.Builder, len(levels))
	for from := 0; from < m.Width; {
		level, to := m.column(holders, from), from+1
		for to < m.Width && m.column(holders, to) == level {
			to++
		}
		fmt.Fprintf(&paths[level], "M%d .5h%d", from, to-from)
		from = to
	}
	var label []string
	for i := range m.Levels {
		m.Levels[i].Path = paths[i].String()
		if n := m.Levels[i].Pieces; n > 0 {
			label = append(label, fmt.Sprintf("%s with %s", count(n, "piece"), levels[i].name))
		}
	}
	m.Label = "Availability: " + strings.Join(label, ", ")
	return m
}

func (m *pieceMap) column(holders []uint32, at int) int {
	return levelOf(slices.Min(holders[at*len(holders)/m.Width : (at+1)*len(holders)/m.Width]))
}
