//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

// A crowd is honest leeches of one torrent that have every piece from each other as soon as one of them has it, and tell the server so:
// what a seed of any mode should serve as fast as it may.
type crowd struct {
	torrent *metainfo.Torrent
	want    []byte

	mu      sync.Mutex
	members []*member
	asked   map[uint32]bool // pieces that a member asks for or all have
	missing int             // pieces
	done    chan struct{}   // closed when nothing is missing
	wrong   error           // what the server sent that it should not have
}

// A member is one leech's connection.
type member struct {
	crowd   *crowd
	conn    net.Conn
	choked  bool
	shown   []uint32
	pending map[uint32]int // blocks to come, by piece
}

// crowdRate has n honest leeches download torrent together, and returns the bytes per second.
func (s *server) crowdRate(n int, torrent *metainfo.Torrent, whole []byte) (float64, error) {
	c := &crowd{torrent: torrent, want: whole, asked: map[uint32]bool{}, missing: torrent.Info.NumPieces(), done: make(chan struct{})}
	var running sync.WaitGroup
	start := time.Now()
	for i := range n {
		running.Go(func() { c.join(s, fmt.Sprintf("198.18.%d.1", 220+i)) })
	}
	var err error
	select {
	case <-c.done:
	case <-time.After(busy * wirePatience):
		c.mu.Lock()
		err = fmt.Errorf("%d pieces are missing after %v", c.missing, busy*wirePatience)
		c.mu.Unlock()
	}
	rate := float64(len(whole)) / time.Since(start).Seconds()
	c.mu.Lock()
	for _, m := range c.members {
		m.conn.Close()
	}
	err = cmpError(c.wrong, err)
	c.over()
	c.mu.Unlock()
	running.Wait()
	return rate, err
}

func cmpError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// over ends the download; c.mu is held.
func (c *crowd) over() {
	select {
	case <-c.done:
	default:
		close(c.done)
	}
}

// join is a leech's life: it comes back when the server has no room or ends its connection, until all have everything.
func (c *crowd) join(s *server, from string) {
	for pause := 50 * time.Millisecond; ; {
		conn, err := s.connect(from, c.torrent.InfoHash)
		if err == nil {
			c.download(&member{crowd: c, conn: conn, choked: true, pending: map[uint32]int{}})
		}
		select {
		case <-c.done:
			return
		case <-time.After(pause):
		}
	}
}

func (c *crowd) download(m *member) {
	defer m.conn.Close()
	c.mu.Lock()
	c.members = append(c.members, m)
	out := peerwire.Append(nil, peerwire.HaveNone{})
	c.mu.Unlock()
	m.send(peerwire.Append(out, peerwire.Interested{}))
	frames := peerwire.NewDecoder(m.conn, peerwire.DecoderConfig{NumPieces: uint32(c.torrent.Info.NumPieces())})
	for {
		m.conn.SetReadDeadline(time.Now().Add(wirePatience))
		message, err := frames.Next()
		if err != nil {
			break
		}
		c.mu.Lock()
		m.heard(message)
		m.ask()
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for piece := range m.pending {
		delete(c.asked, piece) // for another to ask for
	}
	m.pending = nil
}

func (m *member) send(frames []byte) {
	m.conn.SetWriteDeadline(time.Now().Add(wirePatience))
	m.conn.Write(frames) // the reader notices
}

// heard and ask run with crowd.mu held.
func (m *member) heard(message peerwire.Message) {
	c := m.crowd
	switch message := message.(type) {
	case peerwire.HaveAll:
		for piece := range uint32(c.torrent.Info.NumPieces()) {
			m.shown = append(m.shown, piece)
		}
	case peerwire.Have:
		m.shown = append(m.shown, message.Index)
	case peerwire.Choke:
		m.choked = true
	case peerwire.Unchoke:
		m.choked = false
	case peerwire.Reject:
		if _, ok := m.pending[message.Index]; ok {
			delete(m.pending, message.Index)
			delete(c.asked, message.Index)
			m.shown = append(m.shown, message.Index)
		}
	case peerwire.Piece:
		at := int64(message.Index)*c.torrent.Info.PieceLength + int64(message.Begin)
		if end := at + int64(len(message.Data)); end > int64(len(c.want)) || !bytes.Equal(message.Data, c.want[at:end]) {
			c.wrong = errBadByte
			c.over()
			return
		}
		left, ok := m.pending[message.Index]
		if !ok {
			return // asked for again elsewhere
		}
		if m.pending[message.Index] = left - 1; left == 1 {
			delete(m.pending, message.Index)
			c.have(message.Index)
		}
	}
}

// have gives a piece to all.
func (c *crowd) have(piece uint32) {
	for _, m := range c.members {
		if m.pending != nil {
			m.send(peerwire.AppendHave(nil, piece))
		}
	}
	if c.missing--; c.missing == 0 {
		c.over()
	}
}

// ask has a few pieces of what m was shown on their way.
func (m *member) ask() {
	c := m.crowd
	var out []byte
	for !m.choked && len(m.pending) < 8 && len(m.shown) > 0 {
		piece := m.shown[0]
		m.shown = m.shown[1:]
		if c.asked[piece] {
			continue
		}
		c.asked[piece] = true
		size := uint32(c.torrent.Info.PieceSize(int(piece)))
		for begin := uint32(0); begin < size; begin += blockSize {
			out = peerwire.AppendRequest(out, peerwire.Request{Index: piece, Begin: begin, Length: min(blockSize, size-begin)})
			m.pending[piece]++
		}
	}
	if len(out) > 0 {
		m.send(out)
	}
}
