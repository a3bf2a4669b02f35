package seedserver

import (
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// needWeight is how many times as much of a limit that torrents share goes to one that has what nobody else has, as to one that is only
// helped along, or seeded plainly.
const needWeight = 4

// superseed makes cfg, of v, reveal its pieces one by one, unless the mode is plain. Below the limit of the torrent there is one
// for each class.
func (ts *torrents) superseed(cfg *swarm.Config, v *catalog.Version, limit *budget.Node) {
	mode := ts.modeOf(v)
	if mode == ModePlain {
		return
	}
	for _, class := range []swarm.Class{swarm.Need, swarm.Rescue, swarm.Assist} {
		node := budget.New(limit, 0)
		if class == swarm.Need {
			node.SetWeight(needWeight)
		}
		cfg.ClassLimiters[class] = ts.account.Limiter(budgetLanes[class], node)
	}
	cfg.Superseed = &swarm.Superseed{Mode: pickerModes[mode], State: ts.pickers.take(v.InfoHash)}
}

// modeOf returns how v is seeded: as the outermost directory says that says anything, else as the server does. A directory below
// can only ask for less to be sent.
func (ts *torrents) modeOf(v *catalog.Version) Mode {
	mode, said := ts.cfg.mode(), false
	for _, policy := range v.Policies {
		value, ok := policy["mode"]
		if !ok {
			continue
		}
		name, _ := value.(string)
		m, err := ParseMode(name)
		switch {
		case err != nil:
			ts.log.Warn("a .seedserver.toml has a mode that there is not; it is ignored", "path", v.Path, "err", err)
		case !said:
			mode, said = m, true
		case m.frugality() < mode.frugality():
			mode = m
		}
	}
	return mode
}

// maxRate returns what one torrent may send, in bytes per second; 0 is unlimited. ts.mu is held.
func (ts *torrents) maxRate() int64 {
	all, each := ts.limit.Rate(), ts.perTorrent
	if all == 0 || each != 0 && each < all {
		return each
	}
	return all
}

// setRate bounds each torrent, present and future, in bytes per second; 0 is unlimited. It is called too when what all of them
// together may send has changed.
func (ts *torrents) setRate(bytesPerSecond int64) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.perTorrent = bytesPerSecond
	for _, t := range ts.live {
		if s := t.awake.Load(); s != nil {
			ts.bound(s)
		}
	}
}

// bound gives s the limits in force. ts.mu is held.
func (ts *torrents) bound(s *seeding) {
	s.limit.SetRate(ts.perTorrent)
	s.swarm.SetLimits(piecepicker.Limits{MaxRate: ts.maxRate()})
}

// ledgerClasses is under what the ledger counts what swarms send.
var ledgerClasses = [swarm.Classes]ledger.Class{
	swarm.Plain: ledger.ClassPlain, swarm.Need: ledger.ClassNeed, swarm.Rescue: ledger.ClassRescue, swarm.Assist: ledger.ClassAssist,
}
