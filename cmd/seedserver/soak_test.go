//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soakEnv is how long TestSoak takes, "30m" for example; soakTableEnv a file that its table is written to as it grows.
const (
	soakEnv      = "SEEDSERVER_SOAK"
	soakTableEnv = "SEEDSERVER_SOAK_TABLE"
)

// soakRate is how many peers join each server per second.
const soakRate = 40

// soakServers are what is looked at: what a seed keeps of those who left is another thing where it hides its pieces.
var soakServers = []struct {
	mode, ip, admin string
}{
	{"conservative", serverIP, "127.0.0.1:8081"},
	{"plain", "198.18.0.3", "127.0.0.1:8082"},
}

// TestSoak: thousands of peers join and leave, files are replaced and real clients download meanwhile; memory, descriptors and
// goroutines are what they were in the end, and flat on the way. SEEDSERVER_SOAK=30m go test -run TestSoak -timeout 1h -v shows that
// over half an hour.
func TestSoak(t *testing.T) {
	requireTool(t, "aria2c", "aria2")
	requireLibtorrent(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	lasting := 8 * time.Second
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		lasting, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	var all []*soak
	for _, at := range soakServers {
		all = append(all, newSoak(t, at.mode, at.ip, at.admin))
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	var running sync.WaitGroup
	for _, s := range all {
		running.Go(func() { s.churn.run(ctx, soakRate) })
		running.Go(func() { s.sample(ctx, max(lasting/30, time.Second)) })
	}
	for n := 0; ctx.Err() == nil; n++ {
		for i, s := range all {
			running.Go(func() { s.clientComes(ctx, n, clientIP((n*len(all)+i)%200)) })
			s.replaceFile(n)
		}
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
		}
	}
	running.Wait()
	for _, s := range all {
		s.requireFlat(t, lasting)
	}
}

// A soak is one server and what was seen of it.
type soak struct {
	*server
	admin  string
	churn  *churn
	whole  map[string]string // what its file is
	source string            // its torrent
	out    string            // where clients write

	complete, late atomic.Int64 // clients
	before         sample
	series         []sample
}

func newSoak(t *testing.T, mode, ip, admin string) *soak {
	s := newServer(t, "--json", "--mode", mode)
	s.at(ip)
	s.args = append(s.args, "--admin", admin)
	s.put("release.iso", content(1, 8<<20))
	s.start()
	s.published("release.iso", 30*time.Second)
	so := &soak{server: s, admin: admin, whole: tree(t, s.dir), source: s.torrent("release.iso"), out: t.TempDir()}
	so.churn = &churn{s: s, torrent: s.fetch("release.iso")}
	so.clientComes(t.Context(), 0, clientIP(200)) // what is made at the first use is not a leak
	so.before = so.look()
	return so
}

// soakClients are run one after the other, and may meet.
var soakClients = []func(source, dir, bind string) *exec.Cmd{
	func(source, dir, bind string) *exec.Cmd {
		return exec.Command("aria2c", "--no-conf", "--dir="+dir, "--interface="+bind, "--listen-port=16882", "--enable-dht=false",
			"--bt-enable-lpd=false", "--seed-time=0", "--file-allocation=none", "--disable-ipv6=true", "--quiet", source)
	},
	func(source, dir, bind string) *exec.Cmd {
		return exec.Command("/usr/bin/python3", "testdata/leech.py", source, dir, bind, "16881")
	},
}

// clientComes has a real client download the file, which takes long where it passes nothing on among many who take: it may be late.
func (s *soak) clientComes(ctx context.Context, n int, bind string) {
	out, err := os.MkdirTemp(s.out, "")
	require.NoError(s.t, err)
	defer os.RemoveAll(out)
	cmd := soakClients[n%len(soakClients)](s.source, out, bind)
	require.NoError(s.t, cmd.Start())
	defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
	if cmd.Wait() != nil {
		s.late.Add(1)
		return
	}
	s.complete.Add(1)
	requireCopy(s.t, s.whole, "release.iso", out)
}

// replaceFile has a file come, in place of the one before.
func (s *soak) replaceFile(n int) { s.put("changing.bin", content(uint64(n), 2<<20)) }

// A sample is what a server holds.
type sample struct {
	at                      time.Duration
	resident, anonymous     int64 // bytes
	heap                    int64 // bytes in use, by the runtime's word
	descriptors, goroutines int
	peers, known, joins     int
	sent                    int64 // bytes of blocks
	processor               time.Duration
}

func (s *soak) look() sample {
	s.t.Helper()
	resp, err := http.Get("http://" + s.admin + "/metrics")
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	metric := func(name string) (sum float64) {
		for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllSubmatch(b, -1) {
			n, err := strconv.ParseFloat(string(m[1]), 64)
			require.NoError(s.t, err)
			sum += n
		}
		return sum
	}
	joins := int64(0)
	for i := range s.churn.joined {
		joins += s.churn.joined[i].Load()
	}
	return sample{
		resident: s.statusBytes("VmRSS:"), anonymous: s.statusBytes("RssAnon:"), heap: int64(metric("go_memstats_heap_inuse_bytes")),
		descriptors: s.descriptors(), goroutines: int(metric("go_goroutines")),
		peers: int(metric("seedserver_peers")), known: int(metric("seedserver_tracker_peers")), joins: int(joins),
		sent: int64(metric("seedserver_sent_bytes_total")), processor: s.cpu(),
	}
}

func (v sample) String() string {
	return fmt.Sprintf("%8v %7d joins %5d peers %6d announced | resident %6.1f MiB, anonymous %6.1f, heap %6.1f | %5d descriptors %5d goroutines | %6.0f MiB sent, %v of processor",
		v.at.Round(time.Second), v.joins, v.peers, v.known, mib(v.resident), mib(v.anonymous), mib(v.heap), v.descriptors, v.goroutines, mib(v.sent), v.processor)
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// sample looks at the server now and then until ctx ends.
func (s *soak) sample(ctx context.Context, every time.Duration) {
	start := time.Now()
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		v := s.look()
		v.at = time.Since(start)
		s.series = append(s.series, v)
		s.record(v)
	}
}

// record writes to the table, if one is asked for.
func (s *soak) record(v sample) {
	path := os.Getenv(soakTableEnv)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(s.t, err)
	defer f.Close()
	fmt.Fprintln(f, filepath.Base(s.admin), v)
}

// requireFlat waits until everybody has left, and compares: the end with the beginning, and the last quarter with the second.
func (s *soak) requireFlat(t *testing.T, lasting time.Duration) {
	t.Logf("%s: %v", strings.Join(s.args[len(s.args)-2:], " "), s.before)
	for _, v := range s.series {
		t.Log(v)
	}
	for i := range s.churn.joined {
		t.Logf("%d joined in way %d", s.churn.joined[i].Load(), i)
	}
	t.Logf("%d visits could not connect", s.churn.failed.Load())
	t.Logf("%d clients completed, %d had not in the end", s.complete.Load(), s.late.Load())
	var after sample
	s.eventually(60*time.Second, "everybody has left", func() bool {
		after = s.look()
		return after.peers == 0 && after.descriptors <= s.before.descriptors+10 && after.goroutines <= s.before.goroutines+10
	})
	after.at = lasting
	s.record(after)
	t.Log(after)
	require.Zero(t, s.churn.failed.Load())
	require.GreaterOrEqual(t, s.complete.Load(), int64(1))
	if n := len(s.series); lasting >= 10*time.Minute { // before, it is still warming up
		early, late := s.series[n/4:n/2], s.series[3*n/4:]
		for name, of := range map[string]func(sample) int64{
			"anonymous memory": func(v sample) int64 { return v.anonymous >> 20 },
			"heap":             func(v sample) int64 { return v.heap >> 20 },
			"descriptors":      func(v sample) int64 { return int64(v.descriptors) },
			"goroutines":       func(v sample) int64 { return int64(v.goroutines) },
		} {
			t.Logf("%s: %d in the second quarter, %d in the last", name, median(early, of), median(late, of))
			require.LessOrEqual(t, float64(median(late, of)), 1.15*float64(median(early, of))+8, "%s grows", name)
		}
	}
}

func median(of []sample, value func(sample) int64) int64 {
	if len(of) == 0 {
		return math.MinInt64
	}
	all := make([]int64, len(of))
	for i, v := range of {
		all[i] = value(v)
	}
	slices.Sort(all)
	return all[len(all)/2]
}
