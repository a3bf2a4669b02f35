package catalog

import (
	"fmt"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// State is how far a file or unit is on its way to being seeded.
type State uint8

const (
	// Settling is still being written, or was a moment ago.
	Settling State = iota
	// Hashing is complete; it is being hashed, waits for its turn, or waits for
	// the Publisher.
	Hashing
	// Published has a torrent.
	Published
	// Empty is a file of no bytes, or a unit of none. It has no torrent.
	Empty
	// LeftOut is not published, for the reason in Entry.Reason.
	LeftOut
	// Temporary has a name that programs give to unfinished files.
	Temporary
	// Failed could not be read or published. It is tried again by itself.
	Failed
	// Directory is one that is neither a unit nor left out.
	Directory

	numStates
)

var stateNames = [numStates]string{"settling", "hashing", "published", "empty", "left out", "temporary", "failed", "directory"}

// String returns the state in a word or two of lower case.
func (s State) String() string {
	if s < numStates {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Entry is what the catalog knows about one path: a copy, the caller's own.
type Entry struct {
	// Path is below the root, with slashes; "" is the root. Name is its last
	// element, any bytes but slash and NUL, and "" for the root.
	Path, Name string
	// Dir says that it is a directory, Unit that the directory is one torrent.
	Dir, Unit bool
	// In is the path of the unit that the entry is inside of, if InUnit.
	In     string
	InUnit bool
	// Hidden says that it is junk or its name starts with a dot: listings for
	// people leave it away.
	Hidden bool

	// Description is what a .seedserver.toml says about it: that in a directory
	// itself goes before that in the directory around it.
	Description Description

	// Size is in bytes; of a directory, of the files below it that are not left
	// out.
	Size int64
	// Files is how many such files are below a directory.
	Files int
	// ModTime is the modification time.
	ModTime time.Time

	// State of an entry inside a unit is the unit's, unless it is left out.
	State State
	// Progress is the part of the hashing that is done, 0 to 1.
	Progress float64
	// Reason tells a person why, in a few words of lower case. It may be empty.
	Reason string
	// Until is when the State is looked at again, if that is known: not before
	// then is a settling entry published.
	Until time.Time
	// InfoHash is that of the torrent when State is Published, else zero.
	InfoHash metainfo.InfoHash
	// Private says that the torrent has the private flag (BEP 27).
	Private bool
}

// Describe returns the state for people: "hashing 42 %", "left out: symbolic
// link".
func (e Entry) Describe() string {
	switch {
	case e.State == Hashing && e.Reason == "":
		return fmt.Sprintf("hashing %d %%", int(e.Progress*100))
	case e.Reason != "":
		return e.State.String() + ": " + e.Reason
	}
	return e.State.String()
}

// Totals counts the catalog.
type Totals struct {
	// Scanned says that the whole tree has been seen once.
	Scanned bool
	// Files and Bytes are of the files that are not left out; Directories
	// counts those that are not left out, the root included.
	Files       int
	Bytes       int64
	Directories int
	// States counts files and units by State; files inside a unit are not
	// counted, except those left out.
	States [numStates]int
	// Torrents counts different infohashes that are published.
	Torrents int
	// Queue is how many files and units wait for their hashing or are in it,
	// QueueBytes how many bytes of them are still to be read.
	Queue      int
	QueueBytes int64
}

// Count returns how many files and units are in state s.
func (t Totals) Count(s State) int {
	if s < numStates {
		return t.States[s]
	}
	return 0
}
