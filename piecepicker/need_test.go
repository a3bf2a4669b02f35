package piecepicker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatIsNeeded(t *testing.T) {
	w := draw(t, Config{}, 4, "sent ##..\n a #...\n b ....")
	require.Equal(t, []Code{0, Lost, Unsent, Unsent}, codes(w))
	require.Equal(t, 3, w.p.Status(w.now).Needed)
	w.next()
	require.Equal(t, 3, w.p.Status(w.now).OnLoan)
	require.Equal(t, []Code{0, 0, 0, 0}, codes(w), "what is on offer is not needed again")
}

func codes(w *world) (list []Code) {
	for i := range w.p.pieces {
		list = append(list, w.piece(uint32(i)).Needed)
	}
	return list
}

func TestUnsentComesBeforeLost(t *testing.T) {
	w := draw(t, Config{MaxRate: 1}, 30, "sent ####################......... \n a\nb\nc\nd\ne")
	for _, d := range w.next() {
		if d.Kind == KindOffer {
			require.Equal(t, Unsent, d.Reason.Code)
		}
	}
	require.Len(t, w.show(w.done, KindOffer), len("a:offer:unsent ")*4-1)
}

func TestStalledPieceIsNeeded(t *testing.T) {
	w := draw(t, Config{MaxRate: 1}, 40, "sent ########################################\n"+
		"a #.######################################\n"+
		"b .#######################################\n"+
		"c ..######################################\n")
	w.p.shunAll()
	w.after(50 * time.Second)
	require.Zero(t, w.p.Status(w.now).Stalled)
	w.after(10 * time.Minute)
	require.Equal(t, Stalled, w.piece(0).Needed)
	require.Equal(t, Stalled, w.piece(1).Needed)
	require.Equal(t, Code(0), w.piece(2).Needed, "all have it")
	w.has("c", 0)
	require.Equal(t, Code(0), w.piece(0).Needed, "it spreads again")
	w.p.forgiveAll()
	ds := w.next()
	require.Contains(t, w.show(ds, KindOffer), ":offer:stalled")
}

func TestCommonPiecesAreNotStalled(t *testing.T) {
	w := draw(t, Config{}, 8, `sent ########
		a #######.
		b #######.
		c #######.
		d #######.
		e #......#
		f #......#`)
	for _, q := range w.p.peers[1:] {
		q.trust = Proven
		w.p.judge(q)
	}
	w.p.shunAll()
	w.after(15 * time.Minute)
	require.Equal(t, Stalled, w.piece(7).Needed, "two holders, and it does not spread")
	require.Equal(t, Code(0), w.piece(1).Needed, "four holders are enough to wait")
}

func TestStatusOfNothing(t *testing.T) {
	w := draw(t, Config{}, 3, "")
	s := w.p.Status(w.now)
	require.Equal(t, Waiting, s.Stage)
	require.Equal(t, 3, s.Needed)
	require.True(t, w.p.Next(w.now).IsZero())
	require.Empty(t, w.p.Tick(w.now, nil))
	_, ok := w.p.PeerStatus(w.now, 1)
	require.False(t, ok)
	_, ok = w.p.PieceStatus(w.now, 3)
	require.False(t, ok)
}
