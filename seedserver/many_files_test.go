package seedserver

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/catalog"
)

// BenchmarkManyFiles is the restart of a server of many files that nobody asks for: the time until all of them are seeded and that
// of its end, the memory that each costs (that of the same server without files taken off), and the time of the index.
func BenchmarkManyFiles(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			dir, state := filepath.Join(b.TempDir(), "files"), filepath.Join(b.TempDir(), "state")
			require.NoError(b, os.Mkdir(dir, 0o755))
			start := func() (*Server, func() error) {
				srv, _, end := running(b, func(c *Config) { c.Dir, c.State, c.DHTRouters = dir, state, nil })
				return srv, end
			}
			seeded := func(srv *Server, n int) {
				for srv.catalog.Totals().Count(catalog.Published) < n || !srv.catalog.Totals().Scanned {
					<-time.After(time.Millisecond)
				}
			}
			srv, end := start()
			seeded(srv, 0)
			empty := inUse()
			for i := range n {
				require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.bin", i)), binary.BigEndian.AppendUint64(nil, uint64(i)), 0o644))
			}
			seeded(srv, n)
			require.NoError(b, end())

			var ready, index, stop time.Duration
			var memory int64
			for b.Loop() {
				began := time.Now()
				srv, end := start()
				seeded(srv, n)
				ready += time.Since(began)
				memory += inUse() - empty
				began = time.Now()
				require.Equal(b, http.StatusOK, status(b, srv, ""))
				index += time.Since(began)
				began = time.Now()
				require.NoError(b, end())
				stop += time.Since(began)
			}
			b.ReportMetric(0, "ns/op") // of everything together: it says nothing
			b.ReportMetric(ready.Seconds()/float64(b.N), "s/ready")
			b.ReportMetric(index.Seconds()/float64(b.N), "s/index")
			b.ReportMetric(stop.Seconds()/float64(b.N), "s/stop")
			b.ReportMetric(float64(memory)/float64(b.N)/float64(n), "B/torrent")
		})
	}
}

// inUse returns the bytes of what is reachable.
func inUse() int64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
