package peerstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// A snapshot is
//
//	12  magic
//	32  the secret of the store: ids are hashes under it
//	    chunks
//
// and a chunk
//
//	4  n, its length; 0 in the last chunk
//	n  parts of swarms
//	4  CRC-32C of the snapshot up to here
//
// and a part of a swarm, of which there may be several
//
//	20  infohash
//	 4  downloaded    4  latest announce, Unix seconds
//	 4  IPv4 peers    4  IPv6 peers
//	    the peers: address, 2 port, 1 standing, 4 id, 4 seen
//
// with all numbers big-endian.
const (
	magic     = "peerstore 1\n"
	partHead  = 36
	peerTail  = 11
	peer4Size = 4 + peerTail
	peer6Size = 16 + peerTail
	maxChunk  = 4 << 20 // a chunk is what one step of a walk gives: work peers of 27 bytes, or heads
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot writes all swarms to w, for [Restore]. It holds a shard for less
// than a millisecond at a time and never while it writes, so that it is not the
// state of one moment; of a swarm of more than 16,000 peers that changes
// meanwhile, a few may be missing. The snapshot holds the addresses of peers and
// the secret of the store: it is not for others to read. Marks are not in it.
// Times in it are those of the wall clock as it stands.
func (s *Store) Snapshot(w io.Writer) error {
	c := chunkWriter{w: w, behind: s.clock.behind(time.Now())}
	c.write(append([]byte(magic), s.secret[:]...))
	for i := range s.shards {
		s.shards[i].snapshot(&c)
		if c.err != nil {
			break
		}
	}
	c.end()
	if c.err != nil {
		return fmt.Errorf("writing a snapshot of swarms: %w", c.err)
	}
	return nil
}

// snapshot writes the swarms of a shard.
func (sh *shard) snapshot(c *chunkWriter) {
	at4, at6 := 0, 0
	sh.walk(func(infohash [20]byte, sw *swarm, left int) (int, bool) {
		if c.err != nil {
			return left, true
		}
		n4 := max(0, min(len(sw.v4.peers)-at4, left))
		n6 := max(0, min(len(sw.v6.peers)-at6, left-n4))
		be := binary.BigEndian
		b := append(c.buf, infohash[:]...)
		b = be.AppendUint32(b, uint32(sw.downloaded))
		b = be.AppendUint32(b, c.wall(sw.last))
		b = be.AppendUint32(b, uint32(n4))
		b = be.AppendUint32(b, uint32(n6))
		for i := range n4 {
			b = appendEntry(b, &sw.v4.peers[at4+i], c)
		}
		for i := range n6 {
			b = appendEntry(b, &sw.v6.peers[at6+i], c)
		}
		c.buf = b
		at4, at6, left = at4+n4, at6+n6, left-n4-n6
		if at4 < len(sw.v4.peers) || at6 < len(sw.v6.peers) {
			return left, false
		}
		at4, at6 = 0, 0
		return left, true
	}, c.flush)
}

func appendEntry[A words](b []byte, p *peer[A], c *chunkWriter) []byte {
	b = append(appendPeer(b, p), byte(p.standing))
	b = binary.BigEndian.AppendUint32(b, p.id)
	return binary.BigEndian.AppendUint32(b, c.wall(p.seen))
}

// chunkWriter writes what gathers in buf as chunks, until the first error.
type chunkWriter struct {
	w      io.Writer
	behind int64 // seconds by which the store's clock is behind the wall clock
	buf    []byte
	crc    uint32
	err    error
}

// wall returns a time of the store as one of the wall clock.
func (c *chunkWriter) wall(seconds uint32) uint32 { return uint32(int64(seconds) + c.behind) }

func (c *chunkWriter) write(b []byte) {
	if c.err == nil {
		c.crc = crc32.Update(c.crc, castagnoli, b)
		_, c.err = c.w.Write(b)
	}
}

// flush writes buf as a chunk if there is anything in it.
func (c *chunkWriter) flush() {
	if len(c.buf) > 0 {
		c.chunk()
	}
}

func (c *chunkWriter) chunk() {
	var n [4]byte
	c.write(binary.BigEndian.AppendUint32(n[:0], uint32(len(c.buf))))
	c.write(c.buf)
	c.write(binary.BigEndian.AppendUint32(n[:0], c.crc))
	c.buf = c.buf[:0]
}

// end writes the last chunk.
func (c *chunkWriter) end() {
	c.buf = c.buf[:0]
	c.chunk()
}
