// Package accesslog writes one line for each request and each peer session.
//
// Its nouns: a [Request] is a line in the combined format of Apache, which
// goaccess and every other reader of web logs knows. A [Transfer] is one line
// for one connection of a peer. [Addresses] says how much of an address is
// written. A [File] takes lines at once and writes them a moment later; a
// [Handler] around another handler writes a line for each of its requests.
//
// # Transfers
//
// The fields of a transfer, with one space between them:
//
//	2026-03-01T12:00:07Z 198.51.100.0 c12f...e09a 1048576 12.500 "qBittorrent 5.0" "dir/file.iso"
//	when it ended        who          infohash    bytes   secs   the client        the file
//
// The client is what the peer calls itself. The last two are quoted as strings
// of Go are: a quote, a backslash and what cannot be printed are escaped.
//
// # Safety
//
// What a stranger sent stands between quotes and has none itself, nor control
// characters: nobody can begin a line, or end a field. Fields are cut at 2 KiB.
//
// # Limitations
//
// A File does not rotate: a program such as logrotate renames it and has
// [File.Reopen] called. When the disk is slower than the lines come, lines are
// left out and counted, since no request waits for its log.
package accesslog
