// Package web answers the public listener: the index of a directory of files
// that are shared with BitTorrent, their torrents and magnet links, and the
// small ones among them plainly.
//
// Its nouns: a [Source] knows the files, an [Entry] is what it knows about one
// of them, a [Via] is the way one request came, a [Handler] answers. The
// Handler keeps no state and starts no goroutine; it serves the Source, never a
// file system.
//
// # What a request gets
//
// One URL per file, and content negotiation on it (RFC 9110, section 12):
//
//	GET /dir/            the index: HTML, plain text or JSON by Accept
//	GET /dir             302 to /dir/
//	GET /file            with Accept: application/x-bittorrent: the torrent;
//	                     else a small file itself, with ranges;
//	                     else what [Large] says
//	GET /file.torrent    the torrent, if no file has that very name
//	GET /file?torrent    the torrent, always
//	GET /file.magnet     the magnet link, if no file has that very name: 302
//	                     to it for a browser, which names text/html and likes
//	                     it no less than text/plain; else as text/plain
//	GET /file?magnet     the same, always
//	GET /file?page       a page about the file, for people
//
// A torrent wins over a small file when Accept names application/x-bittorrent
// (a wildcard does not count) with at least the quality it gives to the file's
// own type. A file whose own name ends in .torrent is its own answer.
//
// A directory that is one unit is a file in all this, except that its plain
// form is the index of what is in it. A file inside a unit leads to the
// torrent of the unit, by redirection, by Link, and by all the forms above.
//
// What is not published yet gets 503 with Retry-After, says how far it is, and
// moves to the head of the hash queue. What the Source does not know, what it
// left out, names that start with a dot, and paths that are not in their plain
// form (empty, "." and ".." elements, encoded slashes, backslashes and NUL)
// get 404. Methods other than GET and HEAD get 405.
//
// All links are relative, so a Handler may be mounted below a prefix with
// [http.StripPrefix]. The name "-" in the root belongs to the Handler:
// /-/static/ holds the style sheet, the script and the icons.
//
// # Limitations
//
// The Handler asks nobody who they are: a file is for all or not in the
// Source. Names with a backslash or NUL, and names that start with a dot, have
// no URL. The index of one directory is one page, however long.
package web
