package swarm

import (
	"bytes"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestIdleWritersGo: who wrote for a peer is kept while there is something to send, and for no longer.
func TestIdleWritersGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		r := connect(t, s, modern)
		r.take()
		synctest.Wait()
		require.EqualValues(t, 1, s.crew.idle.Load(), "who wrote the opening")
		require.Equal(t, 1, hands())
		for i := range uint32(4) {
			ask := requests(i, 0, 16)
			r.send(ask...)
			require.Equal(t, pieces(cfg, content, ask), r.take())
			require.Equal(t, 1, hands(), "the same one writes again")
		}
		time.Sleep(3 * quietTick)
		require.Zero(t, s.crew.idle.Load())
		require.Zero(t, hands())

		ask := requests(0, 0, 16)
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take())
		r.conn.Close()
		synctest.Wait()
		require.Zero(t, s.Stats().Peers)
		time.Sleep(3 * quietTick)
		require.Zero(t, s.crew.idle.Load(), "nor when the last peer has left")
		require.Zero(t, hands())
	})
}

// hands counts the goroutines of the process that write for a peer, or wait for one to write for. The number of all
// goroutines is no measure: it has one that just ended for a moment more, and the runtime's own.
func hands() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte(".(*Swarm).writeFor("))
}
