package swarm

import (
	"fmt"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// audits says who claims to be complete, what became of asking them, and what it means for the rate; nothing if nobody does.
func (st Status) audits() []string {
	a := &st.Picker.Audits
	if a.Claims == 0 {
		return nil
	}
	var parts []string
	for _, of := range []struct {
		n    int
		what string
	}{
		{a.Right, "sent the blocks we asked for"},
		{a.Asking, "being asked"},
		{a.Choked, "asked, waiting for a slot"},
		{a.Silent, "asked, without an answer"},
		{a.Wrong, "sent other bytes"},
		{a.Claims - a.Right - a.Asking - a.Choked - a.Silent - a.Wrong, "not asked yet"},
	} {
		if of.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", of.n, of.what))
		}
	}
	said := fmt.Sprintf("%s to have what we did not give them: %s.", peersClaim(a.Claims), strings.Join(parts, ", "))
	switch {
	case a.Right == a.Claims:
		said += " Their copies count, and the rate falls with them."
	case a.Right == 0:
		said += " None of that counts: the rate does not fall for it."
	default:
		said += fmt.Sprintf(" The rate falls with the %d, and not with the others.", a.Right)
	}
	return []string{said, fmt.Sprintf("Audits have fetched %s; they may take a hundredth of what is sent.", size(a.Fetched))}
}

func peersClaim(n int) string {
	if n == 1 {
		return "1 peer claims"
	}
	return fmt.Sprintf("%d peers claim", n)
}

// audited says what p was asked to show and what it answered; nothing if it was not asked.
func (p PeerStatus) audited() string {
	a := &p.Audit
	switch a.State {
	case piecepicker.AuditRight:
		return fmt.Sprintf("sent %s we asked for, so its word counts for %v more", count(a.Right, "right block"), a.Holds.Round(time.Minute))
	case piecepicker.AuditWrong:
		return "sent bytes that are not the torrent's, and is banned for a week"
	case piecepicker.AuditChoked:
		if a.Weak > 0 {
			return fmt.Sprintf("chokes us, and sent %s of those it lets anybody have: no verdict", count(a.Weak, "right block"))
		}
		return "chokes us, so that we cannot ask it to show what it has: no verdict"
	case piecepicker.AuditSilent:
		return fmt.Sprintf("did not answer %d of %s: no verdict", a.Silent, count(a.Asked, "request"))
	case piecepicker.AuditAsking:
		return fmt.Sprintf("is being asked to show what it has, and sent %s so far", count(a.Right, "right block"))
	}
	return ""
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
