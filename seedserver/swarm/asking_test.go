package swarm

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/peerwire"
)

// An askingWorld is a loop without goroutines, one peer of it, and an asker that writes down what it is told.
type askingWorld struct {
	l    *loop
	p    *peer
	now  time.Time
	told []string
	open map[peerwire.Request]int // asked for and not answered
}

func (w *askingWorld) choking(_ time.Time, p *peer) {
	w.told = append(w.told, map[bool]string{true: "choked", false: "unchoked"}[p.asking.choked])
}

func (w *askingWorld) allowed(_ time.Time, _ *peer, index uint32) {
	w.told = append(w.told, fmt.Sprintf("allowed %d", index))
}

func (w *askingWorld) answered(_ time.Time, _ *peer, a answer) {
	how := []string{"came", "late", "rejected", "choked", "timed out", "gone"}[a.how]
	w.told = append(w.told, fmt.Sprintf("%d/%d %s", a.Index, a.Begin/block, how))
	if a.how != blockLate {
		w.open[a.Request]--
	}
	if a.buf != nil {
		giveBack(a.buf)
	}
}

// newAskingWorld connects a peer to a torrent of four pieces of 16 blocks.
func newAskingWorld(t require.TestingT, fast bool) *askingWorld {
	cfg, _ := torrent(1<<20, 256<<10)
	cfg.Superseed = &Superseed{}
	s := New(cfg)
	w := &askingWorld{l: newLoop(s, func(func(context.Context)) {}), now: time.Now(), open: map[peerwire.Request]int{}}
	w.l.asker = w
	conn, _ := net.Pipe()
	a := admission{conn: conn, release: func() {}}
	if fast {
		a.reserved.Set(peerwire.Fast)
	}
	w.l.admitted(w.now, a)
	for w.p = range w.l.peers {
	}
	w.p.out.frames = nil
	return w
}

// hear applies what the peer sends.
func (w *askingWorld) hear(messages ...peerwire.Message) {
	var sent []byte
	for _, m := range messages {
		sent = peerwire.Append(sent, m)
	}
	d := peerwire.NewDecoder(bytes.NewReader(sent), w.l.swarm.decoding())
	for d.Await() == nil && !w.p.gone {
		b := &batch{p: w.p}
		b.fill(d)
		b.apply(w.l, w.now)
	}
}

// pass lets time pass.
func (w *askingWorld) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.l.tick(w.now)
}

func (w *askingWorld) ask(requests ...peerwire.Request) int {
	n := w.l.ask(w.now, w.p, requests, time.Minute)
	for _, r := range requests[:n] {
		w.open[r] = 1
	}
	return n
}

// sent returns the messages to the peer since the last call.
func (w *askingWorld) sent(t require.TestingT) []peerwire.Message {
	var list []peerwire.Message
	d := peerwire.NewDecoder(bytes.NewReader(w.p.out.frames), peerwire.DecoderConfig{})
	for d.Await() == nil {
		m, err := d.Next()
		require.NoError(t, err)
		list = append(list, detached(m))
	}
	w.p.out.frames = nil
	return list
}

// nth returns the request for block n of the torrent.
func nth(n int) peerwire.Request {
	return peerwire.Request{Index: uint32(n / 16), Begin: uint32(n % 16 * block), Length: block}
}

func piece(r peerwire.Request) peerwire.Piece {
	return peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: make([]byte, r.Length)}
}

func TestAskingWaitsForUnchoke(t *testing.T) {
	w := newAskingWorld(t, true)
	w.l.setAmInterested(w.now, w.p, true)
	w.l.setAmInterested(w.now, w.p, true)
	require.Equal(t, []peerwire.Message{peerwire.Interested{}}, w.sent(t))
	require.Zero(t, w.ask(nth(0)), "\"connections start out choked\"")
	w.hear(peerwire.AllowedFast{Index: 1}, peerwire.AllowedFast{Index: 1}, peerwire.AllowedFast{Index: 9})
	require.Equal(t, 1, w.ask(nth(16), nth(0)))
	require.Equal(t, []peerwire.Message{nth(16)}, w.sent(t))
	w.hear(piece(nth(16)), peerwire.Unchoke{}, peerwire.Unchoke{})
	require.Equal(t, 2, w.ask(nth(0), nth(1)))
	require.Equal(t, 1, w.ask(nth(0)), "what is pending is not asked for twice")
	require.Equal(t, []peerwire.Message{nth(0), nth(1)}, w.sent(t))
	w.hear(piece(nth(1)), piece(nth(0)))
	require.Equal(t, []string{"allowed 1", "1/0 came", "unchoked", "0/1 came", "0/0 came"}, w.told)
	require.EqualValues(t, 3*block, w.p.downloaded)
	require.Zero(t, w.l.pending)
	w.l.setAmInterested(w.now, w.p, false)
	require.Equal(t, []peerwire.Message{peerwire.NotInterested{}}, w.sent(t))
}

func TestAskingRefusesWhatIsNotThere(t *testing.T) {
	w := newAskingWorld(t, true)
	w.hear(peerwire.Unchoke{})
	for _, r := range []peerwire.Request{{Index: 4, Length: block}, {Length: block + 1}, {Begin: 256<<10 - 1, Length: 2}, {}} {
		require.Zero(t, w.ask(r))
	}
	require.Empty(t, w.sent(t))
}

// Each request has one answer, whichever; a block that comes after that is late, and told of as such.
func TestRequestsOfOursHaveOneAnswer(t *testing.T) {
	for _, tc := range []struct {
		name string
		fast bool
		does func(w *askingWorld)
		told []string
		gone bool
	}{
		{"rejected", true, func(w *askingWorld) { w.hear(peerwire.Reject(nth(0))) }, []string{"0/0 rejected"}, false},
		{"rejected twice", true, func(w *askingWorld) { w.hear(peerwire.Reject(nth(0)), peerwire.Reject(nth(0))) },
			[]string{"0/0 rejected"}, true},
		{"rejected without fast", false, func(w *askingWorld) { w.hear(peerwire.Reject(nth(0))) }, []string{"0/0 gone"}, true},
		{"a choke voids, without fast", false, func(w *askingWorld) { w.hear(peerwire.Choke{}, piece(nth(0))) },
			[]string{"choked", "0/0 choked", "0/0 late"}, false},
		{"a choke says nothing, with fast", true, func(w *askingWorld) { w.hear(peerwire.Choke{}, peerwire.Reject(nth(0))) },
			[]string{"choked", "0/0 rejected"}, false},
		{"too late", true, func(w *askingWorld) { w.pass(time.Minute); w.hear(piece(nth(0)), piece(nth(0))) },
			[]string{"0/0 timed out", "0/0 late"}, true},
		{"too late, and then refused", true, func(w *askingWorld) { w.pass(time.Minute); w.hear(peerwire.Reject(nth(0))) },
			[]string{"0/0 timed out"}, false},
		{"in time", true, func(w *askingWorld) { w.pass(time.Minute - 1); w.hear(piece(nth(0))) }, []string{"0/0 came"}, false},
		{"taken back", true, func(w *askingWorld) { w.l.takeBack(w.now, w.p, nth(0)); w.hear(piece(nth(0))) },
			[]string{"0/0 late"}, false},
		{"gone", true, func(w *askingWorld) { w.l.drop(w.now, w.p, errSilent) }, []string{"0/0 gone"}, true},
		{"another block", true, func(w *askingWorld) { w.hear(piece(nth(1))) }, []string{"0/0 gone"}, true},
		{"another block, without fast", false, func(w *askingWorld) { w.hear(piece(nth(1))) }, nil, false},
		{"a short block", true, func(w *askingWorld) { w.hear(peerwire.Piece{Data: []byte{1}}) }, []string{"0/0 gone"}, true},
		{"more than was asked for", false, func(w *askingWorld) { w.hear(piece(nth(0)), piece(nth(0))) }, []string{"0/0 came"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newAskingWorld(t, tc.fast)
			w.hear(peerwire.Unchoke{})
			require.Equal(t, 1, w.ask(nth(0)))
			w.told = nil
			tc.does(w)
			require.Equal(t, tc.told, w.told)
			require.Equal(t, tc.gone, w.p.gone)
			if w.p.gone || tc.told != nil {
				require.Zero(t, w.l.pending)
			}
		})
	}
}

// A peer may not send a block more than it was asked for: the reader takes none in, and ends the connection.
func TestUnrequestedBlocksAreNotTakenIn(t *testing.T) {
	w := newAskingWorld(t, false)
	b := &batch{p: w.p}
	var sent []byte
	for n := range 3 {
		sent = peerwire.Append(sent, piece(nth(n)))
	}
	w.hear(peerwire.Unchoke{})
	w.ask(nth(0), nth(1))
	d := peerwire.NewDecoder(bytes.NewReader(sent), w.l.swarm.decoding())
	for b.err == nil {
		require.NoError(t, d.Await())
		b.fill(d)
	}
	require.ErrorIs(t, b.err, errUnrequested)
	require.Len(t, b.blocks, 2)
	b.apply(w.l, w.now)
	require.True(t, w.p.gone)
}

// Whatever a peer does, each request has at most one answer, exactly one in the end, and the counts are right.
func TestAskingProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newAskingWorld(t, rapid.Bool().Draw(t, "fast"))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r := nth(rapid.IntRange(0, 5).Draw(t, "block"))
			switch rapid.SampledFrom([]string{"ask", "ask", "piece", "reject", "choke", "unchoke", "allow", "back", "pass"}).Draw(t, "step") {
			case "ask":
				if w.p.asking.find(r) < 0 {
					w.ask(r)
				}
			case "piece":
				w.hear(piece(r))
			case "reject":
				w.hear(peerwire.Reject(r))
			case "choke":
				w.hear(peerwire.Choke{})
			case "unchoke":
				w.hear(peerwire.Unchoke{})
			case "allow":
				w.hear(peerwire.AllowedFast{Index: r.Index})
			case "back":
				if w.p.asking.find(r) >= 0 {
					w.open[r]--
				}
				w.l.takeBack(w.now, w.p, r)
			case "pass":
				w.pass(30 * time.Second)
			}
			if w.p.gone {
				break
			}
			open := 0
			for r, n := range w.open {
				require.Contains(t, []int{0, 1}, n)
				require.Equal(t, n == 1, slices.ContainsFunc(w.p.asking.pending, func(a asked) bool { return a.Request == r }))
				open += n
			}
			require.Equal(t, open, w.l.pending)
			require.GreaterOrEqual(t, int(w.p.asking.owed.Load()), open)
		}
		w.l.drop(w.now, w.p, errSilent)
		for _, n := range w.open {
			require.Zero(t, n)
		}
		require.Zero(t, w.l.pending)
	})
}

// However many requests are taken back at once, a peer that answers every one of them, as it has to, has done nothing wrong.
func TestAnswersToAllThatWasTakenBack(t *testing.T) {
	w := newAskingWorld(t, true)
	w.hear(peerwire.Unchoke{})
	var requests []peerwire.Request
	var answers []peerwire.Message
	for n := range maxPipe {
		r := peerwire.Request{Index: uint32(n / 256), Begin: uint32(n % 256 << 10), Length: 1 << 10}
		requests = append(requests, r)
		answers = append(answers, peerwire.Reject(r))
	}
	require.Equal(t, maxPipe, w.ask(requests...))
	for _, r := range requests {
		w.l.takeBack(w.now, w.p, r)
	}
	w.hear(answers...)
	require.False(t, w.p.gone)
	require.Zero(t, w.p.asking.owed.Load())
}
