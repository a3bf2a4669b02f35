package web

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// ErrUnavailable says that content is for the moment not as published. The
// methods of a Source wrap it; the client gets 503 and may ask again.
var ErrUnavailable = errors.New("web: content is not available now")

// BusyError says that content may be had later: the client gets 503 with
// Retry-After. The methods of a Source wrap it.
type BusyError struct {
	RetryAfter time.Duration
	Reason     string // for people, in sentences
}

// Error returns the reason.
func (e *BusyError) Error() string { return "web: busy: " + e.Reason }

// Source is what a [Handler] serves. Its methods are called by many goroutines
// at once, and none but Torrent and Open may wait for a disk.
//
// A path has no slash at either end and none doubled, no element that starts
// with a dot and no NUL or backslash; "" is the root.
type Source interface {
	// Lookup returns what is known about path. The root is always known.
	Lookup(path string) (Entry, bool)

	// List returns what is directly in the directory dir, in any order, left
	// out files included, and reports whether there is such a directory. The
	// slice is the caller's to sort.
	List(dir string) ([]Entry, bool)

	// Torrent returns the torrent of e, a published file or unit, for a client
	// that came by v. The Handler does not change the bytes. Errors are those
	// of Open.
	Torrent(ctx context.Context, e Entry, v Via) ([]byte, error)

	// Magnet returns the magnet link of e, a published file or unit, for a
	// client that came by v. It is called for each row of an index. Without an
	// infohash there is none, as for a private torrent.
	Magnet(e Entry, v Via) metainfo.Magnet

	// Open opens the content of e, a published or empty file, which may be
	// inside a unit. The reader gives exactly the e.Size bytes that were
	// published under e.InfoHash, at the pace the Source wishes, or an error
	// and no byte more. Errors that match [fs.ErrNotExist] get 404, those that
	// match [ErrUnavailable] or are a [*BusyError] 503, all others 500. The Handler closes it.
	Open(ctx context.Context, e Entry) (io.ReadSeekCloser, error)

	// Demand says that somebody asked for path, which is settling or hashing:
	// it goes to the head of the hash queue.
	Demand(path string)
}

// State is how far a file or a unit is on its way to being seeded.
type State uint8

const (
	// Settling is still being written, or was a moment ago.
	Settling State = iota
	// Hashing is complete; its torrent is being made or waits for its turn.
	Hashing
	// Published has a torrent.
	Published
	// Empty is a file of no bytes. It is served plainly and has no torrent.
	Empty
	// LeftOut is listed but not served, for the reason in Entry.Reason.
	LeftOut
)

var stateNames = [...]string{"settling", "hashing", "published", "empty", "left out"}

// String returns the word that the JSON and plain text forms of the index use.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Entry is what a [Source] knows about one file or directory.
type Entry struct {
	// Path is the path from the root; Name its last element, any bytes but
	// slash and NUL.
	Path, Name string
	// Dir says that it is a directory, Unit that the directory is one torrent.
	Dir, Unit bool
	// In is the path of the unit that the entry is inside of, or empty.
	In string
	// Size is in bytes; of a directory, of all files below it, 0 if not known.
	Size int64
	// Files is the number of files below a directory, 0 if not known.
	Files int
	// ModTime is zero if not known.
	ModTime time.Time

	// Title and Description are what people are told about it: plain text, or
	// empty.
	Title, Description string
	// Published is when its present content was first published, zero if that
	// is not known.
	Published time.Time

	// State of a directory that is no unit matters only when it is LeftOut; of
	// what is inside a unit, the state of the unit counts.
	State State
	// Progress is the part of the hashing that is done, 0 to 1.
	Progress float64
	// Wait is the time until it is published as far as can be said, or 0.
	Wait time.Duration
	// Reason tells a person why the state is what it is, in a few words in
	// lower case: "symbolic link", "third in the queue". It may be empty.
	Reason string
	// InfoHash is that of the published torrent; for a file inside a unit, of
	// the unit's.
	InfoHash metainfo.InfoHash
	// Private says that the torrent is private (BEP 27).
	Private bool
	// Peers counts the swarm.
	Peers Peers

	// Large overrides Config.Large for this file.
	Large Large
}

// Peers counts a swarm, ours not included.
type Peers struct {
	// Known says that the numbers of seeds, leechers and downloads mean
	// something.
	Known bool
	// Seeds and Leechers are there now; Completed counts finished downloads.
	Seeds, Leechers, Completed int
	// Copies is how many copies of the content others hold together, 0 if not
	// known.
	Copies float64
}

// Via is the way one request came. The torrent and the magnet link depend on
// it, because it says which addresses of ours the client can reach.
type Via struct {
	// URL is where the client found us, without a slash at the end:
	// "http://files.example:8080". It is Config.URL, or made of the Host of
	// the request, or of the local address of its connection when Host is no
	// valid one. It is empty if even that is not known. The announce URL is
	// URL + "/announce".
	URL string
	// Local is our end of the connection, invalid if not known.
	Local netip.AddrPort
	// Client is the client's address, as a trusted proxy tells it when there
	// is one; invalid if not known.
	Client netip.Addr
	// Proxied says that the request came through a trusted proxy: Local is
	// then an address between the proxy and us.
	Proxied bool
}
