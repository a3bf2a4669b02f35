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
	claims   claims
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
	if _, known := j.verdicts[addr]; !known && len(j.verdicts) >= judgedMost && !j.forgetPartner() {
		return
	}
	j.verdicts[addr] = v
}

// forgetPartner makes room: partners may have left long ago, and are found again.
func (j *judged) forgetPartner() bool {
	for addr, v := range j.verdicts {
		if v == swarm.Partner {
			delete(j.verdicts, addr)
			return true
		}
	}
	return false
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
	swarm.Unknown: tracker.Neutral, swarm.Holder: tracker.Audited, swarm.Liar: tracker.Liar, swarm.Partner: tracker.Audited,
}

// withoutLiars takes the peers at addresses of liars out of an answer, if it has others, and everybody out of one to a liar.
func (j *judged) withoutLiars(asker netip.Addr, res *tracker.AnnounceResponse) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.verdicts) == 0 {
		return
	}
	if j.verdicts[asker] == swarm.Liar {
		res.Peers4, res.Peers6 = res.Peers4[:0], res.Peers6[:0]
		return
	}
	honest := false
	for p := range res.Peers() {
		honest = honest || j.verdicts[p.Addr().Unmap()] != swarm.Liar
	}
	if honest {
		j.keep(res, func(addr netip.Addr) bool { return j.verdicts[addr] != swarm.Liar })
	}
}
