package piecepicker

import "time"

// An AuditState is how far a peer is with showing what it claims.
type AuditState uint8

const (
	// NotAsked: there is no reason to, or no chance yet.
	NotAsked AuditState = iota
	// AuditChoked: we are interested, and it chokes us. A seed with better customers does, and who has nothing.
	AuditChoked
	// AuditAsking: it answers us, and owes a block or will be asked for the next one in a moment.
	AuditAsking
	// AuditSilent: it did not answer the last time. It will be asked again.
	AuditSilent
	// AuditRight: it sent the blocks it was asked for. What it says counts for now.
	AuditRight
	// AuditWrong: it sent bytes that are not ours.
	AuditWrong
)

var auditNames = [...]string{"not-asked", "choked", "asking", "silent", "right", "wrong"}

// String returns the name of the state in lower case with dashes, such as "not-asked".
func (s AuditState) String() string { return name(auditNames[:], s) }

// An AuditStatus is what a peer was asked to show, and what it answered.
type AuditStatus struct {
	State  AuditState
	Asked  int           // blocks it was asked for, in all its connections of the last hours
	Right  int           // blocks of those that came and were right
	Weak   int           // right ones that it gave though it choked us: it chose the pieces
	Silent int           // blocks that did not come
	Holds  time.Duration // for how long its word counts still
}

func (p *Picker) auditStatus(q *peer) AuditStatus {
	a := q.audit
	s := AuditStatus{Asked: a.count.asked, Right: a.count.right, Weak: a.count.weak, Silent: a.count.silent, Holds: max(0, q.audited-p.now)}
	switch {
	case q.auditFail:
		s.State = AuditWrong
	case q.audited > p.now:
		s.State = AuditRight
	case a.silent > 0:
		s.State = AuditSilent
	case a.interested && a.open:
		s.State = AuditAsking
	case a.interested:
		s.State = AuditChoked
	}
	return s
}

// Audits are what the audits of all connected peers amount to.
type Audits struct {
	Claims  int   // peers that say they have everything, or what cannot be from us
	Right   int   // of those, peers that showed it: their word counts
	Choked  int   // peers that we wait for to unchoke us
	Asking  int   // peers that are answering
	Silent  int   // peers that did not answer
	Wrong   int   // peers that sent other bytes; they are let go at once
	Fetched int64 // bytes that were fetched to see, since the picker was made
}

func (s *Audits) add(p *Picker, q *peer) {
	if !q.claimant() && q.audited <= p.now && !q.auditFail {
		return
	}
	s.Claims++
	switch p.auditStatus(q).State {
	case AuditRight:
		s.Right++
	case AuditChoked:
		s.Choked++
	case AuditAsking:
		s.Asking++
	case AuditSilent:
		s.Silent++
	case AuditWrong:
		s.Wrong++
	}
}
