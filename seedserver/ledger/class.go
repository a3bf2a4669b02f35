package ledger

import "fmt"

// Class is a kind of traffic: why bytes left.
type Class uint8

// The classes. The first four are blocks sent to peers.
const (
	ClassNeed     Class = iota // blocks that nobody else was known to have
	ClassAssist                // blocks sent to help a swarm that has them along
	ClassRescue                // blocks sent to one peer that the swarm did not serve
	ClassPlain                 // blocks sent by ordinary seeding, to whoever asked
	ClassMetadata              // pieces of the info dict, for magnet links (BEP 9)
	ClassHTTP                  // files sent plainly, to browsers
	ClassWebSeed               // content sent over HTTP to BitTorrent clients (BEP 19)

	// NumClasses is how many classes there are; they count from 0.
	NumClasses = iota
)

var classNames = [NumClasses]string{"need", "assist", "rescue", "plain", "metadata", "http", "webseed"}

// Classes returns all classes, in the order in which tables show them.
func Classes() [NumClasses]Class {
	var all [NumClasses]Class
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// String returns the name of the class, such as "need": columns of the
// database, of CSV and of JSON are called so.
func (c Class) String() string {
	if c >= NumClasses {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	return classNames[c]
}
