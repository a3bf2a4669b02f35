package seedserver

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
)

// at returns the n-th address of a test.
func at(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}) }

// peersAt is an answer that holds the peers at addresses.
func peersAt(addrs ...int) *tracker.AnnounceResponse {
	res := &tracker.AnnounceResponse{}
	for _, n := range addrs {
		b := at(n).As4()
		res.Peers4 = binary.BigEndian.AppendUint16(append(res.Peers4, b[:]...), 6881)
	}
	return res
}

// told returns who is left in an answer.
func told(res *tracker.AnnounceResponse) (list []int) {
	for p := range res.Peers() {
		b := p.Addr().As4()
		list = append(list, int(b[2])<<8+int(b[3]))
	}
	return list
}

func numbers(from, to int) (list []int) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

func TestClaimIsNotBelievedAtOnce(t *testing.T) {
	var j judged
	now := time.Now()
	claims := func() []int {
		res := peersAt(1)
		j.introduce(now, at(0), 0, res)
		return told(res)
	}
	known := func() bool {
		res := peersAt(0, 1)
		j.introduce(now, at(1000), 1, res)
		return slices.Contains(told(res), 0)
	}
	require.Empty(t, claims())
	require.False(t, known())
	now = now.Add(claimHidden - time.Second)
	require.False(t, known())
	require.Empty(t, claims())
	now = now.Add(time.Second)
	require.True(t, known())
	require.NotEmpty(t, claims())

	j = judged{}
	claims()
	j.note(at(0), swarm.Holder)
	require.True(t, known(), "it has shown it")
	require.NotEmpty(t, claims())
}

func TestLiarIsIntroducedToNobody(t *testing.T) {
	var j judged
	now := time.Now()
	j.note(at(0), swarm.Liar)
	res := peersAt(0)
	j.introduce(now, at(1000), 1, res)
	require.Empty(t, told(res), "our own seed is there")
	res = peersAt(1)
	j.introduce(now, at(0), 1, res)
	require.Empty(t, told(res))
}

func TestPartnersMakeRoomForLiars(t *testing.T) {
	var j judged
	for n := range judgedMost {
		j.note(at(n), swarm.Partner)
	}
	j.note(at(judgedMost), swarm.Liar)
	require.Equal(t, swarm.Liar, j.of(at(judgedMost)))
	require.Len(t, j.verdicts, judgedMost)
}

// Several behind one address, who ask one after the other, are all told of others: of few strangers, or as many as there are others.
func TestFewStrangersAreIntroduced(t *testing.T) {
	var j judged
	now := time.Now()
	for range 100 {
		res := peersAt(numbers(0, 40)...)
		j.introduce(now, at(0), 1, res)
		require.Equal(t, numbers(0, strangersTold), told(res))
	}
	for n := range 12 {
		j.note(at(n), swarm.Partner)
	}
	res := peersAt(numbers(0, 40)...)
	j.introduce(now, at(1001), 1, res)
	require.Equal(t, numbers(0, 24), told(res))
}

// Clients announce every half hour: who was hidden once is not hidden again because it was forgotten meanwhile.
func TestClaimIsRemembered(t *testing.T) {
	var j judged
	now := time.Now()
	require.Equal(t, now, j.claims.heard(now, at(0)))
	for n := range 10 {
		later := now.Add(time.Duration(n) * claimKept * 3 / 4)
		require.Equal(t, now, j.claims.heard(later, at(0)))
	}
	j.claims.withdrawn(at(0))
	now = now.Add(24 * time.Hour)
	require.Equal(t, now, j.claims.heard(now, at(0)))
}

// TestIntroductions: whoever announces whatever, and whatever the swarm finds out: who is told of whom is what a model says that
// remembers every claim. A liar, and a fresh claim that nobody saw to be true, is told of nobody, and nobody of it; all others are
// told of all who are known, and of as many strangers, or a few.
func TestIntroductions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var j judged
		now := time.Unix(1e9, 0)
		addr := rapid.IntRange(0, 30)
		claimed := map[int]time.Time{}
		hidden := func(n int) bool {
			since, claims := claimed[n]
			v := j.of(at(n))
			return v == swarm.Liar || v == swarm.Unknown && claims && now.Sub(since) < claimHidden
		}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "s")) * time.Second) // in all less than claimKept
			if rapid.Bool().Draw(t, "judge") {
				j.note(at(addr.Draw(t, "who")), swarm.Verdict(rapid.IntRange(0, 3).Draw(t, "verdict")))
				continue
			}
			asker, left := addr.Draw(t, "asker"), int64(rapid.IntRange(0, 1).Draw(t, "left"))
			in := rapid.SliceOfNDistinct(addr, 0, 30, rapid.ID).Draw(t, "peers")
			if j.of(at(asker)) == swarm.Unknown {
				if left != 0 {
					delete(claimed, asker)
				} else if _, known := claimed[asker]; !known {
					claimed[asker] = now
				}
			}
			known := 0
			for _, n := range in {
				if !hidden(n) && j.of(at(n)) != swarm.Unknown {
					known++
				}
			}
			var want []int
			strangers := 0
			for _, n := range in {
				if hidden(asker) || hidden(n) {
					continue
				}
				if j.of(at(n)) == swarm.Unknown {
					if strangers++; strangers > max(strangersTold, known) {
						continue
					}
				}
				want = append(want, n)
			}
			res := peersAt(in...)
			j.introduce(now, at(asker), left, res)
			require.Equal(t, want, told(res))
		}
	})
}

func TestClaimsAreBounded(t *testing.T) {
	var j judged
	now := time.Now()
	for range 3 {
		for n := range 3 * claimsMost {
			j.introduce(now, at(n), 0, peersAt())
		}
		require.LessOrEqual(t, len(j.claims.recent), claimsMost)
		require.LessOrEqual(t, len(j.claims.before), claimsMost)
		now = now.Add(claimKept)
	}
}
