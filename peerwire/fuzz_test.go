package peerwire_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

func FuzzHandshake(f *testing.F) {
	var v handshakeVectors
	load(f, "handshake.json", &v)
	for _, row := range v.Handshakes {
		f.Add(fromHex(f, row.Hex))
	}
	for _, row := range v.Bad {
		f.Add(fromHex(f, row.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		h, err := peerwire.ReadHandshake(bytes.NewReader(b))
		slow, slowErr := peerwire.ReadHandshake(iotest.OneByteReader(bytes.NewReader(b)))
		require.Equal(t, h, slow)
		require.Equal(t, err == nil, slowErr == nil)
		require.Equal(t, errors.Is(err, peerwire.ErrProtocol), errors.Is(slowErr, peerwire.ErrProtocol))
		switch {
		case err == nil:
			require.Equal(t, b[:peerwire.HandshakeSize], h.AppendTo(nil))
		case errors.Is(err, peerwire.ErrProtocol):
			require.Zero(t, h)
		default:
			require.Contains(t, []error{io.EOF, io.ErrUnexpectedEOF}, err)
			require.Less(t, len(b), peerwire.HandshakeSize)
		}
		require.Equal(t, in, b)
	})
}

// FuzzDecoder gives the same bytes in one read, byte by byte, and in chunks drawn from seed, with requests taken singly or in
// runs, and holds all to one result, whose encoding is the bytes again.
func FuzzDecoder(f *testing.F) {
	wire, _ := conversation(f)
	f.Add(wire[:1000], uint32(0), uint64(1))
	f.Add(wire[:1000], uint32(13), uint64(2))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 5}, uint32(0), uint64(3))
	f.Add(bytes.Repeat(peerwire.AppendRequest(nil, peerwire.Request{Index: 1}), 200), uint32(10), uint64(4))
	f.Add([]byte{0, 0x0f, 0xff, 0xff, 20, 1}, uint32(10), uint64(5))
	f.Fuzz(func(t *testing.T, b []byte, numPieces uint32, seed uint64) {
		in := bytes.Clone(b)
		config := peerwire.DecoderConfig{NumPieces: numPieces}
		want, wantErr := drain(peerwire.NewDecoder(bytes.NewReader(b), config))

		var encoded []byte
		for _, m := range want {
			encoded = peerwire.Append(encoded, m)
		}
		require.True(t, bytes.HasPrefix(b, encoded), "decode, then encode: the same bytes")
		switch {
		case errors.Is(wantErr, peerwire.ErrProtocol):
			var fe *peerwire.FrameError
			require.ErrorAs(t, wantErr, &fe)
		case wantErr == io.EOF:
			require.Equal(t, len(b), len(encoded))
		default:
			require.Equal(t, io.ErrUnexpectedEOF, wantErr)
		}

		rnd := rand.New(rand.NewPCG(seed, 0))
		for _, r := range []io.Reader{iotest.OneByteReader(bytes.NewReader(b)), cut(b, 1+int(seed%2000), rnd)} {
			d := peerwire.NewDecoder(r, config)
			got, err := drainRuns(t, d, rnd)
			require.Equal(t, want, got)
			require.Equal(t, wantErr, err)
			require.LessOrEqual(t, d.BufferLen(), max(peerwire.DefaultBuffer, 2*len(b)), "memory follows what came")
		}
		require.Equal(t, in, b)
	})
}

// drainRuns takes all messages, those that Requests gives now and then by that.
func drainRuns(t testing.TB, d *peerwire.Decoder, rnd *rand.Rand) (all []peerwire.Message, err error) {
	for {
		if rnd.IntN(2) == 0 {
			for _, r := range d.Requests(nil) {
				all = append(all, r)
			}
		}
		ready := d.Buffered()
		if rnd.IntN(2) == 0 {
			if err := d.Await(); err == nil {
				require.True(t, d.Buffered())
			}
		}
		m, err := d.Next()
		if err != nil {
			require.True(t, !ready || errors.Is(err, peerwire.ErrProtocol), "what was promised came")
			return all, err
		}
		all = append(all, clone(m))
	}
}

// FuzzBitfield parses wire and then works on the set, beside a slow twin.
func FuzzBitfield(f *testing.F) {
	f.Add([]byte{0xa0, 0x40}, uint16(10), []byte{0, 1, 9, 0x89, 0xff})
	f.Add([]byte{0xff, 0xfc}, uint16(13), []byte{0x40, 0x41})
	f.Add([]byte{}, uint16(0), []byte{3})
	f.Fuzz(func(t *testing.T, wire []byte, n uint16, ops []byte) {
		in := bytes.Clone(wire)
		numPieces := uint32(n)
		b, err := peerwire.ParseBitfield(wire, numPieces)
		if len(wire) != (int(n)+7)/8 {
			require.ErrorIs(t, err, peerwire.ErrProtocol)
			return
		}
		require.NoError(t, err)
		twin := map[uint32]bool{}
		for i := range numPieces {
			if wire[i/8]>>(7-i%8)&1 == 1 {
				twin[i] = true
			}
		}
		for _, op := range ops {
			index := uint32(op & 0x3f)
			switch op >> 6 {
			case 0, 1:
				require.Equal(t, index < numPieces && !twin[index], b.Set(index))
				if index < numPieces {
					twin[index] = true
				}
			case 2:
				require.Equal(t, twin[index], b.Clear(index))
				delete(twin, index)
			case 3:
				require.Equal(t, twin[index], b.Has(index))
			}
			require.EqualValues(t, len(twin), b.Count())
		}
		again, err := peerwire.ParseBitfield(b.Bytes(), numPieces)
		require.NoError(t, err)
		require.Equal(t, b, again)
		require.Equal(t, len(twin) == int(n), b.All())
		require.Equal(t, len(twin) == 0, b.None())
		require.Equal(t, in, wire)
	})
}

func FuzzPeerID(f *testing.F) {
	for _, s := range []string{"-TR4060-abcdefghijkl", "A2-1-37-0-abcdefghij", "M7-9-2--abcdefghijkl", "S58B-----abcdefghijk",
		"-<b>\x00\xff--"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var id peerwire.PeerID
		copy(id[:], b)
		for _, s := range []string{id.String(), id.Client()} {
			require.False(t, strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r > '~' }), "%q", s)
			require.LessOrEqual(t, len(s), 80)
		}
		require.False(t, strings.ContainsAny(id.Client(), `<>&"'\`))
	})
}
