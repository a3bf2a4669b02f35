package udptracker

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// flood counts the packets of each address in the present second, in memory
// that does not grow with the number of addresses: two rows of counters, of
// which an address has one each, shared with strangers. The lesser of both is
// its count or a little more. A flood from invented addresses spreads over all
// counters.
type flood struct {
	limit  uint32 // 0: off
	second int64
	seeds  [2]maphash.Seed
	rows   [2][floodColumns]uint32
}

const floodColumns = 4096

func newFlood(limit int) flood {
	return flood{limit: uint32(max(0, limit)), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// over counts a packet and reports whether its sender has sent too many.
func (f *flood) over(now time.Time, ip netip.Addr) bool {
	if f.limit == 0 {
		return false
	}
	if second := now.Unix(); second != f.second {
		f.second = second
		clear(f.rows[0][:])
		clear(f.rows[1][:])
	}
	b := ip.As16()
	who := b[:]
	if ip.Is6() {
		who = b[:8]
	}
	least := ^uint32(0)
	for i := range f.rows {
		n := &f.rows[i][maphash.Bytes(f.seeds[i], who)%floodColumns]
		*n++
		least = min(least, *n)
	}
	return least > f.limit
}
