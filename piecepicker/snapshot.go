package piecepicker

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math"
	"net/netip"
	"time"
)

// ErrSnapshot is what every error of [Picker.Restore] is: the snapshot is damaged, of another version, or of another
// torrent. Go on without it.
var ErrSnapshot = errors.New("piecepicker: bad snapshot")

// A SnapshotError says what is wrong with a snapshot.
type SnapshotError struct{ Reason string }

func (e *SnapshotError) Error() string { return "piecepicker: bad snapshot: " + e.Reason }

// Is reports whether target is [ErrSnapshot].
func (e *SnapshotError) Is(target error) bool { return target == ErrSnapshot }

// A snapshot is, all numbers big-endian:
//
//	"ssPK" version(1) flags(1) pieces(4) piece length(8) length(8) | pieces ever sent, as a BITFIELD |
//	records(2) of: address(16) left(8, unix seconds) trust and flags(1) window(2, 1/256) relayed(2) expired(2) served(2) |
//	CRC-32 (IEEE) of all before(4)
const (
	snapshotMagic   = "ssPK"
	snapshotVersion = 1
	snapshotHead    = 4 + 1 + 1 + 4 + 8 + 8
	snapshotRecord  = 16 + 8 + 1 + 4*2

	flagOtherOrigin = 1 << 0
	flagGateDone    = 1 << 1
	flagBanned      = 1 << 4 // of a record; its trust is in the low bits
	flagLiar        = 1 << 5
)

// Snapshot returns what must survive a restart: which pieces ever left us, and what is known of addresses. It is at most an
// eighth of a byte per piece and 160 KiB long.
func (p *Picker) Snapshot(now time.Time) []byte {
	p.at(now)
	known := p.knownHomes()
	flags := byte(0)
	if p.otherOrigin {
		flags |= flagOtherOrigin
	}
	if p.gate.done {
		flags |= flagGateDone
	}
	b := append([]byte(snapshotMagic), snapshotVersion, flags)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.pieces)))
	b = binary.BigEndian.AppendUint64(b, uint64(p.cfg.PieceLength))
	b = binary.BigEndian.AppendUint64(b, uint64(p.cfg.Length))
	b = p.everSent.appendWire(b, len(p.pieces))
	homes := sortedHomes(known)
	homes = homes[:min(len(homes), recordsMost)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(homes)))
	for _, h := range homes {
		b = p.appendRecord(b, h, known[h])
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// knownHomes returns the records of those who are gone, and what would be recorded of those who are here.
func (p *Picker) knownHomes() map[home]*record {
	p.expireRecords()
	known := maps.Clone(p.records)
	for _, q := range p.peers {
		if q == nil {
			continue
		}
		if rec := p.recordOf(q); rec != nil {
			known[q.home] = rec
		}
	}
	return known
}

func (p *Picker) appendRecord(b []byte, h home, rec *record) []byte {
	addr := h.As16()
	b = append(b, addr[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.epoch.Add(rec.left).Unix()))
	flags := byte(rec.trust)
	if rec.banned {
		flags |= flagBanned
	}
	if rec.liar {
		flags |= flagLiar
	}
	b = append(b, flags)
	for _, n := range []int{int(rec.window * 256), rec.relayed, rec.expired, rec.served} {
		b = binary.BigEndian.AppendUint16(b, uint16(min(n, math.MaxUint16)))
	}
	return b
}

// Restore takes over what [Picker.Snapshot] of the same torrent returned; b is not kept. Call it before the first peer
// joins. On an error, which is a *[SnapshotError], nothing has changed.
func (p *Picker) Restore(now time.Time, b []byte) error {
	p.at(now)
	body, err := p.checkSnapshot(b)
	if err != nil {
		return err
	}
	flags := b[5]
	sent := fromWire(body, len(p.pieces))
	records := map[home]*record{}
	for body = body[(len(p.pieces)+7)/8+2:]; len(body) > 0; body = body[snapshotRecord:] {
		h, rec, err := p.readRecord(body)
		if err != nil {
			return err
		}
		if p.now-rec.left <= rec.kept() {
			records[h] = rec
		}
	}
	p.otherOrigin, p.gate.done = flags&flagOtherOrigin != 0, flags&flagGateDone != 0
	p.records, p.everSent, p.unsentLeft = records, sent, len(p.pieces)-sent.count()
	for i := range p.pieces {
		pc := &p.pieces[i]
		if pc.sent == 0 && sent.has(uint32(i)) {
			pc.sent = 1
		}
		p.reclass(uint32(i))
	}
	return nil
}

// checkSnapshot checks all of b but the records, and returns what follows the head, without the checksum.
func (p *Picker) checkSnapshot(b []byte) ([]byte, error) {
	bitmap := (len(p.pieces) + 7) / 8
	if len(b) < snapshotHead+bitmap+2+4 || string(b[:4]) != snapshotMagic {
		return nil, &SnapshotError{"not a snapshot of this torrent"}
	}
	if b[4] != snapshotVersion {
		return nil, &SnapshotError{"unknown version"}
	}
	head, body, sum := b[6:snapshotHead], b[snapshotHead:len(b)-4], b[len(b)-4:]
	if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(b[:len(b)-4]) {
		return nil, &SnapshotError{"bad checksum"}
	}
	if binary.BigEndian.Uint32(head) != uint32(len(p.pieces)) ||
		binary.BigEndian.Uint64(head[4:]) != uint64(p.cfg.PieceLength) || binary.BigEndian.Uint64(head[12:]) != uint64(p.cfg.Length) {
		return nil, &SnapshotError{"of another torrent"}
	}
	n := int(binary.BigEndian.Uint16(body[bitmap:]))
	if n > recordsMost || len(body) != bitmap+2+n*snapshotRecord {
		return nil, &SnapshotError{"bad number of records"}
	}
	return body, nil
}

func (p *Picker) readRecord(b []byte) (home, *record, error) {
	h := netip.AddrFrom16([16]byte(b[:16])).Unmap()
	left := time.Unix(int64(binary.BigEndian.Uint64(b[16:])), 0).Sub(p.epoch)
	flags, nums := b[24], b[25:]
	rec := &record{
		left: clamp(left, never, p.now), trust: Trust(flags & 0x0f), banned: flags&flagBanned != 0, liar: flags&flagLiar != 0,
		window:  float64(binary.BigEndian.Uint16(nums)) / 256,
		relayed: int(binary.BigEndian.Uint16(nums[2:])),
		expired: int(binary.BigEndian.Uint16(nums[4:])),
		served:  int(binary.BigEndian.Uint16(nums[6:])),
	}
	if rec.trust < Unproven || rec.trust > Hoarder || flags>>6 != 0 || rec.window < windowFloor || rec.window > windowMost ||
		h != homeOf(h) {
		return home{}, nil, &SnapshotError{"bad record"}
	}
	return h, rec, nil
}
