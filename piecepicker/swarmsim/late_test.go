package swarmsim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLateLeechesAmongLiars: whatever liars say, and whenever they come, a leech that is alone with them gets everything at full
// rate: the first one, and each that comes when everything was out.
func TestLateLeechesAmongLiars(t *testing.T) {
	t.Parallel()
	for _, liar := range []Behaviour{FakeSeed, JunkSeed, CreepingFake, Parrot} {
		for name, start := range map[string]time.Duration{"before all": 0, "when everything is out": 2 * first, "just before a leech": 2*first + 17*time.Second} {
			t.Run(liar.String()+", "+name, func(t *testing.T) {
				leeches := []Group{{Start: 10 * time.Second}, {Start: 2*first + 20*time.Second}, {Start: 4 * first}, {Start: 6 * first}}
				for k := range leeches {
					leeches[k].Count = 1
				}
				r := Run(small(noGate, append(leeches, Group{Count: 50, Behaviour: liar, Start: start, Every: 50 * time.Millisecond})...))
				requireAll(t, r)
				for k := range leeches {
					require.LessOrEqual(t, r.Groups[k].Slowest.Seconds(), 1.1*first.Seconds(), "leech %d", k)
				}
			})
		}
	}
}
