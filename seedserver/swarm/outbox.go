package swarm

import (
	"sync"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Bounds of what waits for one peer.
const (
	maxFrames   = 512 << 10 // bytes of control frames; a peer that lets more gather does not read
	maxChunk    = 512 << 10 // bytes of blocks that one read and one write may carry
	firstChunk  = 64 << 10
	minChunk    = 16 << 10
	chunksAhead = 4 // chunks that the disk is told of before they are read, maxChunk bytes at the most
	metadataRun = 4 // metadata pieces that one write may carry
)

// Bounds of how many bytes that left us may wait in the kernel for a peer that does not read. They are off the rate limit and
// never on the line; without a bound they are some megabytes for each such peer. The first one holds until the peer took
// provenTaking: a crowd that comes, asks and does not read would use the limit up for nothing. The second one is enough that the
// line never waits for us. The highest one is for peers that take the largest chunks: the kernel wakes a writer when half of it is
// gone, and then there is room for a whole chunk, not two turns of half of one.
const (
	firstUnsent  = 16 << 10
	maxUnsent    = 256 << 10
	fastUnsent   = 2 * maxChunk
	provenTaking = 256 << 10
)

// A chunk is halved when sending one takes longer than slowChunk, and doubled when it takes less than fastChunk: a slow peer
// holds little memory, and a slow limit leaves in small steps.
const (
	slowChunk = 250 * time.Millisecond
	fastChunk = 50 * time.Millisecond
)

// An outbox holds what is to be sent to one peer: frames that are ready, and promises, whose blocks are read just before they
// leave. The loop puts things in and never waits for it; one writer goroutine at a time takes them out, and runs only while
// there is something to take. The mutex is held for slice work alone.
//
// A writer that has to wait for the Limiter lets go of its role meanwhile, so that frames do not wait with it. It waits no longer than there
// are blocks of that class, and none of a more urgent one: who waits for nothing would be in the way of others.
type outbox struct {
	mu       sync.Mutex
	frames   []byte
	metadata []metadataAnswer
	queue    promises
	leaving  [2][]run     // what a writer sent last, and before that, while leaves is told
	chunk    int          // how many bytes of blocks leave at a time
	credit   [Classes]int // bytes granted by the Limiter of each class and not sent
	writing  bool         // a writer goroutine has the role
	pacing   bool         // a goroutine waits for the Limiter,
	paced    Class        // for blocks of this class,
	relent   func()       // until this is called, if it is not nil
	closed   bool
}

// push adds control frames. It reports false when there are too many: the peer does not read.
func (o *outbox) push(frames []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return true
	}
	o.frames = append(o.frames, frames...)
	return len(o.frames) <= maxFrames
}

// promise queues requests, which are valid, up to limit in all; frames, the answers to others, go with them. A request that
// is in the queue already is one with it, and answered once. Requests above the limit are refused where reject is set.
// useless counts both kinds.
func (o *outbox) promise(requests []grant, limit int, frames []byte, reject bool) (useless int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, true
	}
	o.frames = append(o.frames, frames...)
	for _, r := range requests {
		switch {
		case o.queue.contains(r.Request):
			useless++
		case o.queue.n < limit:
			o.queue.push(r)
		default:
			useless++
			if reject {
				o.frames = peerwire.AppendReject(o.frames, r.Request)
			}
		}
	}
	o.reconsider()
	return useless, len(o.frames) <= maxFrames
}

// cancel takes a request back, and reports whether it was still there. With reject set it is answered all the same: "every
// request is guaranteed to result in EXACTLY ONE response" (BEP 6).
func (o *outbox) cancel(r peerwire.Request, reject bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.queue.remove(r) {
		return false
	}
	o.reconsider()
	if reject {
		o.frames = peerwire.AppendReject(o.frames, r)
	}
	return true
}

// dismiss ends all promises. With reject set each gets its Reject, behind the frames given: "a peer SHOULD choke first and then
// reject requests" (BEP 6).
func (o *outbox) dismiss(frames []byte, reject bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return true
	}
	o.frames = append(o.frames, frames...)
	if reject {
		o.frames = appendRejects(o.frames, o.queue.runs)
	}
	o.queue.clear()
	o.reconsider()
	return len(o.frames) <= maxFrames
}

// takeBack ends the promises of a piece, behind the frames given, and returns how many there were. With reject set each gets its Reject.
func (o *outbox) takeBack(frames []byte, piece uint32, reject bool) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0
	}
	o.frames = append(o.frames, frames...)
	runs := o.queue.without(piece)
	for i := range runs {
		n += int(runs[i].n)
	}
	if reject {
		o.frames = appendRejects(o.frames, runs)
	}
	o.reconsider()
	return n
}

// leaves notes that a writer begins to send runs.
func (o *outbox) leaves(runs []run) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(runs) > 0 {
		o.leaving[0], o.leaving[1] = append(o.leaving[1][:0], runs...), o.leaving[0]
	}
}

// leavingOf returns how many bytes of a piece a writer is sending, or has sent a moment ago.
func (o *outbox) leavingOf(piece uint32) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, runs := range o.leaving {
		for i := range runs {
			if runs[i].index == piece {
				n += runs[i].bytes()
			}
		}
	}
	return n
}

// forget gives up what leavingOf told: it is long sent, and was heard of.
func (o *outbox) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leaving = [2][]run{}
}

// refuse rejects requests that a writer took and could not serve.
func (o *outbox) refuse(runs []run) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.frames = appendRejects(o.frames, runs)
	}
}

// pushMetadata queues a piece of the info dict. They are kept apart from frames, which are copies.
func (o *outbox) pushMetadata(a metadataAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.metadata = append(o.metadata, a)
	}
}

// claim gives the caller the writer's role if somebody should have it and nobody does.
func (o *outbox) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing || o.closed || o.quiet() {
		return false
	}
	o.writing = true
	return true
}

// quiet reports that there is nothing a writer could do now.
func (o *outbox) quiet() bool {
	return len(o.frames) == 0 && len(o.metadata) == 0 && (o.queue.n == 0 || o.pacing)
}

// idle reports that everything is sent, and returns the number of requests unanswered.
func (o *outbox) idle() (queued int, idle bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue.n, !o.writing && !o.pacing && len(o.frames) == 0 && o.queue.n == 0
}

// resign gives the writer's role up, in the midst of it.
func (o *outbox) resign() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
}

// finished reports that it is closed, and nothing is being sent any more.
func (o *outbox) finished() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed && !o.writing
}

// close drops everything; nothing is taken in any more.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.frames, o.metadata, o.queue = true, nil, nil, promises{}
	o.reconsider()
}

// waits notes that stop ends the wait for the Limiter that take asked for.
func (o *outbox) waits(stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.relent = stop
	o.reconsider()
}

// reconsider ends the wait for the Limiter if it is for what is not to be sent next. Called with mu held.
func (o *outbox) reconsider() {
	if o.pacing && o.relent != nil && (o.queue.n == 0 || o.queue.urgent() != o.paced) {
		o.relent()
		o.relent = nil
	}
}

// What a writer is to do next.
type task uint8

const (
	taskDone task = iota // nothing: its role is given up
	taskSend             // send what it was given
	taskPace             // wait for the Limiter: its role is given up until paid
)

// take moves the next things to send into w. Blocks are held back while paused; if limited, they need credit first, and
// w.need says how much to ask for. w.took is how long the last chunk took.
func (o *outbox) take(w *writer, paused, limited bool) task {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		o.writing = false
		return taskDone
	}
	o.adapt(w.took)
	chunk := o.chunk
	if limited && o.queue.urgent() == Plain { // what is granted to a peer that does not take it is lost to the others
		chunk = min(chunk, max(minChunk, w.taken/4))
	}
	w.took, w.unsent = 0, unsentBound(w.taken, chunk)
	w.frames, o.frames = o.frames, w.frames[:0]
	n := min(len(o.metadata), metadataRun)
	w.metadata = append(w.metadata[:0], o.metadata[:n]...)
	o.metadata = o.metadata[n:]
	w.runs, w.next, w.need = w.runs[:0], w.next[:0], 0
	if o.queue.n > 0 && !paused {
		need, class := o.queue.next(chunk)
		w.class = class
		switch {
		case !limited || need <= o.credit[class]:
			w.runs = o.queue.take(w.runs, chunk)
			w.next = o.queue.peek(w.next, min(chunksAhead*chunk, maxChunk))
			if limited {
				o.credit[class] -= need
			}
		case !o.pacing:
			w.need = need - o.credit[class]
		}
	}
	switch {
	case len(w.frames) > 0 || n > 0 || len(w.runs) > 0:
		return taskSend
	case w.need > 0:
		o.writing, o.pacing, o.paced = false, true, w.class
		return taskPace
	}
	o.writing = false
	o.release()
	return taskDone
}

// paid notes that the Limiter of a class granted n bytes, none if it was not waited for to the end, and reports whether the caller is the writer again: not when there is another
// now, or nothing to write for.
func (o *outbox) paid(class Class, n int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pacing, o.relent = false, nil
	o.credit[class] += n
	if o.closed || o.writing || o.quiet() {
		return false
	}
	o.writing = true
	return true
}

// adapt sets the size of a chunk by how long the last one took.
func (o *outbox) adapt(took time.Duration) {
	switch {
	case o.chunk == 0:
		o.chunk = firstChunk
	case took > slowChunk:
		o.chunk = max(o.chunk/2, minChunk)
	case took > 0 && took < fastChunk:
		o.chunk = min(o.chunk*2, maxChunk)
	}
}

// unsentBound is how much may wait in the kernel for a peer that was sent so many bytes and takes chunks of that size.
func unsentBound(taken, chunk int) int {
	switch {
	case taken < provenTaking:
		return firstUnsent
	case chunk == maxChunk:
		return fastUnsent
	}
	return maxUnsent
}

// release gives memory back that a quiet peer has no use for.
func (o *outbox) release() {
	if cap(o.frames) > 1<<10 {
		o.frames = nil
	}
	if o.queue.n == 0 && cap(o.queue.runs) > 64 {
		o.queue.runs = nil
	}
	o.metadata = nil
}
