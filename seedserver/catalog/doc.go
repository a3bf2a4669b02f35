// Package catalog decides which files of a watched directory are torrents.
//
// Its nouns: an [Entry] is what is known about one path. A [Version] is one
// state of a file's or directory's bytes that was hashed and may be seeded. A
// *unit* is a directory that is one torrent; every other regular file is one by
// itself. [Rules] are what a directory's .seedserver.toml asks for. A
// [Publisher] is told what to seed; a [Store] remembers what was hashed.
//
// # A file's way
//
// A file that appears is *settling* until nobody writes it any more: size and
// times at rest for a while, a name that is not temporary, and, where the
// system tells, no one who has it open for writing. Then it is *hashing*, then
// *published*. When its size or modification time changes its version is
// retired at once and the way starts anew. When only its name, mode or link
// count changes, sending pauses, the file is hashed again, and the same torrent
// goes on if it is still the same. What is unchanged by path, device, inode,
// size and modification time since the last run is not hashed again.
//
// A file that is renamed within the directory keeps its entry in the Store
// ([Record.From]). Two files with the same name and bytes in two directories
// are one torrent, which lives until the last of them is gone.
//
// # What is left out
//
// Only regular files are published; symbolic links, FIFOs, sockets and devices
// are listed with a reason and never opened. Temporary names wait for their
// real one: .part, .partial, .filepart, .crdownload, .aria2, .tmp, .!qB, .!ut
// and ~ at the end, and rsync's .name.XXXXXX. Other names that start with a
// dot, files named core, Thumbs.db, desktop.ini and .DS_Store and directories
// named CVS are junk. Names that are not UTF-8 or have control characters are
// left out, since no client could store them under that name. A .torrent file
// is a file like any other.
//
// # Rules
//
// [ParseRules] says what a .seedserver.toml can hold. One that is changed is
// obeyed once it was left alone for [Config.SettleRenamed]. One that cannot be
// read leaves the rules before it in force, or if there were none, lets nothing
// of its directory through: what it meant to exclude is not known.
//
// # Limitations
//
// Symbolic links to directories are not followed. Where leases are not to be
// had (another owner's file, network and FUSE file systems, systems other than
// Linux) a writer that pauses for longer than [Config.SettleBlind] is taken to
// be done; if it goes on later, that is a change like any other. A program that
// opens a file for writing with O_NONBLOCK in the microseconds in which its
// lease is asked for gets EWOULDBLOCK from the kernel. When two files exchange
// their names, the entries in the Store stay with the names. On file systems where a
// rename does not move the change time, one from outside the directory counts
// as a write. Where the system shows no inodes (Windows), a rename is a removal
// and a new file.
package catalog
