package seedserver

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/seedserver/web"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

const (
	surveyEvery = 5 * time.Second
	surveyRows  = 1000 // the largest swarms; of the others only the sums are shown
)

// survey is what the tracker's page shows. It is made when somebody looks, every few seconds at most.
type survey struct {
	peers *peerstore.Store
	// about completes the row of a torrent, and reports whether it may be shown.
	about func(row *web.TrackerTorrent) bool
	// each calls visit with torrents that are to be shown without a peer, too; nil if there are none.
	each func(visit func(infohash [20]byte) bool)

	mu   sync.Mutex
	at   time.Time
	last web.TrackerTable
}

// table returns what is known, which may be some seconds old. The caller does not change it.
func (s *survey) table(now time.Time) web.TrackerTable {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.at) >= surveyEvery {
		s.last, s.at = s.make(now), now
	}
	return s.last
}

func (s *survey) make(now time.Time) web.TrackerTable {
	t := web.TrackerTable{Time: now}
	unseen := map[[20]byte]bool{} // their sums would tell of them
	add := func(infohash [20]byte, stats tracker.ScrapeStats) bool {
		row := web.TrackerTorrent{InfoHash: infohash, Complete: stats.Complete, Downloading: stats.Incomplete, Downloaded: stats.Downloaded}
		if !s.about(&row) {
			unseen[infohash] = true
			return true
		}
		t.Total.Torrents++
		t.Total.Complete += row.Complete
		t.Total.Downloading += row.Downloading
		t.Total.Downloaded += row.Downloaded
		t.Total.Transferred += row.Transferred()
		if t.Torrents = append(t.Torrents, row); len(t.Torrents) == 2*surveyRows {
			t.Torrents = largest(t.Torrents)
		}
		return true
	}
	s.peers.Each(add)
	if s.each != nil {
		s.each(func(infohash [20]byte) bool {
			if _, known := s.peers.Scrape(infohash); !known {
				add(infohash, tracker.ScrapeStats{})
			}
			return true
		})
	}
	t.Torrents = largest(t.Torrents)
	t.Total.Addresses, t.Total.Connections = s.peers.Addresses(unseen)
	return t
}

// largest sorts rows, the largest swarms first, and cuts them.
func largest(rows []web.TrackerTorrent) []web.TrackerTorrent {
	slices.SortFunc(rows, func(a, b web.TrackerTorrent) int {
		return cmp.Or(cmp.Compare(b.Complete+b.Downloading, a.Complete+a.Downloading), cmp.Compare(b.Downloaded, a.Downloaded),
			cmp.Compare(a.Name, b.Name), bytes.Compare(a.InfoHash[:], b.InfoHash[:]))
	})
	return rows[:min(len(rows), surveyRows)]
}
