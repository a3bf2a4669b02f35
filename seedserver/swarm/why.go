package swarm

import (
	"fmt"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// Why says in sentences what is done for the torrent at the moment, and why: how fast, what is needed, who has what on loan.
func (st Status) Why() []string {
	if !st.Revealing {
		return []string{"It is seeded plainly: every peer sees every piece, and whoever asks is served within the limits."}
	}
	said := []string{st.stage()}
	if st.Picker.Stage == piecepicker.Waiting && len(st.Peers) == 0 {
		return said
	}
	said = append(said, st.copies(), st.throttle())
	said = append(said, st.need()...)
	said = append(said, st.audits()...)
	said = append(said, st.trust()...)
	for _, p := range st.Peers {
		if s := p.why(); s != "" {
			said = append(said, s)
		}
	}
	return said
}

func (st Status) stage() string {
	s := &st.Picker
	switch s.Stage {
	case piecepicker.Waiting:
		return "Nobody is connected who lacks anything: there is nothing to do."
	case piecepicker.Spreading:
		return "Pieces are needed, and are sent as fast as the limits allow."
	case piecepicker.Holding:
		return fmt.Sprintf("The last %s are held until the slow peers have nearly all of what is out: so nobody leaves with the whole "+
			"before the swarm can keep itself.", count(s.Held, "piece"))
	case piecepicker.Sleeping:
		return "Several verified copies are out, so nothing is sent. Any need ends that at once."
	}
	if s.Carried {
		return "Seeds that have shown it carry the torrent, and its leeches get it from them: next to nothing is sent. Any need ends that " +
			"at once."
	}
	return "Everything is out. What is still sent speeds the swarm up, as far as the throttle allows."
}

func (st Status) copies() string {
	s := &st.Picker
	sentence := fmt.Sprintf("%.2f copies are believed to be with %s", s.Availability, count(s.Believed, "connected peer"))
	if s.Unsent > 0 {
		sentence += fmt.Sprintf("; %s never left us", count(s.Unsent, "piece"))
	}
	return sentence + fmt.Sprintf(". We sent %.2f copies since the start.", s.Copies)
}

func (st Status) throttle() string {
	r := st.Picker.Rates
	law := map[piecepicker.Mode]string{
		piecepicker.Conservative: "halves with each further copy", piecepicker.Balanced: "halves with every four further copies",
		piecepicker.Generous: "never falls",
	}[st.Mode]
	return fmt.Sprintf("In %v mode the rate of assistance %s: now it is %s. What is needed may have %s, peers in distress that passed "+
		"nothing on %s.", st.Mode, law, perSecond(r.Assist), perSecond(r.Need), perSecond(r.Rescue))
}

func (st Status) need() []string {
	s := &st.Picker
	if s.Needed == 0 {
		if s.OnLoan > 0 {
			return []string{fmt.Sprintf("Nothing else is needed: %s on loan.", are(s.OnLoan, "piece"))}
		}
		return []string{"Nothing is needed: every piece that somebody lacks has a holder and spreads."}
	}
	said := []string{fmt.Sprintf("%s needed, %d of them because they do not spread.", are(s.Needed, "piece"), s.Stalled)}
	groups := map[piecepicker.Code][]uint32{}
	for _, n := range st.Needed {
		groups[n.PieceStatus.Needed] = append(groups[n.PieceStatus.Needed], n.Index)
	}
	for _, code := range []piecepicker.Code{piecepicker.Unsent, piecepicker.Lost, piecepicker.Stalled} {
		if list := groups[code]; len(list) > 0 {
			said = append(said, fmt.Sprintf("%s: pieces %s.", strings.ToUpper(code.String()[:1])+code.String()[1:], indexes(list)))
		}
	}
	return said
}

func (st Status) trust() []string {
	var said []string
	if n := st.Picker.Hoarders; n > 0 {
		said = append(said, fmt.Sprintf("%s took pieces that nobody got from them: they are served last, and do not count as holders.",
			count(n, "peer")))
	}
	if n := st.Picker.Liars; n > 0 {
		said = append(said, fmt.Sprintf("%s claim what they cannot have, or sent wrong bytes: they do not count.", count(n, "peer")))
	}
	return said
}

// why returns a sentence about a peer that has something on loan or to pass on, is starving, or was asked to show what it has;
// else nothing.
func (p PeerStatus) why() string {
	var parts []string
	if len(p.OnLoan) > 0 {
		word := "piece"
		if len(p.OnLoan) > 1 {
			word = "pieces"
		}
		parts = append(parts, fmt.Sprintf("has %s %s on loan and takes them at %s", word, indexes(p.OnLoan), perSecond(p.Rate)))
	}
	if p.Awaiting > 0 {
		parts = append(parts, fmt.Sprintf("has %s to pass on, of %d it may have", count(p.Awaiting, "piece"), p.Window))
	}
	if p.Starving >= 30*time.Second {
		parts = append(parts, fmt.Sprintf("got nothing from the swarm for %v", p.Starving.Round(time.Second)))
	}
	if a := p.audited(); a != "" {
		parts = append(parts, a)
	}
	if len(parts) == 0 {
		return ""
	}
	who := p.Addr.String()
	if p.Client != "" {
		who += " (" + p.Client + ")"
	}
	return fmt.Sprintf("%s, %v, %s.", who, p.Trust, strings.Join(parts, ", "))
}

// indexes lists the first of some piece numbers.
func indexes(list []uint32) string {
	const most = 10
	var b strings.Builder
	for i, index := range list {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(list)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", index)
	}
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func are(n int, what string) string {
	if n == 1 {
		return count(n, what) + " is"
	}
	return count(n, what) + " are"
}

// perSecond writes a rate for people.
func perSecond(rate int64) string {
	switch {
	case rate == piecepicker.Unlimited:
		return "any rate"
	case rate <= 0:
		return "nothing"
	case rate >= 1<<20:
		return fmt.Sprintf("%.1f MiB/s", float64(rate)/(1<<20))
	case rate >= 1<<10:
		return fmt.Sprintf("%.1f KiB/s", float64(rate)/(1<<10))
	}
	return fmt.Sprintf("%d B/s", rate)
}
