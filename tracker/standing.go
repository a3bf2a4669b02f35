package tracker

// Standing is what a tracker knows about a peer from the announces of its
// present session. The zero Standing is that of a peer never heard of.
type Standing uint8

const (
	// Complete: by its last word about "left", it lacks nothing.
	Complete Standing = 1 << iota
	// Leeched: it has announced left > 0 in this session.
	Leeched
	// Finished: its download ended in this session. It has sent "completed", or
	// lacked something and lacks nothing now: aria2 that ends with its download
	// sends "stopped" with left=0, and no "completed".
	Finished
	// Paused: its last announce said that it is a partial seed (BEP 21).
	Paused
)

// After returns the standing after one more announce with this event and this
// number of bytes left, negative if the client did not say.
//
// "started" begins a new session, of which nothing is known. A peer that never
// said what it lacks is taken for a leech. "completed" together with left > 0
// contradicts itself: the number is believed.
func (s Standing) After(event Event, left int64) Standing {
	if event == EventStarted {
		s = 0
	}
	s &^= Paused
	switch {
	case left > 0:
		s = s&^Complete | Leeched
	case event == EventCompleted:
		s |= Complete | Finished
	case left == 0:
		s |= Complete
		if s&Leeched != 0 {
			s |= Finished
		}
	}
	if event == EventPaused {
		s |= Paused
	}
	return s
}

// Seed reports whether the peer counts as complete.
func (s Standing) Seed() bool { return s&Complete != 0 }

// Downloader reports whether the peer counts among the downloaders: it lacks
// something and is not a partial seed (BEP 21).
func (s Standing) Downloader() bool { return s&(Complete|Paused) == 0 }

// WantsSeeds reports whether the peer is to be told of seeds. A seed has no use
// for them, but left=0 does not prove a seed: aria2 announces it, too, before
// it has the metadata of a magnet link, and would find nobody to get it from.
// So seeds are withheld only from a peer whose download was seen to end.
func (s Standing) WantsSeeds() bool {
	return s&Complete == 0 || s&Finished == 0
}
