package peerwire_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

// chunks is a reader that gives each chunk to one Read, and then the error, io.EOF if nil.
type chunks struct {
	rest  [][]byte
	err   error
	reads int
}

func (c *chunks) Read(p []byte) (int, error) {
	c.reads++
	if len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		return 0, io.EOF
	}
	n := copy(p, c.rest[0])
	if c.rest[0] = c.rest[0][n:]; len(c.rest[0]) == 0 {
		c.rest = c.rest[1:]
	}
	return n, nil
}

// cut cuts b at random into chunks of 1 to most bytes.
func cut(b []byte, most int, rnd *rand.Rand) *chunks {
	c := &chunks{}
	for len(b) > 0 {
		n := min(len(b), 1+rnd.IntN(most))
		c.rest, b = append(c.rest, b[:n]), b[n:]
	}
	return c
}

// clone copies what a message aliases.
func clone(m peerwire.Message) peerwire.Message {
	switch m := m.(type) {
	case peerwire.BitfieldMessage:
		return peerwire.BitfieldMessage{Bits: bytes.Clone(m.Bits)}
	case peerwire.Piece:
		m.Data = bytes.Clone(m.Data)
		return m
	case peerwire.Extended:
		m.Payload = bytes.Clone(m.Payload)
		return m
	case peerwire.Unknown:
		m.Payload = bytes.Clone(m.Payload)
		return m
	}
	return m
}

// drain takes all messages with Next, and the error that ended them.
func drain(d *peerwire.Decoder) (all []peerwire.Message, err error) {
	for {
		m, err := d.Next()
		if err != nil {
			return all, err
		}
		all = append(all, clone(m))
	}
}

// conversation is one frame of every vector and kind, with some long ones.
func conversation(t testing.TB) (wire []byte, want []peerwire.Message) {
	var v messageVectors
	load(t, "messages.json", &v)
	for _, row := range v.Messages {
		want = append(want, row.message(t))
	}
	want = append(want, peerwire.Extended{ID: 1, Payload: bytes.Repeat([]byte("e"), 5000)},
		peerwire.Unknown{ID: 99, Payload: []byte("later")}, peerwire.Unknown{ID: 12, Payload: []byte{}},
		peerwire.Piece{Data: bytes.Repeat([]byte("d"), 100_000)}, peerwire.KeepAlive{})
	for _, m := range want {
		wire = peerwire.Append(wire, m)
	}
	return wire, want
}

func TestDecoderAnyChunking(t *testing.T) {
	wire, want := conversation(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name string
		r    io.Reader
	}{
		{"whole", bytes.NewReader(wire)},
		{"one byte", iotest.OneByteReader(bytes.NewReader(wire))},
		{"half", iotest.HalfReader(bytes.NewReader(wire))},
		{"data with the error", iotest.DataErrReader(bytes.NewReader(wire))},
		{"up to 20", cut(wire, 20, rnd)},
		{"up to 3000", cut(wire, 3000, rnd)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := drain(peerwire.NewDecoder(tt.r, peerwire.DecoderConfig{}))
			require.Equal(t, io.EOF, err)
			require.Equal(t, want, got)
		})
	}
}

func TestDecoderBoundsByType(t *testing.T) {
	known := peerwire.DecoderConfig{NumPieces: 10}
	small := peerwire.DecoderConfig{MaxMessage: 100, MaxBlock: 16384}
	none := peerwire.DecoderConfig{MaxMessage: -1, MaxBlock: -1}
	tests := []struct {
		name      string
		config    peerwire.DecoderConfig
		id        peerwire.ID
		low, high uint32 // the lengths that pass
	}{
		{"choke", known, peerwire.IDChoke, 1, 1},
		{"unchoke", known, peerwire.IDUnchoke, 1, 1},
		{"interested", known, peerwire.IDInterested, 1, 1},
		{"not interested", known, peerwire.IDNotInterested, 1, 1},
		{"have", known, peerwire.IDHave, 5, 5},
		{"request", known, peerwire.IDRequest, 13, 13},
		{"cancel", known, peerwire.IDCancel, 13, 13},
		{"port", known, peerwire.IDPort, 3, 3},
		{"suggest", known, peerwire.IDSuggest, 5, 5},
		{"have all", known, peerwire.IDHaveAll, 1, 1},
		{"have none", known, peerwire.IDHaveNone, 1, 1},
		{"reject", known, peerwire.IDReject, 13, 13},
		{"allowed fast", known, peerwire.IDAllowedFast, 5, 5},
		{"bitfield of 10 pieces", known, peerwire.IDBitfield, 3, 3},
		{"bitfield of 2^32-1 pieces", peerwire.DecoderConfig{NumPieces: 1<<32 - 1}, peerwire.IDBitfield, 1 + 1<<29, 1 + 1<<29},
		{"bitfield of unknown pieces", peerwire.DecoderConfig{}, peerwire.IDBitfield, 1, 1 + 256<<10},
		{"piece", known, peerwire.IDPiece, 10, 9 + 128<<10},
		{"piece, smaller", small, peerwire.IDPiece, 10, 9 + 16384},
		{"extended", known, peerwire.IDExtended, 2, 1 << 20},
		{"extended, smaller", small, peerwire.IDExtended, 2, 100},
		{"unknown", known, 99, 1, 1 << 20},
		{"unknown, smaller", small, 99, 1, 100},
		{"piece, none", none, peerwire.IDPiece, 1, 0},
		{"extended, none", none, peerwire.IDExtended, 1, 0},
		{"unknown, none", none, 99, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, length := range []uint32{1, tt.low - 1, tt.low, tt.high, tt.high + 1, 1 << 31, 1<<32 - 1} {
				if length == 0 {
					continue // a keep-alive has no id
				}
				head := []byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length), byte(tt.id)}
				d := peerwire.NewDecoder(bytes.NewReader(head), tt.config)
				_, err := d.Next()
				require.LessOrEqual(t, d.BufferLen(), peerwire.DefaultBuffer, "length %d: no room for what has not come", length)
				if length >= tt.low && length <= tt.high {
					require.NotErrorIs(t, err, peerwire.ErrProtocol, "length %d", length)
					continue
				}
				var fe *peerwire.FrameError
				require.ErrorAs(t, err, &fe, "length %d", length)
				require.Equal(t, tt.id, fe.ID)
				require.Equal(t, length, fe.Length)
				require.True(t, d.Buffered(), "the error waits")
				_, again := d.Next()
				require.Equal(t, err, again, "and stays")
			}
		})
	}
}

func TestDecoderHaveBeyondTheTorrent(t *testing.T) {
	wire := peerwire.AppendHave(peerwire.AppendHave(nil, 9), 10)
	d := peerwire.NewDecoder(bytes.NewReader(wire), peerwire.DecoderConfig{})
	got, err := drain(d)
	require.Equal(t, io.EOF, err, "any piece may exist while their number is not known")
	require.Len(t, got, 2)

	d = peerwire.NewDecoder(bytes.NewReader(wire), peerwire.DecoderConfig{})
	d.SetNumPieces(10)
	got, err = drain(d)
	require.ErrorIs(t, err, peerwire.ErrProtocol)
	require.Equal(t, []peerwire.Message{peerwire.Have{Index: 9}}, got)
	_, again := d.Next()
	require.Equal(t, err, again)
}

func TestDecoderEndOfStream(t *testing.T) {
	wire := peerwire.Append(nil, peerwire.Request{Index: 1, Begin: 2, Length: 3})
	for n := range len(wire) + 1 {
		got, err := drain(peerwire.NewDecoder(bytes.NewReader(wire[:n]), peerwire.DecoderConfig{}))
		switch n {
		case 0, len(wire):
			require.Equal(t, io.EOF, err, "%d bytes: a boundary", n)
		default:
			require.Equal(t, io.ErrUnexpectedEOF, err, "%d bytes: inside a frame", n)
		}
		require.Len(t, got, n/len(wire))
	}
}

func TestDecoderReaderErrors(t *testing.T) {
	t.Run("one that passes", func(t *testing.T) {
		wire, want := conversation(t)
		d := peerwire.NewDecoder(iotest.TimeoutReader(bytes.NewReader(wire)), peerwire.DecoderConfig{})
		got, err := drain(d)
		require.ErrorIs(t, err, iotest.ErrTimeout)
		rest, err := drain(d)
		require.Equal(t, io.EOF, err)
		require.Equal(t, want, append(got, rest...), "nothing is lost")
	})
	t.Run("one that stays", func(t *testing.T) {
		broken := errors.New("broken")
		d := peerwire.NewDecoder(&chunks{rest: [][]byte{{0, 0}}, err: broken}, peerwire.DecoderConfig{})
		_, err := d.Next()
		require.Equal(t, broken, err)
	})
	t.Run("a reader without progress", func(t *testing.T) {
		_, err := peerwire.NewDecoder(stuck{}, peerwire.DecoderConfig{}).Next()
		require.Equal(t, io.ErrNoProgress, err)
	})
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestDecoderPayloadCannotReachTheNextFrame(t *testing.T) {
	wire := peerwire.Append(nil, peerwire.Extended{ID: 1, Payload: []byte("payload")})
	wire = peerwire.Append(wire, peerwire.Have{Index: 5})
	d := peerwire.NewDecoder(bytes.NewReader(wire), peerwire.DecoderConfig{})
	m, err := d.Next()
	require.NoError(t, err)
	_ = append(m.(peerwire.Extended).Payload, "overwritten"...)
	m, err = d.Next()
	require.NoError(t, err)
	require.Equal(t, peerwire.Have{Index: 5}, m)
}

func TestDecoderRequests(t *testing.T) {
	var wire []byte
	var want []peerwire.Request
	for i := range uint32(30) {
		want = append(want, peerwire.Request{Index: i, Begin: i << 14, Length: 16384})
		wire = peerwire.AppendRequest(wire, want[i])
	}
	wire = peerwire.Append(wire, peerwire.Interested{})
	wire = peerwire.AppendRequest(wire, want[0])
	complete := len(wire)
	wire = peerwire.AppendRequest(wire, want[1])

	r := &chunks{rest: [][]byte{wire[:complete+7], wire[complete+7:]}}
	d := peerwire.NewDecoder(r, peerwire.DecoderConfig{})
	require.Empty(t, d.Requests(nil), "Requests does not read")
	require.False(t, d.Buffered())
	require.NoError(t, d.Await())
	require.True(t, d.Buffered())
	require.Equal(t, want, d.Requests(nil), "a whole run")
	require.Empty(t, d.Requests(nil), "up to a message of another kind")
	m, err := d.Next()
	require.NoError(t, err)
	require.Equal(t, peerwire.Interested{}, m)
	require.Equal(t, want[:1], d.Requests(nil), "complete ones only")
	require.False(t, d.Buffered())
	require.Equal(t, 1, r.reads, "one read delivered 32 messages")
	m, err = d.Next()
	require.NoError(t, err)
	require.Equal(t, want[1], m)
}

func TestDecoderRequestsLeavesBadFrames(t *testing.T) {
	wire := []byte{0, 0, 0, 12, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	d := peerwire.NewDecoder(bytes.NewReader(wire), peerwire.DecoderConfig{})
	require.ErrorIs(t, d.Await(), peerwire.ErrProtocol)
	require.Empty(t, d.Requests(nil))
}

// flood is a reader without end of the same frames, as many whole ones as each read has room for, up to a number.
type flood struct {
	frames []byte
	frame  int
	most   int
}

func newFlood(frame []byte, most int) *flood {
	return &flood{frames: bytes.Repeat(frame, most), frame: len(frame), most: most}
}

func (f *flood) Read(p []byte) (int, error) {
	n := min(len(p)/f.frame, f.most) * f.frame
	return copy(p, f.frames[:n]), nil
}

func TestDecoderRequestsDoNotAllocate(t *testing.T) {
	d := peerwire.NewDecoder(newFlood(peerwire.AppendRequest(nil, peerwire.Request{}), 50), peerwire.DecoderConfig{})
	dst := make([]peerwire.Request, 0, 100)
	took := 0
	allocs := testing.AllocsPerRun(100, func() {
		if d.Await() == nil {
			took += len(d.Requests(dst))
		}
	})
	require.Zero(t, allocs)
	require.Equal(t, 50*101, took)
}

func TestDecoderMemoryFollowsThePeer(t *testing.T) {
	request := peerwire.AppendRequest(nil, peerwire.Request{})
	keepAlive := peerwire.Append(nil, peerwire.KeepAlive{})
	tests := []struct {
		name   string
		config peerwire.DecoderConfig
		chunks [][]byte
		want   int // the buffer at the end
		most   int // and at any time
	}{
		{"an idle peer", peerwire.DecoderConfig{}, [][]byte{keepAlive, keepAlive}, 1024, 1024},
		{"a configured buffer", peerwire.DecoderConfig{BufferSize: 4096}, [][]byte{keepAlive}, 4096, 4096},
		{"a configured buffer too small for a frame", peerwire.DecoderConfig{BufferSize: 1}, [][]byte{request}, 64, 64},
		{"a claim of 1 MiB", peerwire.DecoderConfig{}, [][]byte{{0, 0x10, 0, 0, 20, 1, 2, 3}}, 1024, 1024},
		{"a claim of 1 MiB that goes on", peerwire.DecoderConfig{},
			[][]byte{append([]byte{0, 0x10, 0, 0, 20}, make([]byte, 10_000)...)}, 16384, 16384},
		{"a flood grows it to 64 KiB", peerwire.DecoderConfig{}, [][]byte{bytes.Repeat(request, 100_000)}, 64 << 10, 64 << 10},
		{"quiet after a flood", peerwire.DecoderConfig{},
			[][]byte{bytes.Repeat(request, 10_000), keepAlive, keepAlive, keepAlive, keepAlive, keepAlive}, 1024, 64 << 10},
		{"a long frame is let go at once", peerwire.DecoderConfig{},
			[][]byte{peerwire.Append(nil, peerwire.Extended{Payload: make([]byte, 500_000)})}, 1024, 500_006},
		{"a long frame and part of the next", peerwire.DecoderConfig{},
			[][]byte{append(peerwire.Append(nil, peerwire.Extended{Payload: make([]byte, 500_000)}), 0, 0)}, 1024, 500_006},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := peerwire.NewDecoder(&chunks{rest: tt.chunks}, tt.config)
			require.Zero(t, d.BufferLen(), "nothing before the first read")
			most := 0
			for err := error(nil); err == nil; _, err = d.Next() {
				most = max(most, d.BufferLen())
			}
			require.Equal(t, tt.want, d.BufferLen())
			require.LessOrEqual(t, max(most, d.BufferLen()), tt.most)
		})
	}
}
