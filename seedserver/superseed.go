package seedserver

import (
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// superseed makes cfg reveal its pieces one by one, unless the mode is plain. Below the limit of the torrent there is one for each
// class.
func (ts *torrents) superseed(cfg *swarm.Config, limit *budget.Node) {
	mode := ts.cfg.mode()
	if mode == ModePlain {
		return
	}
	for _, class := range []swarm.Class{swarm.Need, swarm.Rescue, swarm.Assist} {
		cfg.ClassLimiters[class] = budget.New(limit, 0)
	}
	cfg.Superseed = &swarm.Superseed{Mode: pickerModes[mode], MaxRate: ts.maxRate()}
}

// maxRate returns what one torrent may send, in bytes per second; 0 is unlimited.
func (ts *torrents) maxRate() int64 {
	all, each := ts.limit.Rate(), ts.rate()
	if all == 0 || each != 0 && each < all {
		return each
	}
	return all
}
