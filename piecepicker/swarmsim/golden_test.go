package swarmsim

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/piecepicker"
)

var update = flag.Bool("update", false, "write what comes out to testdata and RESULTS.md instead of comparing")

// tiny is a swarm small enough to read about: 8 pieces of 256 KiB, a server that sends one a second, leeches that pass one on
// in two.
func tiny(groups ...Group) Config {
	for k := range groups {
		groups[k].Lines = []Line{{Up: 128 << 10, Down: 1 << 20, Share: 1}}
	}
	return Config{
		Seed: 1, Pieces: 8, PieceLength: 256 << 10, Uplink: 256 << 10, Server: withGate, Groups: groups, Until: 15 * time.Minute,
	}
}

// TestTranscripts compares every decision of the picker in small swarms, with its reason, with what it was. A difference is a
// change of behaviour: read it, and write it with -update if it is meant.
func TestTranscripts(t *testing.T) {
	with := func(c Config, change func(*Config)) Config {
		change(&c)
		return c
	}
	tests := []struct {
		name, about string
		cfg         Config
	}{
		{"lone-leech", "One leech gets everything at full speed.",
			tiny(Group{Count: 1})},
		{"three-leeches", "Each piece leaves once, each leech gets another one, and then they help each other.",
			tiny(Group{Count: 3, Stay: Forever})},
		{"leave-at-once", "Who is complete leaves: what goes with it is sent again.",
			tiny(Group{Count: 3})},
		{"late-joiner", "A fourth comes when the first copy is out, and gets the pieces from the others.",
			tiny(Group{Count: 3, Stay: Forever}, Group{Count: 1, Start: 12 * time.Second, Stay: Forever})},
		{"generous", "The throttle never closes in generous mode.",
			with(tiny(Group{Count: 3}), func(c *Config) { c.Server = Picker(piecepicker.Generous, 0) })},
		{"gate", "Five leeches; four of 24 pieces are held until those that are slow have what is out.",
			with(tiny(Group{Count: 5}), func(c *Config) { c.Pieces = 24 })},
		{"free-rider", "One of four passes nothing on.",
			tiny(Group{Count: 3, Stay: Forever}, Group{Count: 1, Behaviour: FreeRider})},
		{"fake-seed", "A fake seed counts for nothing, a junk seed is dropped when it fails the audit.",
			with(tiny(Group{Count: 2}, Group{Count: 1, Behaviour: FakeSeed}, Group{Count: 1, Behaviour: JunkSeed}),
				func(c *Config) { c.Audit = 3 * time.Second })},
		{"creeping-fake", "Claims of pieces that never left us make a liar.",
			tiny(Group{Count: 2}, Group{Count: 1, Behaviour: CreepingFake})},
		{"parrot", "A parrot repeats what others have, and takes nothing that it is offered.",
			tiny(Group{Count: 2}, Group{Count: 1, Behaviour: Parrot})},
		{"loss", "Two pieces are lost by all who have them, and sent again.",
			with(tiny(Group{Count: 3, Stay: Forever}), func(c *Config) { c.Loss = Loss{At: 9 * time.Second, Share: 0.25} })},
		{"quiet", "The leeches send no HAVE for what we showed them.",
			tiny(Group{Count: 3, Quiet: true})},
		{"nat", "Two that cannot reach each other each get a copy from us.",
			tiny(Group{Count: 2, NAT: 1})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			b.WriteString(tt.about + "\n\n")
			tt.cfg.Transcript = &b
			r := Run(tt.cfg)
			b.WriteString("\n" + r.String() + "\n")
			path := filepath.Join("testdata", tt.name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
				return
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, strings.Split(string(want), "\n"), strings.Split(b.String(), "\n"), "run with -update if this is meant")
		})
	}
}
