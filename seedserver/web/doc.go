// Package web answers the public listener: the index of a directory of files
// that are shared with BitTorrent, their torrents and magnet links, and the
// small ones among them plainly.
//
// Its nouns: a [Source] knows the files, an [Entry] is what it knows about one
// of them, a [Via] is the way one request came, a [Handler] answers. The
// Handler starts no goroutine and keeps nothing but some READMEs it rendered; it
// serves the Source, never a file system.
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
//	GET /file?page       the details of the torrent: HTML, plain text or JSON
//
// and below the name "-" in the root, which belongs to the Handler:
//
//	GET /-/search?q=a+b&dir=path   what has all the words in its name, title or
//	                               description, below a directory: as an index
//	GET /-/feed.atom?dir=path      the newest torrents in and below a directory
//	GET /-/feed.rss?dir=path       the same as RSS 2.0
//	GET, POST /-/login             where people say who they are, if they can:
//	                               no other address asks
//	GET /-/static/                 the style sheet, the script and the icons
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
// # Pages
//
// An index as HTML is sorted by ?sort=name, size, date, copies, seeds, leechers
// or completed, with &order=desc the other way round, and has 1,000 rows a page
// (&p=2). As text and JSON it is one list; if that is longer, four clients are
// sent one at a time, and others get 503. It has a weak validator, so that who
// asks again is told that nothing changed.
//
// The file README.md of a directory is rendered below its list if it is
// published and has at most 128 KiB. HTML in it is left out, and so are pictures
// but those beside it; a link is shown in their place.
//
// All works without scripts and in browsers for text. A page loads nothing from
// other servers, and no script or style is inline.
//
// All links are relative, so a Handler may be mounted below a prefix with
// [http.StripPrefix].
//
// # Limitations
//
// Who may see what is not decided here: see Config.View. Names with a backslash
// or NUL, and names that start with a dot, have no URL. A search goes through all of the Source, for a second at most, and
// compares words letter by letter: "é" written as two characters is another.
package web
