package main

import (
	"context"
	"fmt"
	"math/bits"
	"path/filepath"
	"runtime"
)

var hashing = section{
	name: "hashing", title: "Hashing",
	about: "Making a .torrent of one file in the page cache: the whole run of the program, mktorrent with a thread for each processor.",
	measure: func(ctx context.Context, l *lab) ([]*table, error) {
		dir, err := l.content()
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "big.bin")
		t := newTable("Creation", "piece KiB|program", "MB/s|CPU s/GB")
		for _, length := range []int{256 << 10, 4 << 20} {
			for round := range l.rounds {
				out := filepath.Join(l.dir, fmt.Sprintf("%d-%d", length, round))
				programs := [][]string{{oursName, l.ours, "create", "--piece-length", fmt.Sprint(length), "--out", out + ".ours.torrent", file}}
				if l.others.mktorrent != "" {
					programs = append(programs, []string{"mktorrent", l.others.mktorrent, "-t", fmt.Sprint(runtime.NumCPU()),
						"-l", fmt.Sprint(bits.TrailingZeros(uint(length))), "-o", out + ".mktorrent.torrent", file})
				}
				if l.others.python != "" {
					programs = append(programs, []string{"libtorrent", l.others.python, l.others.script, "create", file, fmt.Sprint(length), out + ".lt.torrent"})
				}
				for _, p := range programs {
					wall, cpu, err := finish(ctx, l.dir, p[1], p[2:]...)
					if err != nil {
						return nil, err
					}
					r := t.row(length>>10, p[0])
					r.add("MB/s", float64(l.size)/1e6/wall.Seconds())
					r.add("CPU s/GB", cpu.Seconds()/(float64(l.size)/1e9))
				}
			}
		}
		return []*table{t}, nil
	},
}
