package swarm

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

func TestPreload(t *testing.T) {
	chunk := []run{{index: 1, begin: 0, length: block, n: 16}, {index: 3, begin: 0, length: block, n: 16}}
	for _, tc := range []struct {
		name    string
		runs    []run
		rushing int32
		fails   bool
		due     []run // nil for runs
		want    bool
	}{
		{name: "what is due", runs: chunk, want: true},
		{name: "a block was cancelled", runs: chunk, due: []run{chunk[0], {index: 3, begin: block, length: block, n: 15}}},
		{name: "choked", runs: chunk, due: []run{}},
		{name: "less than a chunk", runs: chunk[:1]},
		{name: "no processor to spare", runs: chunk, rushing: 2},
		{name: "cannot be read", runs: chunk, fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg, content := torrent(1<<20, 256<<10)
			s := New(cfg)
			s.spare = 1
			s.rushing.Store(tc.rushing)
			if tc.fails {
				content.fail(errDisk)
			}
			var e preload
			require.Nil(t, e.take(tc.runs), "nothing is there yet")
			e.begin(&peer{swarm: s}, tc.runs)
			due := tc.runs
			if tc.due != nil {
				due = tc.due
			}
			buf := e.take(due)
			require.Equal(t, tc.want, buf != nil)
			if tc.want {
				require.Equal(t, append(bytes.Clone(content.data[256<<10:512<<10]), content.data[768<<10:]...), *buf)
			}
			require.Nil(t, e.take(due), "a buffer is taken once")
		})
	}
}

// TestFastPeerGetsTheRightBlocks: one that always has a lot on its way, over a real connection, where chunks are as large as they get.
func TestFastPeerGetsTheRightBlocks(t *testing.T) {
	cfg, content := torrent(32<<20, 1<<20)
	s, addr, stop := serveLoopback(t, cfg)
	defer stop()
	s.spare = 8 // whatever this machine has
	conn := dial(t, addr, cfg, 1)
	defer conn.Close()
	go func() {
		for index := range uint32(32) {
			var frames []byte
			for begin := uint32(0); begin < 1<<20; begin += block {
				frames = peerwire.AppendRequest(frames, peerwire.Request{Index: index, Begin: begin, Length: block})
			}
			if _, err := conn.Write(frames); err != nil {
				return
			}
		}
	}()
	got := make([]byte, peerwire.PieceHeaderSize+block)
	for off := 0; off < 32<<20; off += block {
		_, err := io.ReadFull(conn, got)
		require.NoError(t, err)
		want := peerwire.AppendPieceHeader(nil, uint32(off>>20), uint32(off&(1<<20-1)), block)
		require.True(t, bytes.Equal(append(want, content.data[off:off+block]...), got), "block at %d", off)
	}
}
