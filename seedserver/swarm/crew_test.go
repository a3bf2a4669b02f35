package swarm

import (
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
		before := runtime.NumGoroutine()
		require.EqualValues(t, 1, s.crew.idle.Load(), "who wrote the opening")
		for i := range uint32(4) {
			ask := requests(i, 0, 16)
			r.send(ask...)
			require.Equal(t, pieces(cfg, content, ask), r.take())
			require.Equal(t, before, runtime.NumGoroutine(), "the same one writes again")
		}
		time.Sleep(3 * quietTick)
		require.Zero(t, s.crew.idle.Load())
		require.Equal(t, before-1, runtime.NumGoroutine())

		ask := requests(0, 0, 16)
		r.send(ask...)
		require.Equal(t, pieces(cfg, content, ask), r.take())
		r.conn.Close()
		synctest.Wait()
		require.Zero(t, s.Stats().Peers)
		time.Sleep(3 * quietTick)
		require.Zero(t, s.crew.idle.Load(), "nor when the last peer has left")
	})
}
