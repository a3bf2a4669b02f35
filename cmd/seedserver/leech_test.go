package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

const (
	blockSize = 16 << 10
	pipeline  = 32 // requests a leecher keeps on their way

	// wirePatience is how long a peer of these tests waits for the server's next byte.
	wirePatience = 60 * time.Second
)

var (
	errBadByte   = errors.New("a block is not what was published")
	errUnasked   = errors.New("a block nobody asked for")
	errNotAsSeed = errors.New("a message that a seed does not send")
)

// A leecher is a downloader in the test's own hand that compares every block with what was published under its infohash. It asks
// for blocks in order, which only a server in plain mode grants.
type leecher struct {
	conn     net.Conn
	frames   *peerwire.Decoder
	infohash metainfo.InfoHash
	info     *metainfo.Info
	want     []byte

	missing  []peerwire.Request
	pending  map[peerwire.Request]bool
	choked   bool
	received int // bytes of blocks, all as they should be
}

// connect opens a connection to the server's peer port from an address of the test's and shakes hands.
func (s *server) connect(from string, torrent metainfo.InfoHash) (net.Conn, error) {
	conn, err := s.dial(from)
	if err != nil {
		return nil, err
	}
	random := make([]byte, 12)
	rand.Read(random)
	ours := peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.Fast, peerwire.ExtensionProtocol),
		InfoHash: torrent, PeerID: peerwire.NewPeerID("-TT0001-", random),
	}
	conn.SetDeadline(time.Now().Add(wirePatience))
	_, err = conn.Write(ours.AppendTo(nil))
	if err == nil {
		var theirs peerwire.Handshake
		if theirs, err = peerwire.ReadHandshake(conn); err == nil && theirs.InfoHash != ours.InfoHash {
			err = fmt.Errorf("the server answers for %x", theirs.InfoHash)
		}
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return conn, nil
}

// dial opens a connection to the server's peer port from an address of the test's.
func (s *server) dial(from string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: wirePatience}
	return d.Dial("tcp", s.peer)
}

// leech connects to the server to download torrent, whose content is want.
func (s *server) leech(from string, torrent *metainfo.Torrent, want []byte) *leecher {
	s.t.Helper()
	conn, err := s.connect(from, torrent.InfoHash)
	require.NoError(s.t, err)
	l := &leecher{
		conn: conn, frames: peerwire.NewDecoder(conn, peerwire.DecoderConfig{NumPieces: uint32(torrent.Info.NumPieces())}),
		infohash: torrent.InfoHash, info: torrent.Info, want: want, pending: map[peerwire.Request]bool{}, choked: true,
	}
	for piece := range torrent.Info.NumPieces() {
		size := uint32(torrent.Info.PieceSize(piece))
		for begin := uint32(0); begin < size; begin += blockSize {
			l.missing = append(l.missing, peerwire.Request{Index: uint32(piece), Begin: begin, Length: min(blockSize, size-begin)})
		}
	}
	return l
}

// run downloads until all is there, and then returns nil; or until the connection ends, and returns why; or until a byte is wrong,
// which is errBadByte. It calls progress after each block.
func (l *leecher) run(progress func(received int)) error {
	defer l.conn.Close()
	hello := peerwire.Append(nil, peerwire.HaveNone{})
	if err := l.send(peerwire.Append(hello, peerwire.Interested{})); err != nil {
		return err
	}
	for l.received < len(l.want) {
		if err := l.ask(); err != nil {
			return err
		}
		l.conn.SetReadDeadline(time.Now().Add(wirePatience))
		m, err := l.frames.Next()
		if err != nil {
			return err
		}
		before := l.received
		if err := l.take(m); err != nil {
			return err
		}
		if l.received > before && progress != nil {
			progress(l.received)
		}
	}
	return nil
}

// ask fills the pipeline.
func (l *leecher) ask() error {
	if l.choked {
		return nil
	}
	var out []byte
	for len(l.pending) < pipeline && len(l.missing) > 0 {
		r := l.missing[0]
		l.missing = l.missing[1:]
		l.pending[r] = true
		out = peerwire.AppendRequest(out, r)
	}
	return l.send(out)
}

func (l *leecher) send(frames []byte) error {
	if len(frames) == 0 {
		return nil
	}
	l.conn.SetWriteDeadline(time.Now().Add(wirePatience))
	_, err := l.conn.Write(frames)
	return err
}

func (l *leecher) take(m peerwire.Message) error {
	switch m := m.(type) {
	case peerwire.Choke:
		l.choked = true
	case peerwire.Unchoke:
		l.choked = false
	case peerwire.Reject:
		r := peerwire.Request(m)
		if !l.pending[r] {
			return fmt.Errorf("%w: reject of %v", errUnasked, r)
		}
		delete(l.pending, r)
		l.missing = append(l.missing, r)
	case peerwire.Piece:
		return l.block(m)
	case peerwire.KeepAlive, peerwire.HaveAll, peerwire.HaveNone, peerwire.Have, peerwire.BitfieldMessage, peerwire.Extended:
	case peerwire.Interested, peerwire.NotInterested: // from a seed that hides what it has
	default:
		return fmt.Errorf("%w: %T", errNotAsSeed, m)
	}
	return nil
}

func (l *leecher) block(m peerwire.Piece) error {
	r := peerwire.Request{Index: m.Index, Begin: m.Begin, Length: uint32(len(m.Data))}
	if !l.pending[r] {
		return fmt.Errorf("%w: %v", errUnasked, r)
	}
	delete(l.pending, r)
	at := int64(m.Index)*l.info.PieceLength + int64(m.Begin)
	if !bytes.Equal(m.Data, l.want[at:at+int64(len(m.Data))]) {
		return fmt.Errorf("%w: %v", errBadByte, r)
	}
	l.received += len(m.Data)
	return nil
}

// fetch is the torrent of path as the index hands it out.
func (s *server) fetch(path string) *metainfo.Torrent {
	s.t.Helper()
	b, err := os.ReadFile(s.torrent(path))
	require.NoError(s.t, err)
	torrent, err := metainfo.Parse(b)
	require.NoError(s.t, err)
	return torrent
}

// requireTorrent compares the torrent of path, a file, with the content it should be of.
func (s *server) requireTorrent(path string, content []byte) {
	s.t.Helper()
	torrent := s.fetch(path)
	require.EqualValues(s.t, len(content), torrent.Info.Length())
	for piece := range torrent.Info.NumPieces() {
		start := int64(piece) * torrent.Info.PieceLength
		sum := sha1.Sum(content[start : start+torrent.Info.PieceSize(piece)])
		require.Equal(s.t, sum, torrent.Info.PieceHash(piece), "piece %d of %s", piece, path)
	}
}

// requireDownload downloads path, a file, and compares it with the content it should have.
func (s *server) requireDownload(from, path string, content []byte) {
	s.t.Helper()
	l := s.leech(from, s.fetch(path), content)
	require.NoError(s.t, l.run(nil), "after %d of %d bytes\n%s", l.received, len(content), s.log)
}

func TestLeecherSeesBadBytes(t *testing.T) {
	info := &metainfo.Info{PieceLength: 32 << 10}
	want := content(1, 64<<10)
	l := &leecher{info: info, want: want, pending: map[peerwire.Request]bool{}}
	r := peerwire.Request{Index: 1, Begin: blockSize, Length: blockSize}
	bad := bytes.Clone(want[48<<10:])
	bad[len(bad)-1]++

	require.ErrorIs(t, l.take(peerwire.Piece{Index: 1, Begin: blockSize, Data: want[48<<10:]}), errUnasked)
	l.pending[r] = true
	require.ErrorIs(t, l.take(peerwire.Piece{Index: 1, Begin: blockSize, Data: bad}), errBadByte)
	l.pending[r] = true
	require.NoError(t, l.take(peerwire.Piece{Index: 1, Begin: blockSize, Data: want[48<<10:]}))
	require.Equal(t, blockSize, l.received)
}
