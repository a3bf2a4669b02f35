//go:build linux

package main

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// siegeEnv, if it is set, has TestSiege measure each attack for itself, which takes minutes; it is names of attacks, of modes, or of both,
// such as "balanced: slow readers, reconnect storm", or "all".
const siegeEnv = "SEEDSERVER_SIEGE"

var siegeModes = []string{"plain", "generous", "balanced", "conservative"}

// besieged reports whether siegeEnv names one of a kind, or none of that kind.
func besieged(name string, kind []string) bool {
	named := func(s string) bool { return strings.Contains(os.Getenv(siegeEnv), s) }
	return named(name) || !slices.ContainsFunc(kind, named)
}

// TestSiege: ten thousand addresses do, all at once, what sieges are, in every mode; what the server holds stays bounded, and a crowd
// of honest leeches that came meanwhile completes. SEEDSERVER_SIEGE=all go test -run TestSiege -timeout 20m -v shows what each attack costs.
func TestSiege(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	var field sync.Mutex // one server is under attack at a time; the connections to it may end beside the next attack
	for i, mode := range siegeModes {
		if !besieged(mode, siegeModes) {
			continue
		}
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			field.Lock()
			over := sync.OnceFunc(field.Unlock)
			defer over()
			s := newServer(t, "--json", "--mode", mode, "--max-up", "4MiB/s", "--piece-length", "64KiB")
			s.at("198.18.0." + strconv.Itoa(10+i))
			s.args = append(s.args, "--admin", "127.0.0."+strconv.Itoa(10+i)+":8081")
			size := 12 << 20
			if os.Getenv(siegeEnv) != "" {
				size = 64 << 20
			}
			whole := content(1, size)
			s.put("wanted.bin", whole)
			s.start()
			s.published("wanted.bin", 30*time.Second)
			b := &siege{server: s, mode: mode, torrent: s.fetch("wanted.bin"), whole: whole, over: over}
			if os.Getenv(siegeEnv) == "" {
				b.allAtOnce()
			} else {
				b.oneByOne()
			}
		})
	}
}

// A siege is one server and what it is under attack for.
type siege struct {
	*server
	mode    string
	torrent *metainfo.Torrent
	whole   []byte
	over    func()        // lets the next siege begin
	lasting time.Duration // of the attacks, at most
}

// outcome is what an attack did.
type outcome struct {
	rate        float64 // bytes per second that the honest got
	processor   float64 // parts of a core
	grown       int64   // bytes of resident memory
	descriptors int
	rounds      int64
}

// under has the honest download while attacks go on.
func (b *siege) under(attacks []attack) outcome {
	b.t.Helper()
	memory, cpu, start := b.memory(), b.cpu(), time.Now()
	ctx, cancel := context.WithTimeout(b.t.Context(), b.lasting)
	defer cancel()
	var running sync.WaitGroup
	var attackers []*attacker
	for _, what := range attacks {
		a := &attacker{attack: what, ctx: ctx, s: b.server, torrent: b.torrent}
		attackers = append(attackers, a)
		running.Go(a.run)
	}
	most := b.watch(ctx, &running)
	if len(attacks) > 0 {
		pause(2 * time.Second) // they are at it by now
	}
	rate, err := b.crowdRate(4, b.torrent, b.whole)
	used, took := b.cpu()-cpu, time.Since(start)
	cancel()
	running.Wait()
	require.NoError(b.t, err, "%s", b.log)
	o := outcome{rate: rate, processor: used.Seconds() / took.Seconds(), grown: most.memory - memory, descriptors: most.descriptors}
	for _, a := range attackers {
		o.rounds += a.rounds.Load()
	}
	b.t.Logf("%5.2f MiB/s, %3.0f %% of a core, %3d MiB more, %5d descriptors, %7d connections | %s",
		o.rate/(1<<20), 100*o.processor, o.grown>>20, o.descriptors, o.rounds, nameOf(attacks))
	return o
}

func nameOf(attacks []attack) string {
	switch len(attacks) {
	case 0:
		return "nobody attacks"
	case 1:
		return attacks[0].name
	}
	return "all at once"
}

// The bounds of a siege, which has a connection per address, so that only the bound of a torrent holds.
const (
	maxPeersPerTorrent = 2000
	maxSiegeMemory     = 192 << 20 // bytes; 32 KiB a connection, and what they are sent
)

// attacks are those that an honest crowd should not feel in the server's mode.
func (b *siege) attacks() []attack {
	if b.mode != "plain" {
		return sieges
	}
	return slices.DeleteFunc(slices.Clone(sieges), func(a attack) bool { return a.name == takers })
}

func (b *siege) allAtOnce() {
	descriptors := b.descriptors()
	b.lasting = 6 * time.Second // a piece that a slow reader has on loan is its own for half a minute, or as long as it stays
	o := b.under(b.attacks())
	b.over()
	require.LessOrEqual(b.t, o.descriptors, descriptors+maxPeersPerTorrent+maxPending+100)
	if !raceEnabled { // which takes several times the memory
		require.Less(b.t, o.grown, int64(maxSiegeMemory))
	}
	b.eventually(30*time.Second, "the connections are gone", func() bool { return b.descriptors() <= descriptors+20 })
}

// oneByOne writes a table: what the honest get under each attack, in parts of what they get alone. That is what they feel, so nothing is
// taken off for what an attacker might claim as its share. A wave of attackers that nothing is known of has what it is given before it
// shows what it is, a second or two of the line each time; so the rate is that of a download of a quarter of a minute: the median of
// three, or one of nearly all.
func (b *siege) oneByOne() {
	descriptors := b.descriptors()
	b.lasting = 2 * wirePatience
	alone := b.under(nil)
	var names []string
	for _, what := range b.attacks() {
		names = append(names, what.name)
	}
	for _, what := range b.attacks() {
		if !besieged(what.name, names) {
			continue
		}
		var rates []float64
		for len(rates) == 0 || len(rates) < 3 && rates[0] < 0.97*alone.rate {
			rates = append(rates, b.under([]attack{what}).rate)
		}
		slices.Sort(rates)
		b.t.Logf("%3.0f %% of the rate alone under: %s, %s", 100*rates[len(rates)/2]/alone.rate, what.name, b.mode)
		b.eventually(30*time.Second, "the connections are gone", func() bool { return b.descriptors() <= descriptors+20 })
	}
}
