// Package ledger remembers what was published and how many bytes it cost. It is
// the only opener of state.db.
//
// Its nouns: a [File] is an entry that keeps its id, and with it its history,
// when the file is renamed. A [Version] is what was published under that entry
// from one moment on: an infohash and the stamps the files had. It is live until
// it is retired. A [Total] is bytes sent for an entry in one class of traffic. A
// [Checkpoint] lets hashing go on after a restart. A [Picker] is the state of the
// piece picker for one torrent, opaque here. The torrents themselves lie beside
// the database as torrents/INFOHASH.torrent.
//
// # What survives
//
// The database is SQLite with a write-ahead log and synchronous=FULL: when a
// method that changes something returns nil, the change survives kill -9 and the
// loss of power. Every call is one transaction and one sync of the disk, so many
// things published together should be one call ([Ledger.AddVersions],
// [Ledger.WriteTorrents]). Bytes counted with [Ledger.AddBytes] are the
// exception: they are kept in memory, written every few seconds by [Ledger.Run]
// and by [Ledger.Close], and kill -9 loses those few seconds.
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
// One connection serves all calls, one after the other; nothing here belongs on
// the path of a block or an announce, except AddBytes, which touches memory
// only. Days are days in UTC. The lock is advisory and does not reach across
// network file systems that do not support it.
package ledger
