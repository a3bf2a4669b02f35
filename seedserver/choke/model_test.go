package choke

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twin is what must be true of a Choker, kept by somebody who only hears the changes.
type twin struct {
	t          *rapid.T
	c          *Choker[int]
	slots      int
	now        time.Time
	paused     bool
	here       map[int]bool
	interested map[int]bool
	open       map[int]bool
	flipped    map[int]time.Time
}

func (w *twin) settle() {
	seen := map[int]bool{}
	for _, ch := range w.c.Drain() {
		switch {
		case !w.here[ch.Peer]:
			continue // it left after the change was made
		case seen[ch.Peer]:
			w.t.Fatalf("peer %d changed twice in one burst", ch.Peer)
		case w.open[ch.Peer] == ch.Unchoke:
			w.t.Fatalf("change of peer %d changes nothing", ch.Peer)
		}
		if last, ok := w.flipped[ch.Peer]; ok && !w.paused && w.now.Sub(last) < 10*time.Second {
			w.t.Fatalf("peer %d flips after %v", ch.Peer, w.now.Sub(last))
		}
		seen[ch.Peer], w.open[ch.Peer], w.flipped[ch.Peer] = true, ch.Unchoke, w.now
	}
	w.check()
}

func (w *twin) check() {
	open, waiting := 0, 0
	for p := range w.here {
		if w.open[p] != w.c.Unchoked(p) {
			w.t.Fatalf("peer %d was told %v", p, w.open[p])
		}
		if w.open[p] {
			open++
			continue
		}
		if last, flipped := w.flipped[p]; w.interested[p] && (!flipped || w.now.Sub(last) >= 10*time.Second) {
			waiting++
		}
	}
	switch {
	case w.paused && open > 0:
		w.t.Fatalf("%d unchoked in a pause", open)
	case w.slots > 0 && open > w.slots:
		w.t.Fatalf("%d unchoked, %d slots", open, w.slots)
	case !w.paused && waiting > 0 && open < w.c.Slots():
		// Nobody who may be unchoked waits beside a free slot, once the Choker has had a look at the clock.
		if d := w.c.Deadline(); d.IsZero() || d.After(w.now) {
			w.t.Fatalf("%d wait, %d of %d slots taken, deadline %v from now", waiting, open, w.slots, d.Sub(w.now))
		}
	}
}

func TestChokerModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(0, 5).Draw(t, "slots")
		w := &twin{t: t, c: New[int](Config{Slots: slots}), slots: slots, now: start,
			here: map[int]bool{}, interested: map[int]bool{}, open: map[int]bool{}, flipped: map[int]time.Time{}}
		peer := rapid.IntRange(0, 9)
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				p := peer.Draw(t, "peer")
				w.here[p] = true
				w.c.Join(w.now, p)
				w.settle()
			},
			"leave": func(t *rapid.T) {
				p := peer.Draw(t, "peer")
				delete(w.here, p)
				delete(w.interested, p)
				delete(w.open, p)
				delete(w.flipped, p)
				w.c.Leave(w.now, p)
				w.settle()
			},
			"interest": func(t *rapid.T) {
				p := peer.Draw(t, "peer")
				if !w.here[p] {
					t.Skip()
				}
				w.interested[p] = rapid.Bool().Draw(t, "interested")
				w.c.SetInterested(w.now, p, w.interested[p])
				w.settle()
			},
			"sent": func(t *rapid.T) { w.c.Sent(peer.Draw(t, "peer"), rapid.Int64Range(0, 64<<20).Draw(t, "bytes")) },
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 15).Draw(t, "seconds")) * time.Second)
				w.c.Advance(w.now, Load{Rate: rapid.Int64Range(0, 1<<20).Draw(t, "rate"), Backlogged: rapid.IntRange(0, 10).Draw(t, "backlogged")})
				w.settle()
			},
			"pause": func(*rapid.T) {
				w.paused = true
				w.c.Pause(w.now)
				w.settle()
			},
			"resume": func(*rapid.T) {
				w.paused = false
				w.c.Resume(w.now)
				w.settle()
			},
		})
	})
}
