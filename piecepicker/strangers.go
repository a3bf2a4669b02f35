package piecepicker

// Anybody can come from ten thousand addresses, take the first pieces at each and be gone. So strangers, who have not passed
// anything on yet, stand in a line of their own: while others have room in their windows, one piece in strangersTurn goes there, and
// while anything is on its way to others, strangersPart of the picker's window. What they leave lying comes back in seconds; so where some
// do, the last that is needed is for others, who otherwise would wait for it.
const (
	strangersTurn = 16 // one needed piece in so many goes to strangers while others could take it
	strangersPart = 5  // one byte on its way in so many is theirs, and two pieces
)

// setStranger notes whether q is good and has not passed anything on yet.
func (p *Picker) setStranger(q *peer, stranger bool) {
	if stranger == q.stranger {
		return
	}
	if q.stranger = stranger; stranger {
		p.strangeFlight += q.inFlight
	} else {
		p.strangeFlight -= q.inFlight
	}
}

// nextLine returns the one of the lines for what is needed whose first is next.
func (p *Picker) nextLine() *queue {
	known, strange := &p.queues[needQueue], &p.queues[strangerQueue]
	switch {
	case len(strange.items) == 0 || p.strangersWait():
		return known
	case len(known.items) == 0:
		return strange
	}
	room := 1e6 * float64(rankProven) // below it
	first, stranger := known.items[0].key, strange.items[0].key
	switch {
	case first < room && (p.inRow < strangersTurn-1 || p.scarce()):
		return known
	case first < room && stranger < room || stranger < first:
		return strange
	}
	return known
}

// strangersWait reports whether what is on its way to strangers leaves too little of the line for others.
func (p *Picker) strangersWait() bool {
	part := max(2*p.cfg.PieceLength, p.windowSize()/strangersPart)
	return p.knownOnly || p.inFlight > p.strangeFlight && (p.strangeFlight+p.cfg.PieceLength > part || p.scarce())
}

// scarce reports whether a stranger did not ask of late for what it was lent, and no more is needed than the line carries until such a one
// is found out, in which time others were lent something: what a stranger is lent now would be missed by them.
func (p *Picker) scarce() bool {
	return p.now < p.wasted && p.now-p.lentKnown < blockedAfter &&
		float64(int64(p.needed())*p.cfg.PieceLength) <= p.line()*blockedAfter.Seconds()
}

// knownWait reports whether somebody who is no stranger has room in its window.
func (p *Picker) knownWait() bool {
	known := p.queues[needQueue].items
	return len(known) > 0 && known[0].key < 1e6*rankProven
}

// queuedForNeed reports whether q stands in one of the lines for what is needed.
func (p *Picker) queuedForNeed(q *peer) bool {
	return p.queues[needQueue].has(q) || p.queues[strangerQueue].has(q)
}
