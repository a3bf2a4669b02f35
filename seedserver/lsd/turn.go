package lsd

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"
)

const (
	minGap      = time.Minute     // between our datagrams to a group
	lookAgain   = 5 * time.Second // for torrents to name, when there was none
	perTorrent  = 5 * time.Minute // between two that name a torrent
	perSource   = 20              // datagrams of one address that are read in a minute
	inAll       = 600
	maxSources  = 256
	countWindow = time.Minute
)

// A turn decides which torrents are named next. It is pure; the zero value is ready. There may be a hundred thousand torrents: a list
// of 24 bytes for each is all it keeps.
type turn struct {
	known []naming // in the order of infohashes
}

// naming is when a torrent was named last.
type naming struct {
	infohash [20]byte
	at       uint32 // seconds since 1970; 0 for never
}

// next returns the torrents of all to name now, at most [MaxInfoHashes]: those that were never named, or longest ago. It sorts all.
func (t *turn) next(now time.Time, all [][20]byte) [][20]byte {
	t.know(all)
	second := uint32(now.Unix())
	due := make([]int, 0, MaxInfoHashes) // their places in known, the longest ago first
	for i, n := range t.known {
		if n.at != 0 && time.Duration(second-n.at)*time.Second < perTorrent {
			continue
		}
		place, _ := slices.BinarySearchFunc(due, n.at+1, func(i int, at uint32) int { return cmp.Compare(t.known[i].at, at) })
		if place < MaxInfoHashes {
			due = slices.Insert(due[:min(len(due), MaxInfoHashes-1)], place, i)
		}
	}
	named := make([][20]byte, len(due))
	for k, i := range due {
		named[k] = t.known[i].infohash
		t.known[i].at = second
	}
	return named
}

// know makes known what all are. Those that are gone are forgotten.
func (t *turn) know(all [][20]byte) {
	slices.SortFunc(all, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	before := t.known
	t.known = make([]naming, len(all))
	for i, h := range all {
		for len(before) > 0 && bytes.Compare(before[0].infohash[:], h[:]) < 0 {
			before = before[1:]
		}
		t.known[i].infohash = h
		if len(before) > 0 && before[0].infohash == h {
			t.known[i].at = before[0].at
		}
	}
}

// A meter decides whose datagrams are read. It is pure; the zero value is ready.
type meter struct {
	since time.Time
	all   int
	by    map[netip.Addr]int
}

// allows counts a datagram of from, and reports whether it is read.
func (m *meter) allows(now time.Time, from netip.Addr) bool {
	if m.by == nil || now.Sub(m.since) >= countWindow {
		*m = meter{since: now, by: map[netip.Addr]int{}}
	}
	n, known := m.by[from]
	if m.all >= inAll || n >= perSource || !known && len(m.by) >= maxSources {
		return false
	}
	m.by[from]++
	m.all++
	return true
}
