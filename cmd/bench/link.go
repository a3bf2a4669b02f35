package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

const (
	block     = 16 << 10
	pieceHead = peerwire.PieceHeaderSize
	choke     = 0 // kinds of frames (BEP 3)
	unchoke   = 1
	pieceKind = 7
)

// link is a connection of the load generator to a seed. It throws away what it receives. One goroutine reads it; ask may be called by another.
type link struct {
	conn    net.Conn
	in      *bufio.Reader
	torrent *metainfo.Torrent
	route   []int // pieces, in the order they are asked for
	at      int   // in route
	begin   uint32
	out     []byte
	bytes   atomic.Int64 // of blocks received
	free    atomic.Bool  // unchoked
}

// dial connects as number i, from an address of its own, and shakes hands. size is that of the read buffer.
func dial(ctx context.Context, to string, i int, t *metainfo.Torrent, size int) (*link, error) {
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+i>>16), byte(i>>8), byte(i))}
	conn, err := (&net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}).DialContext(ctx, "tcp4", to)
	if err != nil {
		return nil, err
	}
	k := &link{conn: conn, in: bufio.NewReaderSize(conn, size), torrent: t}
	id := peerwire.NewPeerID("-BE0001-", fmt.Appendf(nil, "%012d", i))
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write(peerwire.Handshake{InfoHash: t.InfoHash, PeerID: id}.AppendTo(nil)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if _, err := peerwire.ReadHandshake(k.in); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return k, conn.SetDeadline(time.Time{})
}

// interested tells the seed that blocks will be asked for.
func (k *link) interested() error {
	_, err := k.conn.Write(peerwire.Append(nil, peerwire.Interested{}))
	return err
}

// next reads a frame, and its payload away. received is how many bytes of a block it brought.
func (k *link) next() (kind byte, index, begin uint32, received int, err error) {
	head, err := k.in.Peek(4)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	length := int(binary.BigEndian.Uint32(head))
	if length == 0 { // a keep-alive
		_, err = k.in.Discard(4)
		return 255, 0, 0, 0, err
	}
	if head, err = k.in.Peek(min(4+length, pieceHead)); err != nil {
		return 0, 0, 0, 0, err
	}
	kind = head[4]
	if kind == pieceKind && length >= pieceHead-4 {
		index, begin, received = binary.BigEndian.Uint32(head[5:]), binary.BigEndian.Uint32(head[9:]), length-(pieceHead-4)
	}
	if _, err = k.in.Discard(4 + length); err != nil {
		return 0, 0, 0, 0, err
	}
	switch kind {
	case choke, unchoke:
		k.free.Store(kind == unchoke)
	case pieceKind:
		k.bytes.Add(int64(received))
	}
	return kind, index, begin, received, nil
}

// whole says whether the next frame is in the buffer already.
func (k *link) whole() bool {
	if k.in.Buffered() < 4 {
		return false
	}
	head, _ := k.in.Peek(4)
	return k.in.Buffered() >= 4+int(binary.BigEndian.Uint32(head))
}

// request adds a request for the next block to what leaves with flush: pieces in random order, the blocks of each in turn.
func (k *link) request() (index, begin uint32) {
	if k.route == nil {
		k.route = rand.Perm(k.torrent.Info.NumPieces())
	}
	piece := k.route[k.at%len(k.route)]
	size := uint32(k.torrent.Info.PieceSize(piece))
	index, begin = uint32(piece), k.begin
	k.out = peerwire.AppendRequest(k.out, peerwire.Request{Index: index, Begin: begin, Length: min(block, size-begin)})
	if k.begin += block; k.begin >= size {
		k.at, k.begin = k.at+1, 0
	}
	return index, begin
}

// flush sends the requests made.
func (k *link) flush() error {
	if len(k.out) == 0 {
		return nil
	}
	_, err := k.conn.Write(k.out)
	k.out = k.out[:0]
	return err
}

// closed says whether err is how reading a connection ends that was closed by us.
func closed(err error) bool { return errors.Is(err, net.ErrClosed) }
