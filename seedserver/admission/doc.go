// Package admission decides which announces a tracker takes, and how often it wants
// them.
//
// Its nouns: [Networks] are the clients that may announce. A [List] is the
// torrents that are tracked, read from a directory of .torrent files or from a
// file of infohashes. A [Pace] is the interval between announces, which grows
// with the swarms. A [Reach] connects back to clients and finds out whether peers
// could. A [Store] is a store of peers behind all of them; trackers announce to
// it.
//
// # A file of infohashes
//
// One torrent a line: 40 hex digits, then, if there is something to say to its
// users, a word and a text:
//
//	# the releases of this year
//	c12fe1c06bba254a9dc9f519b335aa7c1367a88a
//	d12fe1c06bba254a9dc9f519b335aa7c1367a88b warning there is a newer release
//	e12fe1c06bba254a9dc9f519b335aa7c1367a88c failure withdrawn: see example.org
//
// A warning is shown next to the peers, a failure instead of them. In a directory
// of .torrent files the same lines stand in its file messages.txt.
//
// # Limitations
//
// A client that is reached over TCP counts as reachable, one that only speaks
// µTP does not. All state but that of the list is in memory.
package admission
