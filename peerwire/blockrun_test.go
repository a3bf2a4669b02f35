package peerwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

// block returns n bytes that differ from those of other seeds.
func block(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i*7)
	}
	return b
}

func TestBlockRunWritesFramesInOrder(t *testing.T) {
	first, second := block(1, 16384), block(2, 100)
	var run peerwire.BlockRun
	for range 3 { // the same run again and again
		run.AddFrames(peerwire.Append(nil, peerwire.Unchoke{}))
		run.AddFrames(peerwire.AppendHave(nil, 4))
		run.Add(7, 32768, first)
		run.Add(7, 49152, second)
		run.AddFrames(peerwire.AppendReject(nil, peerwire.Request{Index: 1, Begin: 2, Length: 3}))
		run.Add(8, 0, nil)
		run.Add(9, 0, first)
		run.AddFrames(peerwire.Append(nil, peerwire.Choke{}))

		want := []peerwire.Message{
			peerwire.Unchoke{}, peerwire.Have{Index: 4},
			peerwire.Piece{Index: 7, Begin: 32768, Data: first}, peerwire.Piece{Index: 7, Begin: 49152, Data: second},
			peerwire.Reject{Index: 1, Begin: 2, Length: 3},
			peerwire.Piece{Index: 8, Data: []byte{}}, peerwire.Piece{Index: 9, Data: first},
			peerwire.Choke{},
		}
		var wire []byte
		for _, m := range want {
			wire = peerwire.Append(wire, m)
		}
		require.Equal(t, len(wire), run.Size())
		require.Equal(t, 4, run.Blocks())
		require.Equal(t, 2*16384+100, run.Payload())
		var got bytes.Buffer
		n, err := run.WriteTo(&got)
		require.NoError(t, err)
		require.EqualValues(t, len(wire), n)
		require.True(t, bytes.Equal(wire, got.Bytes()))

		require.Zero(t, run.Size(), "empty after writing")
		require.Zero(t, run.Blocks())
		require.Zero(t, run.Payload())
	}
}

func TestBlockRunEmpty(t *testing.T) {
	var run peerwire.BlockRun
	n, err := run.WriteTo(failing{}) // no bytes, no write
	require.NoError(t, err)
	require.Zero(t, n)

	run.Add(1, 2, []byte("block"))
	run.AddFrames([]byte("frames"))
	run.Reset()
	n, err = run.WriteTo(failing{})
	require.NoError(t, err)
	require.Zero(t, n)
}

var errFailing = errors.New("failing")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFailing }

func TestBlockRunAfterAnError(t *testing.T) {
	var run peerwire.BlockRun
	run.Add(1, 2, []byte("block"))
	_, err := run.WriteTo(failing{})
	require.Equal(t, errFailing, err)
	require.Zero(t, run.Size(), "empty whatever the outcome")

	var got bytes.Buffer
	run.AddFrames([]byte("next"))
	_, err = run.WriteTo(&got)
	require.NoError(t, err)
	require.Equal(t, "next", got.String())
	require.Zero(t, run.Sent())
}

// short takes a number of bytes and fails then.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	n := min(s.left, len(p))
	s.left -= n
	if n < len(p) {
		return n, errFailing
	}
	return n, nil
}

// TestBlockRunSent: of a write that fails, the bytes of blocks that left count.
func TestBlockRunSent(t *testing.T) {
	var run peerwire.BlockRun
	const head = 13 // of a piece
	for taken, want := range map[int]int{
		0: 0, 5: 0, 5 + head: 0, 5 + head + 1: 1, 5 + head + 100: 100, 5 + head + 101: 100, 5 + 2*head + 100: 100,
		5 + 2*head + 107: 107, 5 + 2*head + 150: 150, 5 + 2*head + 154: 150, 5 + 2*head + 155: 150,
	} {
		run.AddFrames(peerwire.Append(nil, peerwire.Unchoke{}))
		run.Add(1, 0, block(1, 100))
		run.Add(1, 100, block(2, 50))
		run.AddFrames(peerwire.Append(nil, peerwire.Choke{}))
		n, err := run.WriteTo(&short{taken})
		require.EqualValues(t, taken, n)
		require.Equal(t, taken < 5+2*head+155, err != nil)
		require.Equal(t, want, run.Sent(), "of %d bytes", taken)
	}
}

// A packet socket shows what one system call sent.
func TestBlockRunIsOneSystemCall(t *testing.T) {
	addr := &net.UnixAddr{Net: "unixpacket", Name: filepath.Join(t.TempDir(), "s")}
	l, err := net.ListenUnix("unixpacket", addr)
	if err != nil {
		t.Skip("needs packet sockets:", err)
	}
	defer l.Close()
	out, err := net.DialUnix("unixpacket", nil, addr)
	require.NoError(t, err)
	defer out.Close()
	in, err := l.AcceptUnix()
	require.NoError(t, err)
	defer in.Close()

	var run peerwire.BlockRun
	run.AddFrames(peerwire.Append(nil, peerwire.Unchoke{}))
	for i := range uint32(16) {
		run.Add(0, i*64, block(byte(i), 64))
	}
	size := run.Size()
	_, err = run.WriteTo(out)
	require.NoError(t, err)
	got := make([]byte, 2*size)
	n, err := in.Read(got)
	require.NoError(t, err)
	require.Equal(t, size, n)
}

func TestBlockRunDoesNotAllocate(t *testing.T) {
	var run peerwire.BlockRun
	have, data := peerwire.AppendHave(nil, 1), block(1, 16384)
	send := func() {
		run.AddFrames(have)
		for i := range uint32(16) {
			run.Add(i, 0, data)
		}
		_, _ = run.WriteTo(io.Discard)
	}
	send() // the first run makes its memory
	require.Zero(t, testing.AllocsPerRun(100, send))
}
