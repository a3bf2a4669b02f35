package piecepicker

import (
	"fmt"
	"time"
)

// A Kind says what a [Decision] asks the caller to do.
type Kind uint8

const (
	// KindOffer: send HAVE for Piece to Peer and answer its requests for it.
	KindOffer Kind = iota + 1
	// KindWithdraw: the piece may go to another peer now. Nothing is sent: what was revealed stays revealed, and
	// [Picker.Requested] still allows what the peer asks of it, unless [Picker.TakeBack] was the cause. For logs and pages.
	KindWithdraw
	// KindUnchoke: send UNCHOKE to Peer.
	KindUnchoke
	// KindChoke: send CHOKE to Peer, and drop its unanswered requests (with REJECT where the fast extension is spoken).
	KindChoke
	// KindDrop: close the connection to Peer. Call [Picker.PeerLeft] when it is closed.
	KindDrop
	// KindInterest: send INTERESTED to Peer, which is to show what it claims, or to choose anew whom it unchokes.
	KindInterest
	// KindDisinterest: send NOT INTERESTED to Peer: a slot of its is worth more to others.
	KindDisinterest
	// KindAsk: request Block of Peer, give it half a minute, compare it with ours, and call [Picker.Answered], [Picker.Refused] or
	// [Picker.Unanswered].
	KindAsk
	// KindRemind: send UNCHOKE to Peer once more, after an offer. libtorrent looks for something to ask for when a peer begins to have
	// something that it lacks, and not when it has more of that; one that waits for others with what it was shown is deaf to a HAVE.
	KindRemind
)

// String returns the name of the kind: "offer", "withdraw", "unchoke", "choke", "drop", "interest", "disinterest", "ask" or "remind".
func (k Kind) String() string { return name(kindNames[:], k) }

var kindNames = [...]string{"", "offer", "withdraw", "unchoke", "choke", "drop", "interest", "disinterest", "ask", "remind"}

// A Class is what bytes are sent for. Each class has a rate of its own: see [Rates].
type Class uint8

const (
	// Need: nobody we believe has the piece, or it does not spread, or the only leech of the swarm wants it.
	Need Class = iota + 1
	// Rescue: a leech got nothing from the swarm for a long time.
	Rescue
	// Assist: everything is out; we speed up the peer furthest behind, as the throttle allows.
	Assist
)

// String returns the name of the class: "need", "rescue" or "assist".
func (c Class) String() string { return name(classNames[:], c) }

var classNames = [...]string{"", "need", "rescue", "assist"}

// A Code is the rule that made a decision.
type Code uint8

const (
	// Unsent: no copy of the piece ever left us.
	Unsent Code = iota + 1
	// Lost: the piece was sent, and no connected peer we believe has it.
	Lost
	// Stalled: the piece has few holders and has not spread for Reason.After.
	Stalled
	// Again: the peer was offered the piece before it reconnected.
	Again
	// Alone: the peer is the only leech there is.
	Alone
	// Starving: the swarm gave the peer nothing for Reason.After.
	Starving
	// Stranded: the peer lacks only this piece, and the complete peers that have it did not give it for Reason.After.
	Stranded
	// Harmed: the peer will be complete much later than most, and peers that send junk are about.
	Harmed
	// Behind: the peer has the fewest pieces of all, and the throttle left something.
	Behind
	// NotStarted: the peer did not ask for the offered piece within Reason.After.
	NotStarted
	// Slow: the peer took the piece too slowly for Reason.After.
	Slow
	// Elsewhere: the peer got the offered piece from somebody else.
	Elsewhere
	// Served: the peer has something on offer, and so it is unchoked.
	Served
	// Idle: the peer has had nothing on offer for Reason.After, and so it is choked.
	Idle
	// Unrevealed: the peer asked for what it was not offered, Reason.Count times in a row.
	Unrevealed
	// AuditFailed: the peer sent bytes that are not ours.
	AuditFailed
	// Claims: the peer says that it has pieces, and is asked to show that.
	Claims
	// Rechoke: the peer may have given its upload slots to liars.
	Rechoke
	// Mixed: the peer got blocks of the piece elsewhere, and those may be of liars.
	Mixed
)

// String returns the name of the rule in lower case with dashes, such as "not-started".
func (c Code) String() string { return name(codeNames[:], c) }

var codeNames = [...]string{"", "unsent", "lost", "stalled", "again", "alone", "starving", "stranded", "harmed", "behind", "not-started", "slow",
	"elsewhere", "served", "idle", "unrevealed", "audit-failed", "claims", "rechoke", "mixed"}

func name[E ~uint8](names []string, e E) string {
	if int(e) < len(names) && names[e] != "" {
		return names[e]
	}
	return fmt.Sprintf("unknown(%d)", uint8(e))
}

// A Reason says why a decision was made, with the figures it was made on.
type Reason struct {
	Code    Code
	Holders int           // of the piece: connected peers believed to have it
	Sent    int           // of the piece: whole copies sent so far
	Out     int           // of the peer: pieces on offer to it, or sent and not yet seen elsewhere
	Window  int           // of the peer: how many those may be before others come first
	Count   int           // see the code
	After   time.Duration // see the code
}

// String returns the reason as a clause that can follow the decision and a colon.
func (r Reason) String() string {
	after := r.After.Round(time.Second)
	switch r.Code {
	case Unsent:
		return fmt.Sprintf("it was never sent; the peer has %d of %d pieces out", r.Out, r.Window)
	case Lost:
		return fmt.Sprintf("it was sent %s, and no peer we believe has it is connected", times(r.Sent))
	case Stalled:
		return fmt.Sprintf("its %d holders have not passed it on for %v", r.Holders, after)
	case Again:
		return "it was on offer to this peer before it reconnected"
	case Alone:
		return "the peer is the only leech, so it gets everything"
	case Starving:
		return fmt.Sprintf("the swarm gave the peer nothing for %v", after)
	case Stranded:
		return fmt.Sprintf("the peer lacks only this one, and did not get it of the %d complete peers for %v", r.Holders, after)
	case Harmed:
		return fmt.Sprintf("the peer would be complete %v from now, later than most, and peers that send junk are about", after)
	case Mixed:
		return "others send the peer parts of it, and it would blame us if those are junk"
	case Behind:
		return fmt.Sprintf("the peer has the fewest pieces; %d peers hold this one", r.Holders)
	case NotStarted:
		return fmt.Sprintf("the peer did not ask for it within %v", after)
	case Slow:
		return fmt.Sprintf("the peer was too slow for %v", after)
	case Elsewhere:
		return "the peer got it from somebody else"
	case Served:
		return "something is on offer to it"
	case Idle:
		return fmt.Sprintf("nothing was on offer to it for %v", after)
	case Unrevealed:
		return fmt.Sprintf("it asked %s in a row for what it was not offered", times(r.Count))
	case AuditFailed:
		return "the bytes it sent are not ours"
	case Claims:
		return "it says that it has pieces"
	case Rechoke:
		return "liars may have its upload slots"
	}
	return r.Code.String()
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// A Decision is something for the caller to do. Decisions are carried out in the order they are given: the unchoke that
// belongs to an offer comes before it.
type Decision struct {
	Kind   Kind
	Peer   Peer
	Piece  uint32 // of an offer or withdrawal, or what is asked for
	Class  Class  // of an offer
	Block  Block  // what is asked for
	Reason Reason
}

// String returns the decision as a sentence without its peer's address, which the picker does not show.
func (d Decision) String() string {
	switch d.Kind {
	case KindOffer:
		return fmt.Sprintf("offer piece %d to peer %d (%v): %v", d.Piece, d.Peer, d.Class, d.Reason)
	case KindWithdraw:
		return fmt.Sprintf("withdraw piece %d from peer %d: %v", d.Piece, d.Peer, d.Reason)
	case KindInterest:
		return fmt.Sprintf("show interest in peer %d: %v", d.Peer, d.Reason)
	case KindDisinterest:
		return fmt.Sprintf("show no more interest in peer %d", d.Peer)
	case KindAsk:
		return fmt.Sprintf("ask peer %d for %d bytes of piece %d: %v", d.Peer, d.Block.Length, d.Piece, d.Reason)
	}
	return fmt.Sprintf("%v peer %d: %v", d.Kind, d.Peer, d.Reason)
}
