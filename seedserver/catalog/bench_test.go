package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkArrival is the whole way of many new files in one directory, without
// disk and hashing.
func BenchmarkArrival(b *testing.B) {
	for _, n := range []int{5_000, 50_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				arrive(b, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/file")
		})
	}
}

// arrive lets n files come in events, settle, be checked and reach the queue,
// and takes them from there.
func arrive(b *testing.B, n int) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	rules, err := compileRules(Rules{})
	if err != nil {
		b.Fatal(err)
	}
	c := newCore(&Config{Rescan: -1}, "top", rules, nil, nil, now)
	v := newView()
	var all []found // what is in the directory
	answer := func() {
		c.advance(now)
		for len(c.scans) > 0 {
			job := c.scans[0]
			c.prepare(job)
			c.scanTaken()
			l := listing{job: job}
			for name := range job.names {
				l.found = append(l.found, found{name: name, stamp: Stamp{Dev: 1, Ino: uint64(len(all) + len(l.found) + 1), Size: 1, ModTime: now.UnixNano()}})
			}
			all = append(all, l.found...)
			if job.whole {
				l.found = all
			}
			c.listed(now, l)
		}
		for len(c.checks) > 0 {
			job := c.checks[0]
			c.checkTaken()
			c.checkDone(now, checked{job: job})
		}
		for job := c.nextHash(); job != nil; job = c.nextHash() {
			c.startHash(job)
			c.hashDone(now, hashed{job: job, err: fmt.Errorf("not hashed here")})
		}
		v.apply(c.takeShown())
	}
	answer()
	for i := range n {
		c.touch(now, "", fmt.Sprintf("file-%d", i), wrote)
		if i%500 == 499 {
			now = now.Add(touchDelay)
			answer()
		}
	}
	now = now.Add(11 * time.Second)
	answer()
	if got := v.sum().Count(Failed); got != n {
		b.Fatalf("%d files reached the queue, want %d", got, n)
	}
}

// BenchmarkRescan is a look at a tree of files, all of them as they were.
func BenchmarkRescan(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			top := b.TempDir()
			for i := range n {
				dir := filepath.Join(top, strconv.Itoa(i/1000))
				if i%1000 == 0 {
					require.NoError(b, os.Mkdir(dir, 0o755))
				}
				require.NoError(b, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), []byte{1}, 0o644))
			}
			root, err := os.OpenRoot(top)
			require.NoError(b, err)
			defer root.Close()
			s := &scanner{root: root, maxNames: n, watch: func(string) {}}
			now := time.Now()
			c := newCore(&Config{}, "top", &ruleset{}, nil, nil, now)
			v := newView()
			look := func() {
				for len(c.scans) > 0 {
					job := c.scans[0]
					c.prepare(job)
					c.scanTaken()
					c.listed(now, s.list(b.Context(), job))
				}
				v.apply(c.takeShown())
			}
			look()
			require.Equal(b, n, v.sum().Files)
			b.ReportAllocs()
			for b.Loop() {
				c.rescan(now)
				look()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/file")
		})
	}
}
