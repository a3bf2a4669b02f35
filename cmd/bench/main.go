package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// section is one subject of measurement.
type section struct {
	name, title string
	about       string // how it is measured and what to read from it, in markdown
	measure     func(ctx context.Context, l *lab) ([]*table, error)
}

var sections = []section{seeding, connections, torrents, library, tracking, hashing, downloading, code}

// options are the command line.
type options struct {
	rounds  int
	window  time.Duration
	size    int64 // bytes of the file that is seeded, hashed, downloaded
	largest int   // the largest size of growth tables
	out     string
	only    []string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "n", 3, "`rounds`: each figure is the median of so many")
	flag.DurationVar(&o.window, "time", 1500*time.Millisecond, "how long throughput is measured in each round")
	size := flag.Int64("size", 1024, "`MiB` of the file that is seeded, hashed and downloaded")
	flag.IntVar(&o.largest, "largest", 100_000, "leave out what is larger than this many connections, torrents, files, pieces")
	flag.StringVar(&o.out, "o", "", "write into this `file`, each section in the place of what was there of it")
	list := flag.Bool("list", false, "list the sections and end")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./cmd/bench [flags] [section...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.size, o.only = *size<<20, flag.Args()
	if *list {
		for _, s := range sections {
			fmt.Printf("%-12s %s\n", s.name, s.title)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the chosen sections and writes each as soon as it is there.
func run(ctx context.Context, o options) error {
	if runtime.GOOS != "linux" {
		return errors.New("it reads /proc, and so runs on Linux only")
	}
	if o.rounds < 1 || o.window <= 0 || o.size < 16<<20 {
		return errors.New("it needs at least one round, some time, and 16 MiB")
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	if err := write(o.out, "machine", l.machine(ctx)); err != nil {
		return err
	}
	for _, s := range chosen {
		begin := time.Now()
		l.say("%s: %s", s.name, s.title)
		tables, err := s.measure(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := write(o.out, s.name, s.markdown(tables, l, begin)); err != nil {
			return err
		}
		l.say("%s: took %v", s.name, time.Since(begin).Round(time.Second))
	}
	return nil
}

// choose returns the sections named, or all.
func choose(names []string) ([]section, error) {
	if len(names) == 0 {
		return sections, nil
	}
	var chosen []section
	for _, name := range names {
		i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no section is called %q; -list lists them", name)
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}

// markdown is the section as it is written.
func (s section) markdown(tables []*table, l *lab, begin time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, strings.TrimSpace(s.about))
	for _, t := range tables {
		b.WriteString(t.markdown())
	}
	fmt.Fprintf(&b, "`go run ./cmd/bench -n %d %s`, %s, commit %s.\n", l.rounds, s.name, begin.UTC().Format(time.DateOnly), l.commit)
	return b.String()
}
