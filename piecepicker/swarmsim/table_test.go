package swarmsim

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const resultsFile = "RESULTS.md"

// A section of RESULTS.md is a table: a row for each scenario, a column for each server.
type section struct {
	title, about string
	scenarios    []scenario
	cell         func(rs []*Result) string
	last         func(rs []*Result) string // of a column about the scenario itself; may be nil
	lastTitle    string
}

var sections = []section{
	{
		title:     "First copy: copies, seconds",
		about:     "When every piece is at some leech. With the gate the last 2 % are held until the slow ones have the rest.",
		scenarios: flashCrowds, lastTitle: "at least",
		cell: func(rs []*Result) string { return marks(rs, func(r *Result) Mark { return r.First }) },
		last: func(rs []*Result) string {
			return fmt.Sprintf("1.00, %.0f", float64(rs[0].length)/float64(rs[0].uplink))
		},
	},
	{
		title:     "Flash crowd: copies, seconds until all are complete",
		about:     "All come at once.",
		scenarios: flashCrowds, lastTitle: "at least", cell: complete,
		last: func(rs []*Result) string {
			return fmt.Sprintf("%.0f", mean(rs, func(r *Result) float64 { return r.Bound.Seconds() }))
		},
	},
	{
		title: "Seconds until all are complete, over the least that so many copies allow",
		about: "T over max(F/us, F/dmin, (N-C)F/sum ui).", scenarios: flashCrowds,
		cell: func(rs []*Result) string {
			return fmt.Sprintf("%.2f", mean(rs, func(r *Result) float64 {
				return ratio(r.All.At.Seconds(), r.BoundAt(r.All.Copies).Seconds())
			}))
		},
	},
	{
		title: "Liars, free riders, NAT: copies, seconds until all honest ones are complete",
		about: "They leave when they are; in brackets, where it is not all of them, how many were complete at the end. " +
			"900 fake seeds take nearly all of the server's 200 connections, and it lets go of none.",
		scenarios: attacks, cell: complete,
	},
	{
		title:     "The same: first copy",
		about:     "Copies and seconds until every piece is, or was, at some leech.",
		scenarios: attacks, cell: func(rs []*Result) string { return marks(rs, func(r *Result) Mark { return r.First }) },
	},
	{
		title:     "The same: the longest that an honest peer was without a byte",
		about:     "In seconds.",
		scenarios: attacks, cell: func(rs []*Result) string {
			return fmt.Sprintf("%.0f", mean(rs, func(r *Result) float64 { return r.Stalled.Seconds() }))
		},
	},
	{
		title:     "Loss: copies, seconds until every piece is held again",
		about:     "26 of 512 pieces (0.051 copies, 13 s) are lost by all who have them.",
		scenarios: losses, cell: func(rs []*Result) string { return marks(rs, func(r *Result) Mark { return r.Recovery }) },
	},
	{
		title:     "Steady state: GiB an hour, mean seconds of a download, copies sent for each",
		about:     "Peers come one by one at random and leave when they are complete. L/F, a piece for each, is 0.0020.",
		scenarios: steadies, lastTitle: "peers", cell: func(rs []*Result) string {
			return fmt.Sprintf("%.3g, %.0f, %.4f",
				mean(rs, func(r *Result) float64 { return r.Steady.BytesPerHour() / (1 << 30) }),
				mean(rs, func(r *Result) float64 { return r.Steady.Mean }),
				mean(rs, func(r *Result) float64 { return r.PerDownload() }))
		},
		last: func(rs []*Result) string {
			return fmt.Sprintf("%.0f", mean(rs, func(r *Result) float64 { return r.Steady.Peers }))
		},
	},
}

func mean(rs []*Result, f func(*Result) float64) float64 {
	sum := 0.0
	for _, r := range rs {
		sum += f(r)
	}
	return ratio(sum, float64(len(rs)))
}

func marks(rs []*Result, f func(*Result) Mark) string {
	if slices.ContainsFunc(rs, func(r *Result) bool { return !f(r).Reached() }) {
		return "not reached"
	}
	return fmt.Sprintf("%.3f, %.0f", mean(rs, func(r *Result) float64 { return f(r).Copies }),
		mean(rs, func(r *Result) float64 { return f(r).At.Seconds() }))
}

func complete(rs []*Result) string {
	done := mean(rs, func(r *Result) float64 { return ratio(float64(r.Done), float64(r.Honest)) })
	text := fmt.Sprintf("%.2f, %.0f", mean(rs, func(r *Result) float64 { return r.Copies }),
		mean(rs, func(r *Result) float64 { return cmp.Or(r.All.At, r.Ended).Seconds() }))
	if done < 1 {
		text += fmt.Sprintf(" (%.0f %%)", 100*done)
	}
	return text
}

// A table holds all results by scenario and server.
type table map[[2]string][]*Result

// of returns the results of a scenario with a server.
func (t table) of(scenario, server string) []*Result {
	rs := t[[2]string{scenario, server}]
	if rs == nil {
		panic("no results of " + scenario + " with " + server)
	}
	return rs
}

// runAll runs every scenario with every server, two at a time.
func runAll(t *testing.T) table {
	type job struct {
		sc     scenario
		server string
		seed   int
	}
	jobs := make(chan job)
	all := table{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for j := range jobs {
				began := time.Now()
				r := Run(j.sc.config(serverNamed(t, j.server), uint64(j.seed)))
				mu.Lock()
				all.of(j.sc.name, j.server)[j.seed-1] = r
				mu.Unlock()
				t.Logf("%v: %s, %s, seed %d", time.Since(began).Round(time.Millisecond), j.sc.name, j.server, j.seed)
			}
		})
	}
	for _, list := range [][]scenario{flashCrowds, attacks, losses, steadies} {
		for _, sc := range list {
			for _, server := range sc.with() {
				mu.Lock()
				all[[2]string{sc.name, server}] = make([]*Result, sc.seeds())
				mu.Unlock()
				for k := range sc.seeds() {
					jobs <- job{sc, server, k + 1}
				}
			}
		}
	}
	close(jobs)
	wg.Wait()
	return all
}

// TestTable writes RESULTS.md with -update: that takes some 15 minutes of two cores. Otherwise it looks whether the
// file has a row for every scenario.
func TestTable(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(resultsFile, []byte(results(runAll(t))), 0o644))
		return
	}
	b, err := os.ReadFile(resultsFile)
	require.NoError(t, err)
	for _, sec := range sections {
		require.Contains(t, string(b), "## "+sec.title+"\n", "run with -update")
		for _, sc := range sec.scenarios {
			require.Contains(t, string(b), "\n| "+sc.name+" |", "run with -update")
		}
	}
}

const preface = `# Results

Made by %s; not written by hand.

1 GiB in 512 pieces of 2 MiB, a server of 4 MiB/s with 200 connections, leeches of 1 MiB/s up and 8 MiB/s down, unless a row
says otherwise. Mixed lines: 20 %% of 0.12 up and 2.4 down, 50 %% of 0.6 and 6, 25 %% of 2 and 12, 5 %% of 8 and 24 MiB/s. Each
figure is a mean of %d seeds, %d in the steady state; of one, where there are a thousand peers or more. "conservative" has the release gate,
"without gate" has not; "normal", "libtorrent" (super-seeding) and "BEP 16" (strict) are models of what others do.

What one run of a thousand leaving peers costs is chance: the server sees 200 of them, and when those leave it sends again what the
others have. Six seeds of "leave, N=1000, conservative" gave 1.04, 1.05, 1.05, 1.06, 1.07 and 1.98 copies.
`

func results(all table) string {
	var b strings.Builder
	const command = "`go test ./piecepicker/swarmsim -run TestTable -timeout 120m -update`"
	fmt.Fprintf(&b, preface, command, scenario{}.seeds(), steadies[0].seeds())
	b.WriteString("\n## Bars\n\n" + barTable(all))
	for _, sec := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| |", sec.title, sec.about)
		for _, srv := range servers {
			fmt.Fprintf(&b, " %s |", srv.name)
		}
		if sec.last != nil {
			fmt.Fprintf(&b, " %s |", sec.lastTitle)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(servers)))
		if sec.last != nil {
			b.WriteString("---|")
		}
		b.WriteString("\n")
		for _, sc := range sec.scenarios {
			fmt.Fprintf(&b, "| %s |", sc.name)
			for _, srv := range servers {
				text := ""
				if slices.Contains(sc.with(), srv.name) {
					text = sec.cell(all.of(sc.name, srv.name))
				}
				fmt.Fprintf(&b, " %s |", text)
			}
			if sec.last != nil {
				fmt.Fprintf(&b, " %s |", sec.last(all.of(sc.name, "conservative")))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
