package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// code lets the benchmarks of single packages run that have sizes in their names, and puts their figures side by side.
var code = section{
	name: "code", title: "Decisions, by peers and pieces",
	about: `What single decisions cost as what they decide about grows: benchmarks of this repository, with nothing around them. *Have* and *Pick* are
flat until the peers' bitfields no longer fit into the processor's caches. *Sweep*, once a second, looks at each peer. Memory is a bit for each piece
of each peer, which nobody can do without, and some bytes for each piece and each peer.`,
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		var tables []*table
		for _, c := range []struct {
			title, pkg, pattern, unit string
			across                    string // the size that grows from column to column
			time                      string
		}{
			{"Super-seeding picker, ns a step", "piecepicker", "^Benchmark(Have|Pick|Sweep)$", "ns/op", "peers", "20ms"},
			{"Super-seeding picker, MB", "piecepicker", "^BenchmarkMemory$", "MB", "peers", "1x"},
			{"Downloading picker, ns a block", "piecepicker", "^BenchmarkAskerBlock$", "ns/op", "peers", "20ms"},
		} {
			t, err := l.benchmark(ctx, c.title, c.pkg, c.pattern, c.unit, c.across, c.time)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
			l.say("%s", c.title)
		}
		return tables, nil
	},
}

// benchmark runs the benchmarks of pkg that match, and makes a table of those of their figures that have unit.
func (l *lab) benchmark(ctx context.Context, title, pkg, pattern, unit, across, time string) (*table, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", time, "-count", fmt.Sprint(l.rounds), module+"/"+pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", pkg, err, out[max(0, len(out)-2000):])
	}
	return pivot(title, string(out), unit, across), nil
}

var result = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s(.*)$`)

// pivot reads what "go test -bench" prints: a column for each value of the size called across, a row for each rest of a name.
func pivot(title, output, unit, across string) *table {
	t := &table{title: title, keys: []string{"benchmark"}}
	for line := range strings.Lines(output) {
		m := result.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		figures := strings.Fields(m[2])
		for i := 0; i+1 < len(figures); i += 2 {
			value, err := strconv.ParseFloat(figures[i], 64)
			if err != nil || figures[i+1] != unit {
				continue
			}
			var rest []string
			column := ""
			for part := range strings.SplitSeq(m[1], "/") {
				if strings.HasPrefix(part, across+"=") {
					column = part
				} else {
					rest = append(rest, part)
				}
			}
			t.column(column)
			t.row(strings.Join(rest, ", ")).add(column, value)
		}
	}
	return t
}
