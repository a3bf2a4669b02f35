package peerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// ErrSnapshot is what an error of [Restore] is if bytes are no snapshot, or one
// that is damaged or cut off.
var ErrSnapshot = errors.New("peerstore: bad snapshot")

func bad(reason string) error { return fmt.Errorf("%w: %s", ErrSnapshot, reason) }

// Restore returns a store with the swarms of a snapshot, those left out that
// would have expired by now or are beyond the bounds of cfg. The secret is that
// of the snapshot: cfg.Seed only seeds samples. The error is [ErrSnapshot] or
// one of r. It reads up to 4 MiB at a time.
func Restore(cfg Config, r io.Reader, now time.Time) (*Store, error) {
	c := chunkReader{r: r}
	head := make([]byte, len(magic)+len(cfg.Seed))
	switch {
	case !c.read(head):
		return nil, c.err
	case string(head[:len(magic)]) != magic:
		return nil, bad("it does not begin like one")
	}
	cfg.Seed = [32]byte(head[len(magic):])
	if cfg.Seed == [32]byte{} {
		return nil, bad("it has no secret")
	}
	s := New(cfg)
	for {
		chunk := c.next()
		switch {
		case c.err != nil:
			return nil, c.err
		case len(chunk) == 0:
			if err := c.end(); err != nil {
				return nil, err
			}
			s.Expire(now) // swarms that are left without peers
			return s, nil
		}
		for len(chunk) > 0 {
			var err error
			if chunk, err = s.restorePart(chunk, now); err != nil {
				return nil, err
			}
		}
	}
}

// restorePart adds the part of a swarm at the beginning of b and returns what
// is behind it.
func (s *Store) restorePart(b []byte, now time.Time) ([]byte, error) {
	if len(b) < partHead {
		return nil, bad("a swarm is cut off")
	}
	be := binary.BigEndian
	infohash := [20]byte(b)
	downloaded, last := be.Uint32(b[20:]), be.Uint32(b[24:])
	n4, n6 := int64(be.Uint32(b[28:])), int64(be.Uint32(b[32:]))
	b = b[partHead:]
	size4, size6 := n4*peer4Size, n6*peer6Size
	if size4+size6 > int64(len(b)) {
		return nil, bad("a swarm has fewer peers than it says")
	}
	sh := s.shard(infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sw, err := s.swarm(sh, &tracker.AnnounceRequest{InfoHash: infohash})
	if err != nil {
		return b[size4+size6:], nil // beyond the bounds
	}
	sw.downloaded, sw.last = int(downloaded), uint32(min(int64(last), s.clock.seconds(now)))
	restorePeers(s, sw, &sw.v4, &sw.v6, b[:size4], now)
	restorePeers(s, sw, &sw.v6, &sw.v4, b[size4:size4+size6], now)
	return b[size4+size6:], nil
}

// restorePeers adds entries to mine: those that are there already, or could not
// have been, are passed over.
func restorePeers[A, B words](s *Store, sw *swarm, mine *table[A], others *table[B], b []byte, now time.Time) {
	unix := s.clock.seconds(now)
	size := peerTail + 4*len(peer[A]{}.addr)
	room := s.maxPeers - sw.len()
	if s.maxTotal >= 0 {
		room = int(min(int64(room), s.maxTotal-s.peers.Load()))
	}
	for ; len(b) > 0 && room > 0; b = b[size:] {
		p := parseEntry[A](b)
		p.seen = uint32(min(int64(p.seen), unix)) // a clock that went back
		known := tracker.Complete | tracker.Leeched | tracker.Finished | tracker.Paused
		switch {
		case int64(p.seen) < unix-s.ttl, p.port == 0, p.standing&^known != 0:
		case mine.findAddr(&s.keys, p.addr, p.port) >= 0, mine.findID(p.id) >= 0:
		default:
			join(&s.keys, sw, mine, others, p)
			s.peers.Add(1)
			room--
		}
	}
}

// parseEntry reads what appendEntry wrote.
func parseEntry[A words](b []byte) (p peer[A]) {
	be := binary.BigEndian
	for i := range len(p.addr) {
		p.addr[i], b = be.Uint32(b), b[4:]
	}
	p.port, p.standing = be.Uint16(b), tracker.Standing(b[2])
	p.id, p.seen = be.Uint32(b[3:]), be.Uint32(b[7:])
	return p
}

// chunkReader reads chunks, until the first error.
type chunkReader struct {
	r    io.Reader
	buf  []byte  // of a chunk
	word [4]byte // of a number
	crc  uint32
	err  error
}

// read fills b, and reports whether it could.
func (c *chunkReader) read(b []byte) bool {
	if c.err != nil {
		return false
	}
	_, err := io.ReadFull(c.r, b)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		c.err = bad("it is cut off")
	case err != nil:
		c.err = fmt.Errorf("reading a snapshot of swarms: %w", err)
	}
	c.crc = crc32.Update(c.crc, castagnoli, b)
	return c.err == nil
}

// number reads a number, 0 on an error.
func (c *chunkReader) number() uint32 {
	if !c.read(c.word[:]) {
		return 0
	}
	return binary.BigEndian.Uint32(c.word[:])
}

// next returns the next chunk, verified and good until the next call. It is
// empty after the last and on an error.
func (c *chunkReader) next() []byte {
	n := int(c.number())
	if n > maxChunk {
		c.err = bad("a chunk is too long")
		return nil
	}
	if n > cap(c.buf) {
		c.buf = make([]byte, n)
	}
	chunk := c.buf[:n]
	c.read(chunk)
	crc := c.crc
	if sum := c.number(); c.err == nil && sum != crc {
		c.err = bad("its checksum is wrong")
	}
	if c.err != nil {
		return nil
	}
	return chunk
}

// end returns an error if anything is behind the last chunk.
func (c *chunkReader) end() error {
	if c.read(c.word[:1]) {
		return bad("something is behind its end")
	}
	if errors.Is(c.err, ErrSnapshot) {
		return nil // cut off here is where it ends
	}
	return c.err
}
