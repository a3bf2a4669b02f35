package swarm

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

func blockRequests(n int) []peerwire.Request {
	var list []peerwire.Request
	for _, m := range requests(0, 0, n) {
		list = append(list, m.(peerwire.Request))
	}
	return list
}

func grants(requests []peerwire.Request) []grant {
	list := make([]grant, len(requests))
	for i, r := range requests {
		list[i].Request = r
	}
	return list
}

func TestOutboxHasOneWriter(t *testing.T) {
	var o outbox
	var w writer
	require.False(t, o.claim(), "there is nothing to write")
	require.True(t, o.push([]byte("a")))
	require.True(t, o.claim())
	require.True(t, o.push([]byte("b")))
	require.False(t, o.claim(), "there is a writer")
	require.Equal(t, taskSend, o.take(&w, false, false))
	require.Equal(t, "ab", string(w.frames))
	require.True(t, o.push([]byte("c")))
	require.Equal(t, taskSend, o.take(&w, false, false))
	require.Equal(t, "c", string(w.frames))
	require.Equal(t, taskDone, o.take(&w, false, false))
	require.True(t, o.push([]byte("d")))
	require.True(t, o.claim(), "the role is free again")
}

func TestOutboxWhileTheLimiterHolds(t *testing.T) {
	var o outbox
	pacer, w := writer{taken: 4 * maxChunk}, writer{taken: 4 * maxChunk}
	o.promise(grants(blockRequests(2)), 100, nil, true)
	require.True(t, o.claim())
	require.Equal(t, taskPace, o.take(&pacer, false, true))
	require.Equal(t, 2*block, pacer.need)
	require.False(t, o.claim(), "what is left to do is the pacer's")

	require.True(t, o.push([]byte("a")))
	require.True(t, o.claim(), "but frames go past it")
	require.Equal(t, taskSend, o.take(&w, false, true))
	require.Empty(t, w.runs)
	require.False(t, o.paid(Plain, pacer.need), "there is a writer: it will see the credit")
	require.Equal(t, taskSend, o.take(&w, false, true))
	require.Equal(t, 2*block, w.runs[0].bytes())
	require.Equal(t, taskDone, o.take(&w, false, true))
	require.Zero(t, o.credit[Plain])

	o.promise(grants(blockRequests(1)), 100, nil, true)
	require.True(t, o.claim())
	require.Equal(t, taskPace, o.take(&pacer, false, true))
	require.True(t, o.paid(Plain, pacer.need), "nobody else is there")
	require.Equal(t, taskSend, o.take(&pacer, false, true))
}

// A writer of frames that goes while another goroutine waits for the Limiter leaves the requests, however many runs they are.
func TestOutboxKeepsWhatWaitsForTheLimiter(t *testing.T) {
	var o outbox
	var pacer, w writer
	scattered := blockRequests(200)
	for i := range scattered {
		scattered[i].Begin *= 2
	}
	o.promise(grants(scattered), 1000, nil, true)
	require.True(t, o.claim())
	require.Equal(t, taskPace, o.take(&pacer, false, true))
	require.True(t, o.push([]byte("a")))
	require.True(t, o.claim())
	require.Equal(t, taskSend, o.take(&w, false, true))
	require.Equal(t, taskDone, o.take(&w, false, true))
	require.Len(t, o.queue.runs, 200)
	require.True(t, o.paid(Plain, pacer.need))
	require.Equal(t, taskSend, o.take(&pacer, false, true))
	require.NotEmpty(t, pacer.runs)
}

// Two classes wait for two limiters, and what is urgent does not wait behind what is not.
func TestOutboxServesTheUrgentClassFirst(t *testing.T) {
	var o outbox
	var pacer, w writer
	list := grants(blockRequests(4))
	list[0].class, list[1].class, list[2].class, list[3].class = Assist, Need, Assist, Need
	o.promise(list, 100, nil, true)
	require.True(t, o.claim())
	require.Equal(t, taskPace, o.take(&pacer, false, true))
	require.Equal(t, Need, pacer.class)
	require.Equal(t, 2*block, pacer.need)
	require.True(t, o.paid(Need, pacer.need))
	require.Equal(t, taskSend, o.take(&w, false, true))
	require.Equal(t, []run{{begin: block, length: block, n: 1, class: Need}, {begin: 3 * block, length: block, n: 1, class: Need}}, w.runs)
	require.Equal(t, taskPace, o.take(&w, false, true))
	require.Equal(t, Assist, w.class)
}

func TestOutboxChunksFollowTheirTime(t *testing.T) {
	var o outbox
	o.adapt(0)
	require.Equal(t, firstChunk, o.chunk)
	for range 10 {
		o.adapt(time.Millisecond)
	}
	require.Equal(t, maxChunk, o.chunk)
	o.adapt(100 * time.Millisecond)
	require.Equal(t, maxChunk, o.chunk)
	for range 10 {
		o.adapt(time.Second)
	}
	require.Equal(t, minChunk, o.chunk)
}

func TestOutboxIsBounded(t *testing.T) {
	var o outbox
	require.True(t, o.push(make([]byte, maxFrames)))
	require.False(t, o.push([]byte("x")))
	o.close()
	require.True(t, o.push(make([]byte, 2*maxFrames)), "closed, it takes nothing in")
	require.Empty(t, o.frames)
	require.False(t, o.claim())
}

func TestBuffersAreLentBySize(t *testing.T) {
	for _, n := range []int{1, minChunk, minChunk + 1, 100_000, maxChunk, maxBlock + maxChunk} {
		b := borrow(n)
		require.GreaterOrEqual(t, len(*b), n)
		require.Less(t, len(*b), max(4*n, minChunk+1), "%d", n)
		giveBack(b)
	}
}

// A writer that meets a pause leaves; when the pause is over before the loop has looked, somebody has to take its place.
func TestLoopLooksAfterWritersThatMetAPause(t *testing.T) {
	cfg, _ := torrent(1<<20, 256<<10)
	s := New(cfg)
	started := 0
	l := newLoop(s, func(func(context.Context)) { started++ })
	p := &peer{swarm: s, unchoked: true, release: func() {}}
	l.peers[p] = struct{}{}
	l.requested(time.Now(), p, blockRequests(1))
	l.startWriters()
	require.Equal(t, 1, started)

	require.Equal(t, taskDone, p.out.take(&writer{}, true, false))
	l.lookUp(time.Now())
	l.startWriters()
	require.Equal(t, 2, started)
}

// TestTheUrgentIsWaitedForFirst: who waits for the little that assistance may have is not kept there when something urgent is asked for.
func TestTheUrgentIsWaitedForFirst(t *testing.T) {
	var o outbox
	w := writer{taken: 4 * maxChunk}
	of := func(class Class, first int) []grant {
		list := grants(blockRequests(first + 1)[first:])
		list[0].class = class
		return list
	}
	relents := 0
	relent := func() { relents++ }
	o.promise(of(Assist, 0), 100, nil, true)
	require.True(t, o.claim())
	require.Equal(t, taskPace, o.take(&w, false, true))
	require.Equal(t, Assist, w.class)
	o.waits(relent)
	o.promise(of(Assist, 1), 100, nil, true)
	require.Zero(t, relents)
	o.promise(of(Rescue, 2), 100, nil, true)
	o.promise(of(Rescue, 3), 100, nil, true)
	require.Equal(t, 1, relents)
	require.True(t, o.paid(Assist, 0))
	require.Equal(t, taskPace, o.take(&w, false, true))
	require.Equal(t, Rescue, w.class)

	o.dismiss(nil, false)
	o.waits(relent)
	require.Equal(t, 2, relents, "all was taken back before it could be told")
	require.False(t, o.paid(Rescue, 0))
}

// What is taken back is refused behind the message that says so, and nothing else is.
func TestOutboxTakesAPieceBack(t *testing.T) {
	var o outbox
	mine := []grant{{peerwire.Request{Index: 1, Length: block}, Assist}, {peerwire.Request{Index: 1, Begin: 2 * block, Length: block}, Need}}
	o.promise(append(grants(blockRequests(2)), mine...), 100, nil, true)
	require.Equal(t, 2, o.takeBack([]byte("gone"), 1, true))
	want := peerwire.AppendReject(peerwire.AppendReject([]byte("gone"), mine[0].Request), mine[1].Request)
	require.Equal(t, want, o.frames)
	require.Equal(t, [Classes]int{Plain: 2}, o.queue.byClass)
	require.Equal(t, 2, o.queue.n)
	require.Zero(t, o.takeBack(nil, 1, true))
	require.Equal(t, 2, o.takeBack(nil, 0, false))
	require.Equal(t, want, o.frames)
	queued, _ := o.idle()
	require.Zero(t, queued)
}

// TestOutboxTellsWhatLeaves: until two chunks later, since the peer may answer before its writer is back.
func TestOutboxTellsWhatLeaves(t *testing.T) {
	var o outbox
	for i, want := range [][3]int{{2 * minChunk, 0, 0}, {2 * minChunk, 2 * minChunk, 0}, {0, 2 * minChunk, 2 * minChunk}} {
		o.leaves([]run{{index: uint32(i), length: minChunk, n: 2}})
		o.leaves(nil)
		for piece, n := range want {
			require.Equal(t, n, o.leavingOf(uint32(piece)), "piece %d after %d chunks", piece, i+1)
		}
	}
	o.forget()
	require.Zero(t, o.leavingOf(2))
}
