package swarm

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// A server that is started anew takes seconds: a download that has nobody else dials it again as soon, and says meanwhile that
// nothing comes.
func TestWhoGaveIsDialledAgainSoon(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, data := trueTorrent(1<<20, 1<<18)
		cfg.DialPatience = -1
		cfg.Download = &Download{Store: &disk{data: make([]byte, len(data))}}
		const seed = "198.51.100.1:7000"
		n := newTown()
		n.answers[netip.MustParseAddrPort(seed)] = func(conn net.Conn) {
			defer conn.Close()
			if _, err := peerwire.ReadHandshake(conn); err != nil {
				return
			}
			opening := answerOf(cfg, "one").AppendTo(nil)
			opening = peerwire.Append(peerwire.Append(opening, peerwire.HaveAll{}), peerwire.Unchoke{})
			go conn.Write(opening) //nolint:errcheck // the reader below sees it
			d := peerwire.NewDecoder(conn, peerwire.DecoderConfig{NumPieces: 4})
			for {
				m, err := d.Next()
				if err != nil {
					return
				}
				if r, ok := m.(peerwire.Request); ok { // one block, and it is gone
					block := data[int64(r.Index)<<18+int64(r.Begin):][:r.Length]
					_, _ = conn.Write(peerwire.Append(nil, peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: block}))
					time.Sleep(time.Second)
					return
				}
			}
		}
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		tell(t, s, seed)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, n.times(seed))
		require.EqualValues(t, 16<<10, s.Stats().Downloaded)
		require.Zero(t, s.Stats().Peers)
		require.Zero(t, s.Stats().DownRate)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Equal(t, 2, n.times(seed))
		time.Sleep(time.Minute)
		require.LessOrEqual(t, n.times(seed), 5, "if it is no better then, later and later")
	})
}
