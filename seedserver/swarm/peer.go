package swarm

import (
	"cmp"
	"math"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/piecepicker"
)

// A peer is one connection.
type peer struct {
	// set before its goroutines start, and not changed
	swarm     *Swarm
	conn      net.Conn
	addr      netip.AddrPort
	id        peerwire.PeerID
	fast      bool // both sides speak BEP 6
	extended  bool // both sides speak BEP 10
	dialled   bool // by us
	connected time.Time
	seq       uint64 // its place among all peers there have been
	rank      uint32 // canonical priority (BEP 40)
	release   func()

	// shared with the writer
	out      outbox
	uploaded atomic.Int64 // payload bytes
	wrote    atomic.Int64 // when a write ended last, nanoseconds since Swarm.epoch
	drainBy  int64        // the deadline of writes, nanoseconds since Swarm.epoch; of who has the writer's role
	unsent   int          // the bound of what waits in the kernel; of who has the writer's role
	floods   atomic.Bool  // of the loop: its reader takes its time
	passesOn atomic.Bool  // what it was given: for the policy to say
	paid     atomic.Bool  // it had a part of the line, whether it took what that was for or not
	writing  atomic.Int64 // when the write under way began, nanoseconds since Swarm.epoch; 0 if there is none

	// the loop's own
	gone       bool // dropped: what still comes from its reader is passed over
	dirty      bool // something was put into out since the writer was looked after
	interested bool
	unchoked   bool
	heard      time.Time
	seedSince  time.Time // since when it wants nothing more of anybody; zero if it does
	have       *peerwire.Bitfield
	uploadOnly bool
	client     string
	exchange   exchange
	listenPort uint16 // where it takes connections; 0 if it did not say
	theirs     extension.IDs
	metadata   *extension.MetadataServer
	strikes    int              // requests no good peer makes, and failed reads
	noise      int              // messages of no use since the last sweep
	number     piecepicker.Peer // the policy's name for it, if it uses such
	spent      map[uint32]*expense
	asking     asking
	verdict    Verdict
	downloaded int64 // payload bytes of blocks that were asked for
	refused    int   // requests refused, repeated or taken back since the last sweep
	counted    int64 // of uploaded, what the last tick saw
	rate       rate
	met        bool // it was a stranger, and is one no more
	doubted    bool // it was a stranger, and did not turn out well
	lag        bool // it does not take what it is sent; what the policy was told

	// what a download keeps of it
	pipe        pipe
	hungry      bool  // may be asked for more
	rejects     int   // requests it refused in a row
	reqq        int   // requests it holds; 0 if it did not say
	downCounted int64 // of downloaded, what the last tick saw
	downRate    rate
}

// mayQueue returns how many requests p holds unanswered.
func (p *peer) mayQueue() int { return max(1, cmp.Or(p.reqq, extension.DefaultReqq)) }

// wantsNothing reports whether p is complete or says that it wants no more: a seed in effect.
func (p *peer) wantsNothing() bool {
	return p.have != nil && p.have.All() || p.uploadOnly && !p.interested
}

// progress returns the part of the pieces that p says it has.
func (p *peer) progress(numPieces uint32) float64 {
	if p.have == nil {
		return 0
	}
	return float64(p.have.Count()) / float64(numPieces)
}

// name returns the client's name and version, safe to print; empty when it told none.
func (p *peer) name() string {
	if p.client != "" {
		return p.client
	}
	return p.id.Client()
}

func (p *peer) stat(numPieces uint32) PeerStat {
	queued, _ := p.out.idle()
	return PeerStat{
		Addr:       p.addr,
		Dialled:    p.dialled,
		ID:         p.id,
		Client:     p.name(),
		Progress:   p.progress(numPieces),
		Uploaded:   p.uploaded.Load(),
		Downloaded: p.downloaded,
		DownRate:   p.downRate.perSecond(),
		Rate:       p.rate.perSecond(),
		Queued:     queued,
		Choked:     !p.unchoked,
		Interested: p.interested,
		Seed:       !p.seedSince.IsZero(),
		Connected:  p.connected,
	}
}

// A rate is bytes per second, averaged over the last seconds.
type rate float64

// rateWindow is the time in which two thirds of a change show.
const rateWindow = 5 * time.Second

// add notes that bytes went by in the time since the last call.
func (r *rate) add(bytes int64, elapsed time.Duration) {
	if elapsed <= 0 {
		return
	}
	now := float64(bytes) / elapsed.Seconds()
	*r += rate((now - float64(*r)) * -math.Expm1(-float64(elapsed)/float64(rateWindow)))
}

func (r rate) perSecond() int64 { return int64(math.Round(float64(r))) }
