// Package ledger remembers what was published and how many bytes it cost. It is
// the only opener of state.db.
//
// Its nouns: a [File] is an entry that keeps its id, and with it its history,
// when the file is renamed. A [Version] is what was published under that entry
// from one moment on: an infohash and the stamps the files had. It is live until
// it is retired. [Counts] are what an entry cost in a span of time, and what it
// saved: bytes sent by [Class], completed downloads, peers. A [Reader] answers
// questions about them. A [Checkpoint] lets hashing go on after a restart. A
// [Picker] is the state of the piece picker for one torrent, opaque here. The
// torrents themselves lie beside the database as torrents/INFOHASH.torrent.
//
// # What is counted
//
// [Ledger.AddBytes], [Ledger.AddCompleted] and [Ledger.AddPeer] add to a row of
// the day in UTC, one of the month and one of all time, each for the entry and
// for everything together; so no question has to add up more rows than it
// returns. [Counts.Saved] says what BitTorrent spared: the sizes of the completed
// downloads less what was sent for them. Addresses of peers are not kept, not
// even for a day; see [Ledger.AddPeer].
//
// # What survives
//
// The database is SQLite with a write-ahead log and synchronous=FULL: when a
// method that changes something returns nil, the change survives kill -9 and the
// loss of power. Every call is one transaction and one sync of the disk, so many
// things published together should be one call ([Ledger.AddVersions],
// [Ledger.WriteTorrents]). What is counted is the exception: it is kept in
// memory, written every two seconds by [Ledger.Run] and once more by
// [Ledger.Close], and kill -9 loses those two seconds.
//
// Write a torrent before the version that names it, and remove it after the
// version is retired; then no live version lacks its torrent.
//
// # Damage
//
// A database that cannot be read is left as it is and reported as a
// [DamagedError]; [Rebuild] moves it aside. One written by a newer program is
// refused with a [NewerError]. A directory in use by another process is refused
// with a [LockedError].
//
// # Limitations
//
// Changes are made one after the other, and reading takes a few milliseconds for
// each ten thousand entries; nothing here belongs on the path of a block or an
// announce, except the methods that count, which touch memory only. The lock is
// advisory and does not reach across network file systems that do not support
// it.
package ledger
