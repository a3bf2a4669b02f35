package catalog

import (
	"context"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// Version is one state of a file or unit that was hashed: what the [Store] has
// of it, and what is only of interest while it is seeded. The info dict is not
// in it: there may be a hundred thousand of them, and next to nobody asks for
// more than a few. The Store got it. A Version is not modified after it was
// given to a [Publisher].
type Version struct {
	Record

	// Members are the files of a unit in the torrent's order, each with the
	// stamp it had when it was hashed. Empty ones are among them. Of a file it
	// is nil: see Files.
	Members []FileStamp

	// Policies are the Rules.Policy of the directories above, and of a unit
	// its own, the outermost first; those without any are left out. They are as
	// of the moment when the Publisher is told: what is written later counts
	// from the next time on.
	Policies []map[string]any
}

// Files returns the files in the torrent's order: the members, or of a file
// that file alone. The caller must not change them.
func (v *Version) Files() []FileStamp {
	if v.Unit {
		return v.Members
	}
	return []FileStamp{{Path: v.Path, Stamp: v.Stamp}}
}

// FileStamp is one file of a [Version].
type FileStamp struct {
	// Path is below the root, with slashes.
	Path string
	// Stamp is what fstat said before and after hashing. Its Size is the bytes
	// the file has in the torrent.
	Stamp Stamp
}

// Publisher seeds what the catalog tells it to. Its methods are called by one
// goroutine of [Catalog.Run], one at a time and in order. They may block: that
// delays the calls behind them and nothing else. They may call every method of
// the Catalog except Run and Close. None is called after Run has returned, and
// the end of Run retires nothing.
//
// For one infohash the calls are: Publish, then any number of Pause and Resume,
// then Retire, then perhaps Publish again. Not every Pause is followed by a
// Resume. A Publish or Resume that failed is tried again after a while; after a
// failed Publish neither Pause nor Retire is called for it.
type Publisher interface {
	// Publish starts to seed v, which is not seeded now. Once it has returned
	// nil the catalog shows the entry as published.
	Publish(v *Version) error
	// Pause says that the bytes are being checked again: not one may be sent
	// until Resume. The catalog knows of no bytes that are good.
	Pause(h metainfo.InfoHash)
	// Resume says that v is the torrent's content from now on. It has the
	// InfoHash of the Version before, with other stamps and perhaps at another
	// path. It also comes without a Pause before it, when one of several equal
	// files went and another takes over. If it fails, the torrent is to be
	// paused.
	Resume(v *Version) error
	// Retire ends the torrent. The reason is for people: "removed", "changed".
	Retire(h metainfo.InfoHash, reason string)
}

// Store remembers versions across restarts. Its methods may block. Load is
// called once, before all others. Write is called by one goroutine of
// [Catalog.Run]; the two for checkpoints by the hash workers, several at once
// and at the same time as Write. The Store does not keep slices it is given.
type Store interface {
	// Load returns every version that was saved and not retired, in any order.
	// Its error ends Run.
	Load(ctx context.Context) ([]Record, error)
	// Write stores the changes in their order, best in one transaction. After
	// an error the catalog says so once, goes on, and hands over the same changes
	// again with those that came meanwhile: some of them may be stored by then.
	// The price of those that are never taken is that files are hashed again
	// after a restart.
	Write(ctx context.Context, changes []Change) error
	// Checkpoint returns the latest checkpoint of path, or the zero Checkpoint
	// if there is none.
	Checkpoint(ctx context.Context, path string) (Checkpoint, error)
	// SaveCheckpoint stores c in place of an earlier one of the same path. It
	// may be forgotten when a version of the path is saved or retired.
	SaveCheckpoint(ctx context.Context, c Checkpoint) error
}

// Record is a [Version] as a [Store] keeps it.
type Record struct {
	// Path is the file's or unit's path below the root, with slashes; "" when
	// the root itself is a unit.
	Path string
	// Name is the name in the info dict: what was the last element of Path when
	// it was hashed.
	Name string
	// Stamp is the file's. A unit's has the device and inode of the directory
	// and the sum of the sizes; its ModTime and ChangeTime are no times but
	// digests of its files' paths and stamps. Any int64 can occur.
	Stamp Stamp
	// PieceLength is in bytes.
	PieceLength int64
	// InfoHash is that of the torrent.
	InfoHash metainfo.InfoHash
	// Unit says that Path is a directory, all of it one torrent.
	Unit bool
	// Private says that the torrent has the private flag (BEP 27).
	Private bool
	// Published is when these bytes were first published.
	Published time.Time
}

// Length returns the bytes of the torrent.
func (r *Record) Length() int64 { return r.Stamp.Size }

// NumPieces returns how many pieces the torrent has.
func (r *Record) NumPieces() int {
	if r.PieceLength <= 0 {
		return 0
	}
	return int((r.Stamp.Size + r.PieceLength - 1) / r.PieceLength)
}

// Change is one thing for a [Store] to remember.
type Change struct {
	// Retired is empty for a version to save. Otherwise it is the reason why
	// the version Record.InfoHash of Record.Path is retired; of the Record then
	// only Path, Unit and InfoHash are set.
	Retired string
	// From is the path under which this file was saved before, if it was
	// renamed within the tree since: its entry goes on under Record.Path. An
	// entry that was at Record.Path stays behind as history. Else it is empty.
	From string
	// Record is the version. Saving one with the Path and InfoHash of a live
	// version replaces that version's Stamp and Published.
	Record Record
	// Info is the raw info dict of a version to save. Nobody else keeps it.
	Info []byte
	// At is when it happened.
	At time.Time
}

// Checkpoint is how far the hashing of one file or unit got.
type Checkpoint struct {
	Path        string
	Stamp       Stamp  // as in Record
	PieceLength int64  // bytes
	Hashes      []byte // 20 bytes for each leading piece
}

// forgetful is the Store of a catalog without one.
type forgetful struct{}

func (forgetful) Load(context.Context) ([]Record, error)                 { return nil, nil }
func (forgetful) Write(context.Context, []Change) error                  { return nil }
func (forgetful) Checkpoint(context.Context, string) (Checkpoint, error) { return Checkpoint{}, nil }
func (forgetful) SaveCheckpoint(context.Context, Checkpoint) error       { return nil }
