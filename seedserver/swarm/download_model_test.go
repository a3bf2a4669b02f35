package swarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// A leeching is a download's loop without goroutines, and the peers it has.
type leeching struct {
	t      *rapid.T
	l      *loop
	d      *download
	data   []byte
	disk   *disk
	now    time.Time
	peers  []*peer
	joined int
}

func newLeeching(t *rapid.T) *leeching {
	pieceLength := int64(rapid.SampledFrom([]int{5000, block, 3*block + 1, 8 * block}).Draw(t, "piece length"))
	size := pieceLength*int64(rapid.IntRange(0, 11).Draw(t, "pieces")) + 1 + int64(rapid.IntRange(0, int(pieceLength)-1).Draw(t, "rest"))
	cfg, data := trueTorrent(size, pieceLength)
	w := &leeching{t: t, data: data, disk: &disk{data: make([]byte, len(data))}, now: time.Now()}
	cfg.Content, cfg.Download = w.disk, &Download{Store: w.disk, Memory: 4 * pieceLength}
	w.l = newLoop(New(cfg), func(func(context.Context)) {})
	w.d = w.l.policy.(*download)
	return w
}

func (w *leeching) join(fast bool) *peer {
	w.joined++
	conn, _ := net.Pipe()
	a := admission{
		conn: conn, release: func() {}, reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol),
		addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(w.joined >> 8), byte(w.joined)}), 7000),
		id:   peerwire.NewPeerID("-TR4000-", fmt.Appendf(nil, "%012d", w.joined)),
	}
	if fast {
		a.reserved.Set(peerwire.Fast)
	}
	w.l.admitted(w.now, a)
	var p *peer
	for q := range w.l.peers {
		if q.id == a.id {
			p = q
		}
	}
	require.NotNil(w.t, p)
	w.peers = append(w.peers, p)
	w.settle()
	return p
}

// hear applies what p sends.
func (w *leeching) hear(p *peer, messages ...peerwire.Message) {
	var sent []byte
	for _, m := range messages {
		sent = peerwire.Append(sent, m)
	}
	d := peerwire.NewDecoder(bytes.NewReader(sent), w.l.swarm.decoding())
	for d.Await() == nil && !p.gone {
		b := &batch{p: p}
		b.fill(d)
		b.apply(w.l, w.now)
		w.settle()
	}
}

// settle does what the loop does after each event, and sends everything.
func (w *leeching) settle() {
	w.l.carryOut(w.now)
	for _, p := range w.l.dirty {
		p.dirty = false
		p.out.frames = nil
		p.out.queue.clear()
	}
	w.l.dirty = w.l.dirty[:0]
}

// hash has a hasher take the next full piece.
func (w *leeching) hash() {
	select {
	case a := <-w.d.jobs:
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		a.work(ended, w.l.swarm)
		(&pieceDone{a}).apply(w.l, w.now)
		w.settle()
	default:
	}
}

// answer returns the block that r asks for.
func (w *leeching) answer(r peerwire.Request) peerwire.Piece {
	off := int64(r.Index)*w.l.swarm.cfg.Info.PieceLength + int64(r.Begin)
	return peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: bytes.Clone(w.data[off : off+int64(r.Length)])}
}

func (w *leeching) check() {
	pending := 0
	for p := range w.l.peers {
		pending += len(p.asking.pending)
		require.LessOrEqual(w.t, w.d.asker.Owes(p.number), len(p.asking.pending), "asked by the loop, too")
		require.False(w.t, p.gone)
	}
	require.Equal(w.t, pending, w.l.pending)
	require.Empty(w.t, w.d.hungry)
	require.Len(w.t, w.d.peers, len(w.l.peers))
	require.LessOrEqual(w.t, len(w.d.assembly)+len(w.d.jobs), 5, "memory for four, and a short one")
	require.EqualValues(w.t, len(w.data), int64(w.missing())+w.d.have)
}

// missing returns how many bytes are not verified.
func (w *leeching) missing() (n int64) {
	for i := range w.l.swarm.numPieces {
		if !w.d.asker.Has(i) {
			n += w.l.swarm.pieceSize(i)
		}
	}
	return n
}

// Whatever peers send and when, and whatever the disk does, nothing is lost count of, and with one honest seed all is there soon.
func TestDownloadProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newLeeching(t)
		someone := func() *peer {
			if len(w.peers) == 0 {
				return w.join(rapid.Bool().Draw(t, "fast"))
			}
			return w.peers[rapid.IntRange(0, len(w.peers)-1).Draw(t, "peer")]
		}
		index := func() uint32 { return uint32(rapid.IntRange(0, int(w.l.swarm.numPieces)-1).Draw(t, "index")) }
		pending := func(p *peer) (peerwire.Request, bool) {
			if len(p.asking.pending) == 0 {
				return peerwire.Request{}, false
			}
			return rapid.SampledFrom(p.asking.pending).Draw(t, "pending").Request, true
		}
		t.Repeat(map[string]func(*rapid.T){
			"":     func(*rapid.T) { w.check() },
			"join": func(t *rapid.T) { w.join(rapid.Bool().Draw(t, "fast")) },
			"leave": func(*rapid.T) {
				w.l.drop(w.now, someone(), errSilent)
				w.settle()
			},
			"unchoke": func(*rapid.T) { w.hear(someone(), peerwire.Unchoke{}) },
			"choke":   func(*rapid.T) { w.hear(someone(), peerwire.Choke{}) },
			"has":     func(*rapid.T) { w.hear(someone(), peerwire.Have{Index: index()}) },
			"lost": func(*rapid.T) {
				id := w.l.opening.ids.ID(extension.DontHaveName)
				w.hear(someone(), peerwire.Extended{ID: id, Payload: extension.DontHave{Index: index()}.AppendTo(nil)})
			},
			"has some": func(t *rapid.T) {
				bits := rapid.SliceOfN(rapid.Byte(), int(w.l.swarm.numPieces+7)/8, int(w.l.swarm.numPieces+7)/8).Draw(t, "bits")
				w.hear(someone(), peerwire.BitfieldMessage{Bits: bits})
			},
			"has all": func(*rapid.T) {
				if p := someone(); p.fast {
					w.hear(p, peerwire.HaveAll{}, peerwire.Unchoke{})
				}
			},
			"has none": func(*rapid.T) { w.hear(someone(), peerwire.HaveNone{}) },
			"answers": func(t *rapid.T) {
				p := someone()
				for range rapid.IntRange(1, 20).Draw(t, "blocks") {
					if r, ok := pending(p); ok && !p.gone {
						w.hear(p, w.answer(r))
					}
				}
			},
			"lies": func(*rapid.T) {
				p := someone()
				if r, ok := pending(p); ok {
					m := w.answer(r)
					m.Data[0]++
					w.hear(p, m)
				}
			},
			"answers late": func(t *rapid.T) {
				p := someone()
				if len(p.asking.late) > 0 {
					w.hear(p, w.answer(rapid.SampledFrom(p.asking.late).Draw(t, "late")))
				}
			},
			"rejects": func(t *rapid.T) {
				p := someone()
				for range rapid.IntRange(1, 40).Draw(t, "rejects") {
					if r, ok := pending(p); ok && !p.gone {
						w.hear(p, peerwire.Reject(r))
					}
				}
			},
			"sends unasked": func(*rapid.T) { w.hear(someone(), w.answer(peerwire.Request{Index: index(), Length: 1})) },
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 400, 1000, 11_000, 61_000, 400_000}).Draw(t, "ms")) * time.Millisecond)
				for p := range w.l.peers {
					p.heard = w.now
				}
				w.l.tick(w.now)
				w.settle()
			},
			"hash": func(*rapid.T) { w.hash() },
			"disk": func(t *rapid.T) {
				w.disk.fails(rapid.SampledFrom([]error{nil, nil, errors.New("broken"), fmt.Errorf("%w", storage.ErrFull)}).Draw(t, "error"))
			},
			"pause": func(t *rapid.T) {
				w.l.swarm.paused.Store(rapid.Bool().Draw(t, "paused"))
				w.l.lookUp(w.now)
				w.settle()
			},
			"forget": func(*rapid.T) { // those that are gone
				w.peers = slices.DeleteFunc(w.peers, func(p *peer) bool { return p.gone })
			},
		})
		w.finish()
	})
}

// finish has an honest seed give the rest.
func (w *leeching) finish() {
	w.disk.fails(nil)
	w.l.swarm.paused.Store(false)
	w.l.lookUp(w.now)
	w.settle()
	seed := w.join(true)
	w.hear(seed, peerwire.HaveAll{}, peerwire.Unchoke{})
	for round := 0; !w.d.asker.Done(); round++ {
		require.Less(w.t, round, 3000, "%d bytes missing, seed owes %d", w.missing(), len(seed.asking.pending))
		require.False(w.t, seed.gone)
		seed.heard = w.now
		for len(seed.asking.pending) > 0 && !seed.gone {
			w.hear(seed, w.answer(seed.asking.pending[0].Request))
		}
		w.hash()
		w.now = w.now.Add(time.Second)
		w.l.tick(w.now)
		w.settle()
		w.check()
	}
	require.True(w.t, bytes.Equal(w.data, w.disk.data))
}
