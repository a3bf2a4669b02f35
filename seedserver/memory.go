package seedserver

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/seedserver/bittorrent/seedserver/catalog"
)

// trimMemory gives back to the system what only the start needed, once every file has been looked at and is seeded: reading ten thousand torrents
// leaves as much garbage as there is to keep, and a server that then idles would hold on to it.
func (s *Server) trimMemory(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if t := s.catalog.Totals(); t.Scanned && t.Queue == 0 && t.Count(catalog.Hashing) == 0 {
			debug.FreeOSMemory()
			<-ctx.Done()
			return
		}
	}
}
