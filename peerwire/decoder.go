package peerwire

import (
	"errors"
	"io"
)

// Sizes of the Decoder's buffer, bytes.
const (
	defaultBuffer = 1 << 10  // holds 60 requests; what an idle peer costs
	minBuffer     = 64       // any fixed frame fits
	readAhead     = 64 << 10 // reads alone grow a buffer to here; only a longer frame needs more
)

// quietReads is how many reads in a row may leave three quarters of the buffer unused before it is given back.
const quietReads = 4

// DecoderConfig bounds what a [Decoder] takes from a peer. The zero value suits a seed.
type DecoderConfig struct {
	// NumPieces is the torrent's number of pieces: a bitfield must have exactly its size, and a Have must name one of them.
	// If zero, it is not known yet, and a bitfield may have up to 256 KiB: see SetNumPieces.
	NumPieces uint32
	// MaxMessage bounds the length of Extended and unknown frames, bytes with the id. If zero, 1 MiB. If negative, none is taken.
	MaxMessage int
	// MaxBlock bounds the data of a Piece, bytes. If zero, 128 KiB. If negative, no Piece is taken.
	MaxBlock int
	// BufferSize is what the buffer starts with, and returns to when the peer is quiet, bytes. If zero, 1 KiB. If less than 64, 64.
	BufferSize int
}

// A Decoder reads the frames that follow the handshake. It judges each by its id and length before it makes room for the
// rest, and takes from the reader as much as its buffer holds, so that one read delivers many messages.
//
// Its memory follows the peer: nothing before the first read, then BufferSize; doubled while a frame does not fit or reads
// fill it, by reads alone up to 64 KiB; back to BufferSize after a frame longer than that, or after four reads in a row used
// less than a quarter. The length a peer claims costs nothing, only the bytes it sends.
//
// It belongs to one goroutine, and what it returns aliases its buffer where a method says so.
type Decoder struct {
	r          io.Reader
	buf        []byte // buf[head:tail] is read and not yet delivered
	head, tail int
	quiet      int   // reads in a row that left most of buf unused
	err        error // came with the last bytes; reported when they are used up

	start      int // size of a quiet buffer
	numPieces  uint32
	maxMessage uint64
	maxBlock   uint64
}

// NewDecoder returns a Decoder of the frames in r, which is read by the Decoder's methods only. It allocates no buffer yet.
func NewDecoder(r io.Reader, c DecoderConfig) *Decoder {
	start := c.BufferSize
	if start == 0 {
		start = defaultBuffer
	}
	return &Decoder{
		r:          r,
		start:      min(max(start, minBuffer), readAhead),
		numPieces:  c.NumPieces,
		maxMessage: limit(c.MaxMessage, 1<<20),
		maxBlock:   limit(c.MaxBlock, 128<<10),
	}
}

// SetNumPieces tells the number of pieces once the metadata is there. Frames delivered before were not held to it.
func (d *Decoder) SetNumPieces(n uint32) { d.numPieces = n }

// Next returns the next message, reading only if none is complete in the buffer. Bits, Data and Payload alias the buffer
// until the next call of Next or Await.
//
// The peer's fault is a [*FrameError], given again on every later call. The end of the stream between two frames is [io.EOF],
// inside one [io.ErrUnexpectedEOF]; other errors are the reader's own, and if they pass (a deadline), so can a later call.
func (d *Decoder) Next() (Message, error) {
	if err := d.Await(); err != nil {
		return nil, err
	}
	length := int(uint32At(d.buf, d.head))
	if length == 0 {
		d.head += 4
		return KeepAlive{}, nil
	}
	payload := d.buf[d.head+frameHead : d.head+4+length]
	m, err := d.parseFrame(ID(d.buf[d.head+4]), payload[:len(payload):len(payload)])
	if err != nil {
		return nil, err
	}
	d.head += 4 + length
	return m, nil
}

// Await reads until a complete frame is in the buffer, and returns at once if one is. Its errors are those of [Decoder.Next].
// A loop of Await, [Decoder.Requests] and, when that gives none, Next takes requests without an allocation.
func (d *Decoder) Await() error {
	for {
		need, err := d.need()
		if err != nil {
			return err
		}
		if need <= d.tail-d.head {
			return nil
		}
		if err := d.fill(need); err != nil {
			return err
		}
	}
}

// Requests appends to dst all [Request] frames that are complete in the buffer and next in order, up to the first frame of
// another kind. It does not read, and allocates only to grow dst.
func (d *Decoder) Requests(dst []Request) []Request {
	for d.tail-d.head >= 4+blockFrame {
		frame := d.buf[d.head : d.head+4+blockFrame]
		if uint32At(frame, 0) != blockFrame || ID(frame[4]) != IDRequest {
			break
		}
		dst = append(dst, parseRequest(frame[frameHead:]))
		d.head += 4 + blockFrame
	}
	return dst
}

// Buffered reports whether the next call of [Decoder.Next] returns without reading: a frame is complete in the buffer, or is
// already known to be bad.
func (d *Decoder) Buffered() bool {
	need, err := d.need()
	return err != nil || need <= d.tail-d.head
}

// need returns how many bytes the frame at head takes in all, as far as its beginning tells, or what is wrong with it.
func (d *Decoder) need() (int, error) {
	have := d.tail - d.head
	if have < 4 {
		return 4, nil
	}
	length := uint32At(d.buf, d.head)
	if length == 0 {
		return 4, nil
	}
	if have < frameHead {
		return frameHead, nil
	}
	if err := d.checkLength(ID(d.buf[d.head+4]), length); err != nil {
		return 0, err
	}
	return 4 + int(length), nil
}

// fill makes room for a frame of need bytes, as far as it has come, and reads once.
func (d *Decoder) fill(need int) error {
	if err := d.err; err != nil {
		d.err = nil
		return d.ended(err)
	}
	d.makeRoom(need)
	for range 100 { // a reader may return nothing, but not for ever
		n, err := d.r.Read(d.buf[d.tail:])
		d.noteRead(n)
		d.tail += n
		if n > 0 {
			d.err = err
			return nil
		}
		if err != nil {
			return d.ended(err)
		}
	}
	return io.ErrNoProgress
}

// ended turns the end of the stream into an unexpected one where a frame is begun.
func (d *Decoder) ended(err error) error {
	if errors.Is(err, io.EOF) && d.head < d.tail {
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom moves what is left to the front, of a buffer of another size where the last reads ask for one.
func (d *Decoder) makeRoom(need int) {
	size := len(d.buf)
	switch most := max(need, readAhead); {
	case size == 0:
		size = d.start
	case d.tail == size && size < most:
		size = min(2*size, most) // the last read filled it
	case need <= d.start && (size > readAhead || d.quiet >= quietReads):
		size = d.start
	}
	rest := d.buf[d.head:d.tail]
	if size != len(d.buf) {
		d.buf, d.quiet = make([]byte, size), 0
	}
	d.tail = copy(d.buf, rest)
	d.head = 0
}

// noteRead counts reads that had much more room than they used.
func (d *Decoder) noteRead(n int) {
	if n < len(d.buf)/4 {
		d.quiet++
	} else {
		d.quiet = 0
	}
}
