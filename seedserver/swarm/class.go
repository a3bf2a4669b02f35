package swarm

import "fmt"

// A Class is what payload bytes are sent for.
type Class uint8

const (
	// Plain: an ordinary seed gave what it was asked for.
	Plain Class = iota
	// Need: nobody else has the piece or passes it on, or there is nobody else.
	Need
	// Rescue: the peer got nothing from the swarm for a long time.
	Rescue
	// Assist: everything is out, and the throttle left something to speed the swarm up with.
	Assist
)

// Classes is how many classes there are: an array of this length can be indexed by Class.
const Classes = int(Assist) + 1

var classNames = [Classes]string{"plain", "need", "rescue", "assist"}

// String returns the name of the class: "plain", "need", "rescue" or "assist".
func (c Class) String() string {
	if int(c) < Classes {
		return classNames[c]
	}
	return fmt.Sprintf("unknown(%d)", uint8(c))
}
