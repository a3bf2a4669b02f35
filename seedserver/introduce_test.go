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
	now = now.Add(claimKept - time.Second)
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

// TestIntroductions: whoever announces whatever, and whatever the swarm finds out: an answer has no liars, no claims sooner than after
// claimKept, everybody else; what is remembered is bounded; and a stranger that nobody knows is found.
func TestIntroductions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var j judged
		now := time.Unix(1e9, 0)
		addr := rapid.IntRange(0, 30)
		since := map[int]time.Time{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "s")) * time.Second)
			if rapid.Bool().Draw(t, "judge") {
				j.note(at(addr.Draw(t, "who")), swarm.Verdict(rapid.IntRange(0, 3).Draw(t, "verdict")))
				continue
			}
			asker, left := addr.Draw(t, "asker"), int64(rapid.IntRange(0, 1).Draw(t, "left"))
			in := rapid.SliceOfNDistinct(addr, 0, 30, rapid.ID).Draw(t, "peers")
			res := peersAt(in...)
			unknown := j.of(at(asker)) == swarm.Unknown
			j.introduce(now, at(asker), left, res)
			if unknown && left == 0 && since[asker].IsZero() {
				since[asker] = now
			} else if unknown && left != 0 {
				delete(since, asker)
			}
			out := told(res)
			for _, n := range out {
				v := j.of(at(n))
				require.NotEqual(t, swarm.Liar, v)
				require.Contains(t, in, n)
				if v != swarm.Unknown {
					continue
				}
				s := j.strangers.of(at(n))
				require.True(t, s == nil || s.claims.IsZero() || now.Sub(s.claims) >= claimKept)
			}
			if len(out) > 0 {
				require.NotEqual(t, swarm.Liar, j.of(at(asker)))
				for _, n := range in {
					if v := j.of(at(n)); v == swarm.Partner || v == swarm.Holder {
						require.Contains(t, out, n)
					}
				}
			}
		}
		now = now.Add(2 * claimKept)
		res := peersAt(1000)
		j.introduce(now, at(1001), 1, res)
		require.Equal(t, []int{1000}, told(res), "a stranger whom nobody knows is found")
	})
}

func TestStrangersAreBounded(t *testing.T) {
	var j judged
	now := time.Now()
	for n := range 3 * strangersMost {
		j.introduce(now, at(n), 0, peersAt())
	}
	require.LessOrEqual(t, len(j.strangers.recent), strangersMost)
	now = now.Add(claimKept)
	for n := range 3 * strangersMost {
		j.introduce(now, at(n), 0, peersAt())
	}
	require.LessOrEqual(t, len(j.strangers.recent)+len(j.strangers.before), 2*strangersMost)
}
