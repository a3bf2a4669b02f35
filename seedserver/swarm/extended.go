package swarm

import (
	"cmp"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// opening is what every peer is told first, right after the handshake.
type opening struct {
	cfg       *Config
	ids       extension.IDs // under which we take extension messages
	numPieces uint32
	have      []byte // of showSome: the bytes of a BITFIELD
}

func newOpening(cfg *Config) opening {
	o := opening{cfg: cfg, numPieces: uint32(cfg.Info.NumPieces())}
	known := []extension.Name{extension.DontHaveName, extension.UploadOnlyName}
	if !cfg.Info.Private {
		known = append(known, extension.MetadataName, extension.PEXName)
	}
	o.ids = extension.NewIDs(known...)
	return o
}

// appendTo appends the extension handshake and what p sees of our pieces. "Exactly one of Have All,
// Have None, or Have Bitfield MUST appear" (BEP 6); without the fast extension nothing stands for no pieces (BEP 3).
func (o *opening) appendTo(dst []byte, p *peer, shown showing) []byte {
	if p.extended {
		h := extension.Handshake{
			IDs:        o.ids,
			V:          o.cfg.client(),
			Port:       o.cfg.ListenPort,
			Reqq:       o.cfg.maxRequests(),
			YourIP:     p.addr.Addr(),
			UploadOnly: shown == showAll,
		}
		if !o.cfg.Info.Private {
			h.MetadataSize = int64(len(o.cfg.InfoBytes))
		}
		dst = peerwire.Append(dst, peerwire.Extended{Payload: h.AppendTo(nil)})
	}
	switch {
	case p.fast && shown == showAll:
		dst = peerwire.Append(dst, peerwire.HaveAll{})
	case shown == showSome:
		dst = peerwire.Append(dst, peerwire.BitfieldMessage{Bits: o.have})
	case p.fast:
		dst = peerwire.Append(dst, peerwire.HaveNone{})
	case shown == showAll:
		all := peerwire.NewBitfield(o.numPieces)
		all.SetAll()
		dst = peerwire.Append(dst, peerwire.BitfieldMessage{Bits: all.Bytes()})
	}
	return dst
}

// extended handles a message of the extension protocol (BEP 10). A payload that makes no sense is passed over, as most
// clients do.
func (l *loop) extended(now time.Time, p *peer, m peerwire.Extended) {
	if m.ID == 0 {
		p.noise++
		l.shookHands(now, p, m.Payload)
		return
	}
	switch name, known := l.opening.ids.Name(m.ID); {
	case !known:
		p.noise++ // not an id we gave
	case name == extension.MetadataName:
		l.metadataAsked(p, m.Payload)
	case name == extension.PEXName:
		l.toldOfPeers(now, p, m.Payload)
	case name == extension.UploadOnlyName:
		p.noise++
		if u, err := extension.ParseUploadOnly(m.Payload); err == nil {
			p.uploadOnly = bool(u)
			l.policy.uploadOnly(now, p)
			l.judge(now, p)
		}
	case name == extension.DontHaveName:
		p.noise++
		if d, err := extension.ParseDontHave(m.Payload); err == nil && p.have != nil {
			if p.have.All() {
				l.toldAll(p) // it is to be noted what it has still
			}
			p.have.Clear(d.Index)
			if lacking, ok := l.policy.(*download); ok {
				lacking.lost(now, p, d.Index)
			}
			l.judge(now, p)
		}
	}
}

// shookHands takes an extension handshake over; it may come again, and adds to the last one.
func (l *loop) shookHands(now time.Time, p *peer, payload []byte) {
	h, err := extension.ParseHandshake(payload)
	if err != nil {
		l.log.Debug("extension handshake", "peer", p.addr, "err", err)
		return
	}
	p.theirs.Merge(h.IDs)
	p.reqq = cmp.Or(h.Reqq, p.reqq)
	if h.V != "" {
		p.client = h.V
	}
	p.uploadOnly = h.UploadOnly
	l.policy.uploadOnly(now, p)
	if l.opening.ids.ID(extension.PEXName) != 0 && p.exchange.due.IsZero() {
		p.exchange.due = now.Add(pexFirst)
	}
	if p.listenPort == 0 && h.Port != 0 {
		p.listenPort = h.Port
		if l.pool != nil {
			l.pool.Connected(p.listens())
		}
	}
	l.judge(now, p)
}

// A metadataAnswer is one ut_metadata message on its way: most of it is the info dict, not copied until it leaves.
type metadataAnswer struct {
	id      uint8
	message extension.Metadata
}

func (a metadataAnswer) appendTo(dst []byte) []byte {
	return peerwire.Append(dst, peerwire.Extended{ID: a.id, Payload: a.message.AppendTo(nil)})
}

// metadataAsked answers a request for a piece of the info dict (BEP 9): to anybody, since a peer that comes by a magnet link
// can neither tell its pieces nor its interest before.
func (l *loop) metadataAsked(p *peer, payload []byte) {
	m, err := extension.ParseMetadata(payload)
	id := p.theirs.ID(extension.MetadataName)
	if err != nil || m.Type != extension.MetadataRequest || id == 0 {
		p.noise++
		return
	}
	if p.metadata == nil {
		p.metadata = extension.NewMetadataServer(l.swarm.cfg.InfoBytes)
	}
	answer := p.metadata.Answer(m.Piece)
	if answer.Type == extension.MetadataReject {
		p.noise++
	}
	p.out.pushMetadata(metadataAnswer{id: id, message: answer})
	l.busy = true
	l.touch(p)
}
