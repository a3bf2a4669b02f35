package swarm

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/choke"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// Store keeps the pieces of a download.
type Store interface {
	// WriteAt keeps p at byte off of the content. Concurrent calls are made, for different pieces. While its error matches
	// storage.ErrFull it is called again with the same bytes; any other ends in them being fetched again.
	WriteAt(p []byte, off int64) error
}

// Download says that pieces are lacking, and what is done with those that peers send. Config.Content reads what is there.
type Download struct {
	// Have is what is there already, as the bytes of a BITFIELD (BEP 3). If nil, nothing.
	Have  []byte
	Store Store
	// Memory is how many bytes of pieces may be begun and not yet written; two pieces may always be. If zero, 64 MiB.
	Memory int64
	// Hashers is how many goroutines hash and write pieces. If zero, two.
	Hashers int
	// Limiter paces what is received. If nil, nothing does.
	Limiter Limiter
	// Sources have the content besides the peers.
	Sources []Source

	// Kept, if set, is called for each piece that is written, also by the last writes of a Run that ends. Complete, if set, is called
	// once when all are. Trouble, if set, is told why pieces cannot be kept, and nil when they can again. Several goroutines call
	// them. All must not block for long, nor call the Swarm.
	Kept     func(piece uint32)
	Complete func()
	Trouble  func(error)
}

func (d *Download) memory() int64 { return cmp.Or(d.Memory, 64<<20) }
func (d *Download) hashers() int  { return max(1, cmp.Or(d.Hashers, 2)) }

// A download is the policy of a torrent of which pieces are lacking. It asks peers for them, shows what is there, and gives it to
// those that give in turn; when nothing is lacking any more it is plain seeding.
type download struct {
	*plain
	l      *loop
	cfg    *Config
	asker  *piecepicker.Asker
	peers  map[piecepicker.Peer]*peer
	drains map[piecepicker.Peer]*drain
	hungry []*peer // may be asked for more when the event is applied

	assembly map[uint32]*assembly // pieces of which a block is there
	jobs     chan *assembly       // full pieces on their way to the disk; has room for all that may be begun
	idle     []*assembly          // buffers to use again
	blocks   []piecepicker.Block  // scratch
	requests []peerwire.Request   // scratch
	have     int64                // bytes that are there
	banned   map[netip.AddrPort]struct{}
	wasted   int64
	retry    time.Time // nothing is asked for before: a piece could not be written; zero if all could
	failures int       // writes that failed since one did not
}

func newDownload(cfg *Config) *download {
	var seed [32]byte
	crand.Read(seed[:])
	d := &download{
		plain: newPlain(cfg.UploadSlots),
		cfg:   cfg,
		asker: piecepicker.NewAsker(piecepicker.AskerConfig{
			Length: cfg.Info.Length(), PieceLength: cfg.Info.PieceLength,
			Have: cfg.Download.Have, MaxStarted: cfg.Download.memory(),
		}, rand.New(rand.NewChaCha8(seed))),
		peers:    map[piecepicker.Peer]*peer{},
		drains:   map[piecepicker.Peer]*drain{},
		assembly: map[uint32]*assembly{},
		jobs:     make(chan *assembly, min(int64(cfg.Info.NumPieces()), max(2, cfg.Download.memory()/cfg.Info.PieceLength)+2)),
		banned:   map[netip.AddrPort]struct{}{},
	}
	d.choker.SetLeeching(d.leeching())
	d.have = cfg.held()
	return d
}

// held returns the bytes of the pieces that are there when a download begins.
func (cfg *Config) held() (n int64) {
	for i := range cfg.Info.NumPieces() {
		if i/8 < len(cfg.Download.Have) && cfg.Download.Have[i/8]&(0x80>>(i%8)) != 0 {
			n += cfg.Info.PieceSize(i)
		}
	}
	return n
}

// attach gives the download its loop, and starts its hashers.
func (d *download) attach(l *loop) {
	d.l = l
	l.swarm.counters.have.Store(d.have)
	if d.asker.Done() {
		return
	}
	for range d.cfg.Download.hashers() {
		l.spawn(func(ctx context.Context) { d.hash(ctx, l.swarm) })
	}
	d.open(time.Now())
}

// leeching reports whether anything is lacking.
func (d *download) leeching() bool { return !d.asker.Done() }

func (d *download) join(now time.Time, p *peer) showing {
	p.number = d.asker.PeerJoined(now, p.addr)
	d.peers[p.number] = p
	d.plain.join(now, p)
	switch {
	case !d.leeching():
		return showAll
	case d.have == 0:
		return showNothing
	}
	d.l.opening.have = d.asker.AppendBitfield(d.l.opening.have[:0])
	return showSome
}

func (d *download) leave(now time.Time, p *peer) {
	d.asker.PeerLeft(p.number)
	delete(d.peers, p.number)
	d.plain.leave(now, p)
	d.feedAll()
}

func (d *download) has(now time.Time, p *peer, index uint32) {
	d.asker.PeerHas(p.number, index)
	d.want(now, p)
}

func (d *download) hasBits(now time.Time, p *peer, bits []byte) {
	d.asker.PeerBitfield(p.number, bits)
	d.want(now, p)
}

func (d *download) hasAll(now time.Time, p *peer) {
	d.asker.PeerHasAll(p.number)
	d.want(now, p)
}

func (d *download) hasNone(now time.Time, p *peer) {
	d.asker.PeerHasNone(p.number)
	d.want(now, p)
}

// lost is told that p has a piece no longer (BEP 54).
func (d *download) lost(now time.Time, p *peer, index uint32) {
	d.asker.PeerLost(p.number, index)
	d.want(now, p)
}

// want says whether we are interested in p, and asks it for what it has.
func (d *download) want(now time.Time, p *peer) {
	wants := d.asker.Wants(p.number)
	d.l.setAmInterested(now, p, wants)
	if wants {
		d.feed(p)
	}
}

// grants gives what is there.
func (d *download) grants(_ time.Time, _ *peer, r peerwire.Request) (Class, bool) {
	return Plain, d.asker.Has(r.Index)
}

func (d *download) advance(now time.Time, load choke.Load) {
	d.plain.advance(now, load)
	for _, id := range d.asker.Advance(now) {
		p := d.peers[id]
		if p == nil {
			continue // a source: its answer is on its way
		}
		for len(p.asking.pending) > 0 && !p.gone {
			d.l.takeBack(now, p, p.asking.pending[0].Request)
		}
	}
	if !now.Before(d.retry) {
		d.retry = time.Time{}
	}
	if !d.leeching() {
		return
	}
	for _, p := range d.peers {
		p.pipe.adapt(p.downRate.perSecond())
	}
	d.feedAll()
}

func (d *download) deadline() time.Time {
	return earlier(d.retry, earlier(d.plain.deadline(), d.asker.Deadline()))
}

func (d *download) keepsSeeds() bool { return d.leeching() }

// dials leaves seeds alone when there is nothing to get of them.
func (d *download) dials(time.Time) func(candidates.Candidate) bool {
	if d.leeching() {
		return func(c candidates.Candidate) bool { return !d.isBanned(c.Addr) }
	}
	return leechesOnly
}

// expendable returns a peer that neither wants anything nor has something for us.
func (d *download) expendable(now time.Time, peers map[*peer]struct{}) *peer {
	var least *peer
	for p := range peers {
		if p.interested || p.asking.interested || now.Sub(p.connected) < staleTimeout {
			continue
		}
		if least == nil || p.connected.Before(least.connected) {
			least = p
		}
	}
	return least
}

// decisions asks the peers that may be asked for more, before what the choker decided.
func (d *download) decisions(now time.Time) []decision {
	for i := 0; i < len(d.hungry); i++ { // asking may make others hungry
		p := d.hungry[i]
		p.hungry = false
		d.askFor(now, p)
	}
	clear(d.hungry)
	d.hungry = d.hungry[:0]
	return d.plain.decisions(now)
}

// feed notes that p may be asked for more.
func (d *download) feed(p *peer) {
	if !p.hungry && !p.gone && d.leeching() {
		p.hungry = true
		d.hungry = append(d.hungry, p)
	}
}

// feedAll has everybody asked who owes us little: something became free.
func (d *download) feedAll() {
	for _, p := range d.peers {
		if !p.asking.choked && len(p.asking.pending) <= minPipe/2 {
			d.feed(p)
		}
	}
}

// complete turns to seeding: nothing is wanted of anybody, and those that understand it know (BEP 21).
func (d *download) complete(now time.Time) {
	d.l.log.Info("download complete")
	d.choker.SetLeeching(false)
	for _, p := range d.peers {
		d.l.setAmInterested(now, p, false)
		if id := p.theirs.ID(extension.UploadOnlyName); id != 0 {
			payload := extension.UploadOnly(true).AppendTo(nil)
			d.l.push(now, p, peerwire.Append(d.l.frames[:0], peerwire.Extended{ID: id, Payload: payload}))
		}
	}
	d.assembly, d.idle = map[uint32]*assembly{}, nil
	if f := d.cfg.Download.Complete; f != nil {
		d.l.spawn(func(context.Context) { f() })
	}
}
