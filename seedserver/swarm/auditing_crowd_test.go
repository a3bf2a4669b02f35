package swarm

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
)

// crowd connects 50 peers that say they have everything and serve nothing, half of them in one network, half each in its own. Of
// both halves some never unchoke us, and some do, and do not answer.
func crowd(t *testing.T, s *Swarm) []*claimant {
	liars := make([]*claimant, 50)
	for i := range liars {
		addr := fmt.Sprintf("203.1.1.%d:6881", i+1)
		if i%2 == 0 {
			addr = fmt.Sprintf("203.2.%d.1:6881", i)
		}
		liars[i] = claim(t, s, addr, i%4 < 2, silence)
	}
	return liars
}

// pace returns how many pieces a second l gets within d.
func pace(l *leech, d time.Duration) float64 {
	before := l.count()
	time.Sleep(d)
	return float64(l.count()-before) / d.Seconds()
}

// Liars do not slow us down, seeds that show what they have do, and when these leave we are back at once.
func TestSeedsAmongLiars(t *testing.T) {
	const full = 8 // pieces a second
	bubble(t, func(t *testing.T) {
		cfg, content := hidden(2000)
		s := start(t, hashed(cfg, content))
		liars := crowd(t, s)
		first := join(t, s, "203.0.113.1:1", true)
		pace(first, 5*time.Second)
		for range 10 {
			require.InDelta(t, full, pace(first, 5*time.Second), 0.5, "with liars only")
		}

		seeds := []*claimant{
			claim(t, s, "203.0.114.1:1", true, truth(s.cfg, content)),
			claim(t, s, "203.0.115.1:1", true, truth(s.cfg, content)),
		}
		audited := func() bool {
			return statusOf(t, s, "203.0.114.1:1").Audit.State == piecepicker.AuditRight &&
				statusOf(t, s, "203.0.115.1:1").Audit.State == piecepicker.AuditRight
		}
		for since := time.Now(); !audited(); time.Sleep(time.Second) {
			require.Less(t, time.Since(since), time.Minute, "the seeds are audited")
		}
		// They serve it, too: a leech that got nothing of them would be starving. What was on loan before is sent first.
		var before int64
		for i := range 80 {
			if i == 60 {
				before = first.sent()
			}
			first.gets(first.numPieces() - 1 - uint32(i))
			time.Sleep(time.Second)
		}
		for _, l := range liars {
			_, _ = l.conn.Write(peerwire.Append(nil, peerwire.KeepAlive{}))
		}
		st, _ := s.Status()
		require.Zero(t, st.Picker.Needed)
		require.True(t, st.Picker.Carried)
		require.EqualValues(t, 2*block/600, st.Picker.Rates.Assist, "a piece in ten minutes")
		require.LessOrEqual(t, first.sent()-before, int64(2*2*block), "two pieces may have been saved")
		require.Less(t, first.count(), int(first.numPieces()), "it still lacks something")

		newcomer := join(t, s, "203.0.116.1:1", true)
		for _, seed := range seeds {
			seed.conn.Close()
		}
		for since := time.Now(); newcomer.sent() == 0; time.Sleep(100 * time.Millisecond) {
			require.Less(t, time.Since(since), 5*time.Second, "it is served")
		}
		had := first.count() + newcomer.count()
		time.Sleep(10 * time.Second)
		require.InDelta(t, full, float64(first.count()+newcomer.count()-had)/10, 0.5, "and at full rate again")
		for _, l := range liars {
			require.False(t, l.gone())
		}
	})
}
