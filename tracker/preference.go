package tracker

// Preference is how a peer is told of to others, beyond chance. It comes from
// those who know more of the peer than its announces, such as who has audited
// it.
type Preference uint8

const (
	Neutral Preference = iota // like any other
	Audited                   // was seen to hold what it says, or to take pieces: it comes first
	Liar                      // was seen not to: nobody is told of it
	Own                       // our own seed, spared: it comes last
)
