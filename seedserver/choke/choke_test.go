package choke

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a Choker, its clock, and what a caller would have told its peers.
type world struct {
	t       *testing.T
	c       *Choker[int]
	now     time.Time
	open    map[int]bool      // unchoked, as the changes have it
	flipped map[int]time.Time // when each changed last
	turns   map[int]int       // unchokes
}

func newWorld(t *testing.T, cfg Config) *world {
	return &world{t: t, c: New[int](cfg), now: start, open: map[int]bool{}, flipped: map[int]time.Time{}, turns: map[int]int{}}
}

// carryOut applies the changes made since the last call, and holds each to the rules of a single peer.
func (w *world) carryOut() {
	seen := map[int]bool{}
	for _, ch := range w.c.Drain() {
		require.False(w.t, seen[ch.Peer], "peer %d changed twice in one burst", ch.Peer)
		seen[ch.Peer] = true
		require.NotEqual(w.t, w.open[ch.Peer], ch.Unchoke, "change of peer %d changes nothing", ch.Peer)
		if last, ok := w.flipped[ch.Peer]; ok && !w.c.paused {
			require.GreaterOrEqual(w.t, w.now.Sub(last), w.c.cfg.round(), "peer %d flips too fast", ch.Peer)
		}
		w.open[ch.Peer], w.flipped[ch.Peer] = ch.Unchoke, w.now
		if ch.Unchoke {
			w.turns[ch.Peer]++
		}
	}
}

func (w *world) join(peers ...int) {
	for _, p := range peers {
		w.c.Join(w.now, p)
		w.carryOut()
	}
}

func (w *world) want(peers ...int) {
	for _, p := range peers {
		w.c.SetInterested(w.now, p, true)
		w.carryOut()
	}
}

func (w *world) leave(p int) {
	w.c.Leave(w.now, p)
	delete(w.open, p)
	delete(w.flipped, p)
	w.carryOut()
}

// pass lets time go by, a second at a time.
func (w *world) pass(d time.Duration, load Load) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Second)
		w.c.Advance(w.now, load)
		w.carryOut()
	}
}

func (w *world) unchoked() []int {
	var open []int
	for p, is := range w.open {
		if is {
			open = append(open, p)
		}
	}
	slices.Sort(open)
	return open
}

func upTo(n int) []int {
	peers := make([]int, n)
	for i := range peers {
		peers[i] = i
	}
	return peers
}

func TestEverybodyIsUnchokedWhileThereIsRoom(t *testing.T) {
	w := newWorld(t, Config{})
	w.join(upTo(100)...)
	require.Len(t, w.unchoked(), 100, "before any interest: it saves a round trip")
	w.want(upTo(100)...)
	w.pass(5*time.Minute, Load{Rate: 100 << 20, Backlogged: 100})
	require.Len(t, w.unchoked(), 100)
	require.Equal(t, math.MaxInt, w.c.Slots())
	require.Equal(t, 1, w.turns[7], "nobody is flipped without need")
}

func TestConfiguredSlotsAreTheLimit(t *testing.T) {
	w := newWorld(t, Config{Slots: 4})
	w.join(upTo(10)...)
	w.want(upTo(10)...)
	require.Equal(t, []int{0, 1, 2, 3}, w.unchoked())
	for range 60 {
		w.pass(time.Second, Load{})
		require.LessOrEqual(t, len(w.unchoked()), 4)
	}
}

func TestFreeSlotGoesToTheNextAtOnce(t *testing.T) {
	w := newWorld(t, Config{Slots: 2})
	w.join(upTo(4)...)
	w.want(0, 1)
	w.pass(time.Second, Load{})
	w.want(3)
	w.pass(time.Second, Load{})
	w.want(2)
	w.leave(0)
	require.Equal(t, []int{1, 3}, w.unchoked(), "3 waits longest")
}

func TestSlotIsNoUseToAPeerWithoutInterest(t *testing.T) {
	w := newWorld(t, Config{Slots: 2})
	w.join(0, 1, 2)
	w.want(0)
	w.pass(11*time.Second, Load{})
	w.want(2)
	require.Equal(t, []int{0, 2}, w.unchoked(), "1 makes room for 2 at once")
}

func TestInterestWithinARoundWaitsForIt(t *testing.T) {
	w := newWorld(t, Config{Slots: 1})
	w.join(0, 1)
	w.pass(2*time.Second, Load{})
	w.want(1)
	require.Equal(t, []int{0}, w.unchoked(), "0 was unchoked two seconds ago")
	w.pass(9*time.Second, Load{})
	require.Equal(t, []int{1}, w.unchoked())
}

// "Which peer is optimistically unchoked rotates every 30 seconds" (BEP 3): a newcomer does not wait until a turn is over.
func TestNewcomerIsTriedWithinThirtySeconds(t *testing.T) {
	w := newWorld(t, Config{Slots: 2, Turn: time.Hour, Quota: math.MaxInt64})
	w.join(0, 1)
	w.want(0, 1)
	w.pass(time.Minute, Load{})
	w.join(2)
	w.want(2)
	w.pass(31*time.Second, Load{})
	require.True(t, w.open[2])
	require.Len(t, w.unchoked(), 2)
}

func TestTurnsEndByQuota(t *testing.T) {
	w := newWorld(t, Config{Slots: 1, Quota: 1000})
	w.join(0, 1)
	w.want(0)
	w.want(1)
	w.c.Sent(0, 1000)
	w.pass(11*time.Second, Load{})
	require.Equal(t, []int{1}, w.unchoked())
}

func TestRotationIsEven(t *testing.T) {
	for _, tc := range []struct{ slots, peers int }{{1, 3}, {4, 12}, {4, 13}, {8, 100}} {
		t.Run(fmt.Sprintf("slots=%d/peers=%d", tc.slots, tc.peers), func(t *testing.T) {
			w := newWorld(t, Config{Slots: tc.slots})
			w.join(upTo(tc.peers)...)
			w.want(upTo(tc.peers)...)
			seconds := make([]int, tc.peers)
			for range 3 * 3600 {
				w.pass(time.Second, Load{})
				require.Len(t, w.unchoked(), tc.slots, "no slot is left empty")
				for _, p := range w.unchoked() {
					seconds[p]++
				}
			}
			mean := 3 * 3600 * tc.slots / tc.peers
			for p, s := range seconds {
				require.InDelta(t, mean, s, float64(mean)/5+60, "peer %d", p)
			}
		})
	}
}

func TestPauseChokesAllAndResumeKeepsTheRound(t *testing.T) {
	w := newWorld(t, Config{})
	w.join(0, 1)
	w.want(0, 1)
	w.pass(3*time.Second, Load{})
	w.c.Pause(w.now)
	w.carryOut()
	require.Empty(t, w.unchoked())
	w.join(2)
	require.Empty(t, w.unchoked(), "nor is a newcomer unchoked")
	require.Zero(t, w.c.Deadline())

	w.pass(2*time.Second, Load{})
	w.c.Resume(w.now)
	w.carryOut()
	require.Equal(t, []int{2}, w.unchoked(), "0 and 1 were choked two seconds ago")
	for resumed := w.now; len(w.unchoked()) < 3; w.carryOut() {
		require.LessOrEqual(t, w.c.Deadline().Sub(resumed), 8*time.Second)
		w.now = w.c.Deadline()
		w.c.Advance(w.now, Load{})
	}
	require.Zero(t, w.c.Deadline())
}

func TestAutomaticSlotsFollowTheRate(t *testing.T) {
	w := newWorld(t, Config{})
	w.join(upTo(200)...)
	w.want(upTo(200)...)

	w.pass(time.Minute, Load{Rate: 200 * goodRate, Backlogged: 200})
	require.Len(t, w.unchoked(), 200)

	// A tenth of that rate: 1.6 KiB/s each would be of no use to anybody.
	w.pass(10*time.Second, Load{Rate: 20 * goodRate, Backlogged: 200})
	require.Len(t, w.unchoked(), 200, "one slow moment")
	w.pass(10*time.Second, Load{Rate: 20 * goodRate, Backlogged: 200})
	require.Len(t, w.unchoked(), 150, "a quarter less in one round, not more")
	for range 30 {
		w.pass(10*time.Second, Load{Rate: 20 * goodRate, Backlogged: len(w.unchoked())})
	}
	require.InDelta(t, 30, len(w.unchoked()), 10)

	// The line is free again.
	for range 10 {
		w.pass(10*time.Second, Load{Rate: int64(len(w.unchoked())) * 10 * goodRate, Backlogged: len(w.unchoked())})
	}
	require.Len(t, w.unchoked(), 200)
}

func TestAutomaticSlotsIgnoreWhoAsksForLittle(t *testing.T) {
	w := newWorld(t, Config{})
	w.join(upTo(500)...)
	w.want(upTo(500)...)
	w.pass(time.Minute, Load{Rate: 10 << 10, Backlogged: 3})
	require.Len(t, w.unchoked(), 500, "nobody waits for us: the rate is low because they want no more")
}

func TestUnknownPeersAreIgnored(t *testing.T) {
	w := newWorld(t, Config{})
	w.c.Leave(w.now, 1)
	w.c.SetInterested(w.now, 1, true)
	w.c.Sent(1, 10)
	require.False(t, w.c.Unchoked(1))
	w.join(1)
	w.c.Join(w.now, 1)
	require.Empty(t, w.c.Drain(), "a second Join changes nothing")
}

func ExampleChoker() {
	c := New[string](Config{Slots: 1})
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c.Join(now, "anna")
	c.Join(now, "ben")
	c.SetInterested(now, "anna", true)
	c.SetInterested(now, "ben", true)
	fmt.Println(c.Drain())
	c.Leave(now, "anna")
	fmt.Println(c.Drain())
	// Output:
	// [{anna true}]
	// [{ben true}]
}

func BenchmarkAdvance(b *testing.B) {
	for _, slots := range []int{0, 100} {
		b.Run(fmt.Sprintf("peers=2k/slots=%d", slots), func(b *testing.B) {
			c := New[int](Config{Slots: slots})
			now := start
			for p := range 2000 {
				c.Join(now, p)
				c.SetInterested(now, p, true)
			}
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(10 * time.Second)
				c.Advance(now, Load{Rate: 1 << 30, Backlogged: 1000})
				c.Drain()
			}
		})
	}
}
