package seedserver

import (
	"net/netip"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// judged is what the swarm of a torrent found out about addresses, for its tracker: whose word holds, and who lies. A liar is known
// by its address alone, since the port it announces is not the one it connects from.
type judged struct {
	mu       sync.Mutex
	verdicts map[netip.Addr]swarm.Verdict
}

// judgedMost bounds the addresses of one torrent. More are not taken: it is liars that come in such numbers.
const judgedMost = 4096

func (j *judged) note(addr netip.Addr, v swarm.Verdict) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v == swarm.Unknown {
		delete(j.verdicts, addr)
		return
	}
	if j.verdicts == nil {
		j.verdicts = map[netip.Addr]swarm.Verdict{}
	}
	if _, known := j.verdicts[addr]; known || len(j.verdicts) < judgedMost {
		j.verdicts[addr] = v
	}
}

func (j *judged) of(addr netip.Addr) swarm.Verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.verdicts[addr]
}

// judgedBy returns the function that a swarm tells its verdicts. A peer that announced already, and said where it listens, is told
// of as it deserves from now on; the others when they announce next.
func (t *torrent) judgedBy(h metainfo.InfoHash, store *peerstore.Store) func(netip.AddrPort, swarm.Verdict) {
	return func(addr netip.AddrPort, v swarm.Verdict) {
		t.judged.note(addr.Addr(), v)
		if store != nil && addr.Port() != 0 {
			store.Prefer(h, addr, preferences[v])
		}
	}
}

var preferences = [...]tracker.Preference{
	swarm.Unknown: tracker.Neutral, swarm.Holder: tracker.Audited, swarm.Liar: tracker.Liar,
}

// withoutLiars takes the peers at addresses of liars out of an answer, if it has others.
func (j *judged) withoutLiars(res *tracker.AnnounceResponse) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.verdicts) == 0 {
		return
	}
	four := j.cut(nil, res.Peers4, 6, func(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) })
	six := j.cut(nil, res.Peers6, 18, func(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)).Unmap() })
	if len(four)+len(six) > 0 {
		res.Peers4, res.Peers6 = append(res.Peers4[:0], four...), append(res.Peers6[:0], six...)
	}
}

// cut appends to dst the peers, of so many bytes each, that are no liars.
func (j *judged) cut(dst, peers []byte, size int, addr func([]byte) netip.Addr) []byte {
	for ; len(peers) >= size; peers = peers[size:] {
		if j.verdicts[addr(peers)] != swarm.Liar {
			dst = append(dst, peers[:size]...)
		}
	}
	return dst
}
