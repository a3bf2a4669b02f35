package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a picker of pieces of two blocks, drawn as text, and its clock. A line is a peer: its name and its pieces.
//
//	a ##..    has the first two, and took a piece of us in an earlier connection
//	a oo..    has them, and never took any
//	b         has nothing
//	c ?       has not told yet
//	s all     says HAVE ALL
//
// The line of the name "sent" draws which pieces ever left us.
type world struct {
	t     *testing.T
	p     *Picker
	now   time.Time
	names map[Peer]string
	ids   map[string]Peer
	done  []Decision // all so far
}

const blocks = 2

func draw(t *testing.T, cfg Config, pieces int, lines string) *world {
	cfg.PieceLength, cfg.Length = blocks*unit, int64(pieces)*blocks*unit
	w := &world{t: t, p: New(cfg, rand.New(rand.NewPCG(1, 2))), now: start, names: map[Peer]string{}, ids: map[string]Peer{}}
	for _, line := range strings.Split(lines, "\n") {
		if f := strings.Fields(line); len(f) > 0 && f[0] == "sent" {
			for i, c := range f[1] {
				if c == '#' {
					w.p.everSent.set(uint32(i))
					w.p.unsentLeft--
					w.p.pieces[i].sent = 1
					w.p.reclass(uint32(i))
				}
			}
		} else if len(f) > 0 {
			w.join(append(f, "")[0], append(f, "")[1])
		}
	}
	return w
}

// join adds a peer in a network of its own, made from its name; a name such as a@10.0.0.1 gives its address.
func (w *world) join(name, pieces string) {
	name, at, ok := strings.Cut(name, "@")
	addr := netip.AddrFrom4([4]byte{10, 1, name[0], 1})
	if ok {
		addr = netip.MustParseAddr(at)
	}
	id := w.p.PeerJoined(w.now, PeerInfo{Addr: addr})
	w.ids[name], w.names[id] = id, name
	switch pieces {
	case "?":
	case "":
		w.p.PeerHaveNone(w.now, id)
	case "all":
		w.p.PeerHaveAll(w.now, id)
	default:
		bits := make([]byte, (len(pieces)+7)/8)
		for i, c := range pieces {
			if c == '#' {
				w.p.peers[id].relay.served = 1
			}
			if c != '.' {
				bits[i/8] |= 0x80 >> (i % 8)
			}
		}
		w.p.PeerBitfield(w.now, id, bits)
	}
}

func (w *world) leave(name string) {
	w.p.PeerLeft(w.now, w.ids[name])
	delete(w.names, w.ids[name])
	delete(w.ids, name)
}

// after lets time pass, in steps that end where the picker asks for them, and returns what was decided.
func (w *world) after(d time.Duration) []Decision {
	w.t.Helper()
	from := len(w.done)
	end := w.now.Add(d)
	for n := 0; ; n++ {
		require.Less(w.t, n, 10_000, "the picker asks for time again and again: %v, %+v", w.p.credits, w.p.Status(w.now))
		w.done = w.p.Tick(w.now, w.done)
		require.NoError(w.t, w.p.check())
		next := w.p.Next(w.now)
		if w.now.Equal(end) {
			return w.done[from:]
		}
		w.now = w.now.Add(max(next.Sub(w.now), time.Microsecond))
		if next.IsZero() || w.now.After(end) {
			w.now = end
		}
	}
}

// next decides what is to be done now.
func (w *world) next() []Decision { return w.after(0) }

// show writes decisions of some kinds, sorted, such as "a:offer:unsent".
func (w *world) show(ds []Decision, kinds ...Kind) string {
	var list []string
	for _, d := range ds {
		if slices.Contains(kinds, d.Kind) {
			list = append(list, fmt.Sprintf("%s:%v:%v", w.names[d.Peer], d.Kind, d.Reason.Code))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// offers writes the offers among ds by peer and class, sorted.
func (w *world) offers(ds []Decision) string { return w.show(ds, KindOffer) }

// loans returns what is on offer to the peer, oldest first.
func (w *world) loans(name string) []uint32 {
	s, ok := w.p.PeerStatus(w.now, w.ids[name])
	require.True(w.t, ok)
	return s.OnLoan
}

func (w *world) peer(name string) PeerStatus {
	s, ok := w.p.PeerStatus(w.now, w.ids[name])
	require.True(w.t, ok)
	return s
}

func (w *world) piece(i uint32) PieceStatus {
	s, ok := w.p.PieceStatus(w.now, i)
	require.True(w.t, ok)
	return s
}

// send sends the peer blocks of a piece that is on offer to it.
func (w *world) send(name string, i uint32, which ...int) {
	w.t.Helper()
	for _, b := range which {
		_, ok := w.p.Requested(w.now, w.ids[name], i)
		require.True(w.t, ok, "request of %s for piece %d", name, i)
		w.p.BlockSent(w.now, w.ids[name], i, uint32(b*unit), unit)
	}
}

// give sends the peer all of a piece, and it says that it has it.
func (w *world) give(name string, i uint32) {
	w.t.Helper()
	w.send(name, i, 0, 1)
	w.has(name, i)
}

func (w *world) has(name string, pieces ...uint32) {
	for _, i := range pieces {
		w.p.PeerHas(w.now, w.ids[name], i)
	}
}

// giveAll takes part in whatever is offered to the peer until nothing more is, or n pieces were taken.
func (w *world) giveAll(name string, n int) (taken []uint32) {
	w.t.Helper()
	for range n {
		w.next()
		loans := w.loans(name)
		if len(loans) == 0 {
			break
		}
		w.give(name, loans[0])
		taken = append(taken, loans[0])
	}
	return taken
}

// served makes it known that leeches get of others what never left us.
func (w *world) served() {
	w.p.otherServes = true
	for i := range w.p.pieces {
		w.p.reclass(uint32(i))
	}
}

func (w *world) wants(name string, interested bool) {
	w.p.PeerInterested(w.now, w.ids[name], interested)
}
