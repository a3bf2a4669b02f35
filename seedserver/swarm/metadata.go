package swarm

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// MetadataConfig says which info dict is wanted, and as whom. InfoHash and PeerID are needed.
type MetadataConfig struct {
	InfoHash metainfo.InfoHash
	PeerID   peerwire.PeerID
	// Bind and Dial are as in HostConfig.
	Bind netip.Addr
	Dial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	// MaxPeers is how many peers are asked at a time; each may send a whole info dict of up to 30 MiB. If zero, 8.
	MaxPeers int
	// Client is the name and version told to peers. If empty, "seedserver".
	Client string
	// Logger is for people. If nil, nothing is logged.
	Logger *slog.Logger
}

// A MetadataFetch gets the info dict of a torrent that is known by its infohash alone, from the peers of its swarm (BEP 9). Its
// methods may be called from anywhere.
type MetadataFetch struct {
	cfg   MetadataConfig
	heard hearsay
	tried atomic.Int32
	open  atomic.Int32
}

// NewMetadataFetch returns a fetch without peers.
func NewMetadataFetch(cfg MetadataConfig) *MetadataFetch {
	return &MetadataFetch{cfg: cfg, heard: hearsay{filled: make(chan struct{}, 1)}}
}

// AddCandidates tells of addresses at which peers may listen, as [Swarm.AddCandidates] does.
func (f *MetadataFetch) AddCandidates(source candidates.Source, from netip.Addr, peers ...candidates.Peer) bool {
	return f.heard.add(hint{source, from, peers})
}

// Tried returns how many peers were dialled, and Connected how many of them are being asked now.
func (f *MetadataFetch) Tried() int { return int(f.tried.Load()) }

// Connected returns how many peers are being asked now.
func (f *MetadataFetch) Connected() int { return int(f.open.Load()) }

// metadataTimeout is what one peer has to send all of it, and metadataPause until it has to send a piece.
const (
	metadataTimeout = 3 * time.Minute
	metadataPause   = 20 * time.Second
	metadataWindow  = 4 // pieces asked for at a time: clients answer few per second
)

// Run asks peers until one has sent the info dict, and returns it: its SHA-1 is the infohash. It returns the cause of ctx if that
// ends before. It may be called once.
func (f *MetadataFetch) Run(ctx context.Context) ([]byte, error) {
	var seed [32]byte
	crand.Read(seed[:])
	pool := candidates.New(candidates.Config{Patience: 0}, rand.New(rand.NewChaCha8(seed)))
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	type result struct {
		addr netip.AddrPort
		info []byte
		err  error
	}
	results := make(chan result)
	maxPeers := max(1, orOff(f.cfg.MaxPeers, 8))
	anybody := func(candidates.Candidate) bool { return true }
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for busy := 0; ; {
		now := time.Now()
		for busy < maxPeers {
			c, ok := pool.Next(now, anybody)
			if !ok {
				break
			}
			busy++
			f.tried.Add(1)
			asking.Go(func() {
				info, err := f.askOne(ctx, c.Addr)
				select {
				case results <- result{c.Addr, info, err}:
				case <-ctx.Done():
				}
			})
		}
		if next := pool.Ready(anybody); !next.IsZero() && busy < maxPeers {
			timer.Reset(max(next.Sub(now), 10*time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timer.C:
		case <-f.heard.filled:
			for _, h := range f.heard.take() {
				pool.Add(time.Now(), h.source, h.from, h.peers...)
			}
		case r := <-results:
			busy--
			if r.info != nil {
				return r.info, nil
			}
			orDiscard(f.cfg.Logger).Debug("asking for metadata", "peer", r.addr, "err", r.err)
			pool.Failed(time.Now(), r.addr)
		}
	}
}

// askOne gets the info dict from one peer.
func (f *MetadataFetch) askOne(ctx context.Context, addr netip.AddrPort) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	dialCtx, dialled := context.WithTimeout(ctx, dialTimeout)
	conn, err := dialing(f.cfg.Dial, f.cfg.Bind)(dialCtx, addr)
	dialled()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	f.open.Add(1)
	defer f.open.Add(-1)
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	theirs, err := introduce(conn, peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol, peerwire.Fast), InfoHash: f.cfg.InfoHash, PeerID: f.cfg.PeerID,
	})
	switch {
	case err != nil:
		return nil, err
	case !theirs.Reserved.Has(peerwire.ExtensionProtocol):
		return nil, errNoMetadata
	}
	return f.converse(conn, theirs.Reserved.Has(peerwire.Fast))
}

var (
	errNoMetadata = errors.New("does not give metadata")
	errLate       = errors.New("a metadata piece nobody asked for")
)

// converse asks the peer at the other end of conn for the info dict.
func (f *MetadataFetch) converse(conn net.Conn, fast bool) ([]byte, error) {
	ids := extension.NewIDs(extension.MetadataName)
	name := f.cfg.Client
	if name == "" {
		name = "seedserver"
	}
	hello := peerwire.Append(nil, peerwire.Extended{Payload: extension.Handshake{IDs: ids, V: name}.AppendTo(nil)})
	if fast {
		hello = peerwire.Append(hello, peerwire.HaveNone{})
	}
	if _, err := conn.Write(hello); err != nil {
		return nil, err
	}
	d := peerwire.NewDecoder(conn, peerwire.DecoderConfig{MaxMessage: maxExtended, MaxBlock: -1})
	a := metadataAsker{f: f, conn: conn, ids: ids}
	conn.SetDeadline(time.Now().Add(metadataPause))
	for {
		m, err := d.Next()
		if err != nil {
			return nil, err
		}
		e, ok := m.(peerwire.Extended)
		if !ok {
			if a.noise++; a.noise > maxNoise {
				return nil, errNoise
			}
			continue
		}
		if info, err := a.heard(e); info != nil || err != nil {
			return info, err
		}
	}
}

// A metadataAsker is the state of one conversation.
type metadataAsker struct {
	f         *MetadataFetch
	conn      net.Conn
	ids       extension.IDs
	theirs    uint8 // the peer's id of ut_metadata
	assembler *extension.MetadataAssembler
	asked     map[uint32]bool
	noise     int
}

// heard takes an extended message, and returns the info dict when it is there.
func (a *metadataAsker) heard(e peerwire.Extended) ([]byte, error) {
	name, known := a.ids.Name(e.ID)
	switch {
	case e.ID == 0 && a.assembler == nil:
		return nil, a.begin(e.Payload)
	case known && name == extension.MetadataName && a.assembler != nil:
		return a.take(e.Payload)
	}
	if a.noise++; a.noise > maxNoise {
		return nil, errNoise
	}
	return nil, nil
}

func (a *metadataAsker) begin(payload []byte) error {
	h, err := extension.ParseHandshake(payload)
	if err != nil {
		return err
	}
	a.theirs = h.IDs.ID(extension.MetadataName)
	if a.theirs == 0 || h.MetadataSize == 0 {
		return errNoMetadata
	}
	if a.assembler, err = extension.NewMetadataAssembler(a.f.cfg.InfoHash, h.MetadataSize); err != nil {
		return err
	}
	a.asked = map[uint32]bool{}
	return a.ask()
}

// ask has as many pieces pending as the window allows.
func (a *metadataAsker) ask() error {
	var frames []byte
	for _, i := range a.assembler.Missing(nil) {
		if len(a.asked) >= metadataWindow {
			break
		}
		if !a.asked[i] {
			a.asked[i] = true
			request := extension.Metadata{Type: extension.MetadataRequest, Piece: i}
			frames = peerwire.Append(frames, peerwire.Extended{ID: a.theirs, Payload: request.AppendTo(nil)})
		}
	}
	_, err := a.conn.Write(frames)
	return err
}

func (a *metadataAsker) take(payload []byte) ([]byte, error) {
	m, err := extension.ParseMetadata(payload)
	switch {
	case err != nil:
		return nil, err
	case m.Type == extension.MetadataReject:
		return nil, errNoMetadata
	case m.Type != extension.MetadataData:
		if a.noise++; a.noise > maxNoise {
			return nil, errNoise
		}
		return nil, nil
	case !a.asked[m.Piece]:
		return nil, errLate
	}
	delete(a.asked, m.Piece)
	info, err := a.assembler.Add(m)
	if err != nil {
		return nil, fmt.Errorf("from a peer: %w", err)
	}
	if info != nil {
		return info, nil
	}
	a.conn.SetDeadline(time.Now().Add(metadataPause))
	return nil, a.ask()
}
