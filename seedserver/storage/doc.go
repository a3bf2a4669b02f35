// Package storage reads the bytes of published files and proves that they are
// still the bytes that were published; and it writes the files of downloads.
//
// Its nouns: a [Stamp] is what the file system says about a file (device,
// inode, size, times). A [File] is one file of a torrent with the stamp it had
// when its pieces were hashed. A [Content] is the files of one torrent laid end
// to end, as in the info dict. A [Pool] bounds the descriptors that all
// contents hold open together.
//
// # The guard
//
// [Content.ReadAt] copies bytes into the caller's buffer first and asks the
// same descriptor for its stamp afterwards. A writer's system call moves the
// modification time before it changes the first byte, so bytes read before an
// unchanged stamp are the published ones. If size or modification time differ,
// the bytes are refused with a [ChangedError]. If only the change time differs
// (chmod, a hard link, a rename, a modification time set back by a tool), or a
// file of another inode lies at the path, nothing proves the bytes bad and
// nothing proves them good: the error says Suspect, and the content must be
// verified with fresh stamps ([StampOf], [Content.Verify]) before it is sent
// again. Memory mapping and sendfile are not used, because bytes that leave
// through them are never in our hands before the stamp is taken.
//
// Files are opened below an [os.Root], component by component, and no
// component may be a symbolic link. A FIFO, device or socket that took a file's
// place is refused without waiting for it.
//
// # Contents larger than memory
//
// Peers of a swarm read in many places at once. [Content.Scatter] turns off the system's guesses of what is read next, which are
// made for one reader and read twice what is sent, and [Content.ReadAhead] names what peers have asked for instead. On Linux a read
// first takes what is in memory; one that has to wait for the disk takes one of 64 places of its content, so that a disk that hangs
// does not use up the process's threads.
//
// # Downloads
//
// A [Target] is the files of a torrent that is not complete: its pieces are written in any order, in sparse files, below an
// [os.Root] and through no symbolic link. [Target.Check] finds out which pieces are there, and a [Record], saved when a
// download is left, spares reading those whose files did not change since. A full disk is an error of its own, [ErrFull],
// after which the same write can be tried again.
//
// # Limitations
//
// A program that maps a file writable moves the modification time when it
// first touches a page, not at each store; publish only what nobody holds open
// for writing. On network file systems the stamp is as fresh as the client's
// attribute cache. Where the system has no inodes to show (Windows, Plan 9),
// stamps carry size and modification time only, and a file replaced by one with
// the same two passes unseen.
//
// A Target trusts who else may write its files: what another program changes in a piece after it was
// verified is not noticed before the next check.
package storage
