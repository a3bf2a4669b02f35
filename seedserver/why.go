package seedserver

import (
	"fmt"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// why says in sentences why t is served at the rate it is, the most important first.
func (st *statusSource) why(t *torrent) []string {
	stats := t.stats()
	if status, ok := t.status(); ok && status.Revealing && !stats.Paused {
		return append(status.Why(), st.whyLimits(t)...)
	}
	return append(append([]string{st.whyNow(stats)}, st.whyLimits(t)...), st.whySlots(stats))
}

// whyLimits names the limits that hold for t.
func (st *statusSource) whyLimits(t *torrent) (lines []string) {
	if all := st.s.limit.Rate(); all > 0 {
		lines = append(lines, fmt.Sprintf("All torrents together may send %v (--max-up); %s.", budget.Rate(all), used(st.Status().Rate, all)))
	}
	each := st.s.torrents.eachRate()
	if each > 0 {
		lines = append(lines, fmt.Sprintf("Each torrent may send %v (--max-up-torrent); %s.", budget.Rate(each), used(st.torrent(t).Rate, each)))
	}
	if st.s.limit.Rate() == 0 && each == 0 {
		lines = append(lines, "No limit is set.")
	}
	return append(lines, st.s.whyBudget()...)
}

// used says how much of a limit is.
func used(rate, limit int64) string {
	if part := 100 * rate / limit; part < 90 {
		return fmt.Sprintf("%d %% of that is used", part)
	}
	return "that is what holds it back"
}

// whyNow says what holds the torrent back most.
func (st *statusSource) whyNow(stats swarm.Stats) string {
	waiting := stats.Interested - stats.Unchoked
	switch {
	case stats.Paused:
		return "Nothing is sent: the file has changed or moved and is checked again first."
	case stats.Peers == 0:
		return "Nothing is sent: nobody is connected."
	case stats.Interested == 0:
		return "Nothing is sent: nobody who is connected wants anything."
	case stats.Unchoked == 0:
		return "Nothing is sent: those who want something wait for their turn."
	case waiting > 0:
		return fmt.Sprintf("%s served, %d wait for a slot.", peersAre(stats.Unchoked), waiting)
	}
	return "Everybody who wants something is served."
}

// whySlots says who may request.
func (st *statusSource) whySlots(stats swarm.Stats) string {
	if n := st.s.cfg.UploadSlots; n > 0 {
		return fmt.Sprintf("%d of %d slots are taken (--upload-slots).", stats.Unchoked, n)
	}
	return fmt.Sprintf("%d slots are taken; there are as many as get a useful rate.", stats.Unchoked)
}

func peersAre(n int) string {
	if n == 1 {
		return "One peer is"
	}
	return fmt.Sprintf("%d peers are", n)
}
