package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// detailsPage is what the page about one file or unit shows.
type detailsPage struct {
	shell
	offer
	About       about
	Peers       Peers
	Copies      string // that others hold, "" if it is not known
	Published   string
	PieceLength string
	PieceBytes  int64
	Pieces      int
	Private     bool
	Trackers    []string
	Commands    []command
	Browse      string // of a unit: the relative link to its index
	Count       int    // files of a unit
	Files       []detailsFile
	Pager       pager
	Pages       []pageLink
}

// command is a line to copy into a terminal.
type command struct{ Program, What, Line string }

// detailsFile is one file of a unit.
type detailsFile struct {
	Name, Size string
	Href       string // of the page about it, "" if it has no address
}

// detailsJSON is what the JSON form of the page has beside that of the entry.
type detailsJSON struct {
	PieceLength int64      `json:"piece_length"`
	Pieces      int        `json:"pieces"`
	Private     bool       `json:"private,omitempty"`
	Trackers    []string   `json:"trackers"`
	Contents    []fileJSON `json:"contents,omitempty"`
}

type fileJSON struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// serveDetails sends the page about a file or a unit, in the form that the
// client prefers.
func (x *exchange) serveDetails(e Entry) {
	of, ok := x.torrentOf(e)
	if !ok {
		return
	}
	form := x.accept.choose(typeHTML, typeText, typeJSON)
	if form == typeText {
		x.linkTorrent(of)
		x.varyHost()
		x.text(http.StatusOK, x.howTo(e, of))
		return
	}
	b, err := x.source.Torrent(x.r.Context(), of, x.via)
	if err != nil {
		x.sourceFailed(of, err)
		return
	}
	torrent, err := metainfo.Parse(b)
	if err != nil {
		x.sourceFailed(of, err)
		return
	}
	x.linkTorrent(of)
	x.varyHost()
	if form == typeJSON {
		x.send(http.StatusOK, typeJSON, x.detailsJSON(&e, torrent))
		return
	}
	x.page(http.StatusOK, "details.html", x.detailsPage(e, of, torrent))
}

func (x *exchange) detailsPage(e, of Entry, t *metainfo.Torrent) detailsPage {
	p := detailsPage{
		shell: x.shell(visible(e.Name), e.Path), offer: x.offer(e, of), About: aboutEntry(&e), Peers: of.Peers,
		Published:   string(appendTime(nil, of.Published)),
		PieceLength: string(appendSize(nil, t.Info.PieceLength)), PieceBytes: t.Info.PieceLength, Pieces: t.Info.NumPieces(),
		Private: t.Info.Private, Trackers: trackers(t), Commands: x.commands(e, of),
	}
	if of.Peers.Copies > 0 {
		p.Copies = strconv.FormatFloat(of.Peers.Copies, 'f', 1, 64)
	}
	if e.Unit {
		p.Browse = x.href(e.Path) + "/"
		files := realFiles(t.Info)
		p.Count = len(files)
		p.Pager = newPager(len(files), x.r.URL.Query())
		p.Pages = p.Pager.links("?page")
		for _, f := range files[p.Pager.From:p.Pager.To] {
			p.Files = append(p.Files, x.detailsFile(e, f))
		}
	}
	return p
}

// detailsFile describes one file of the unit.
func (x *exchange) detailsFile(unit Entry, f metainfo.File) detailsFile {
	d := detailsFile{Name: visible(strings.Join(f.Path, "/")), Size: string(appendSize(nil, f.Length))}
	for _, name := range f.Path {
		if !servable(name) {
			return d
		}
	}
	d.Href = x.href(strings.TrimPrefix(unit.Path+"/"+strings.Join(f.Path, "/"), "/")) + "?page"
	return d
}

// commands returns lines that get the torrent, or the file itself.
func (x *exchange) commands(e, of Entry) []command {
	url := x.torrentURL(of)
	lines := []command{
		{"aria2", "downloads it", aria2c(url)},
		{"Transmission", "downloads it", "transmission-cli " + quoteURL(url)},
		{"curl", "gets the torrent", "curl -OJ " + quoteURL(url)},
	}
	if x.cfg.plain(&e) {
		lines = append(lines, command{"curl", "gets the file itself", "curl -O " + quoteURL(x.url(e.Path, ""))})
	}
	return lines
}

// quoteURL returns a URL of ours as a word of a shell command.
func quoteURL(url string) string {
	if strings.ContainsAny(url, "?[]&") {
		return "'" + url + "'"
	}
	return url
}

// aria2c returns the command line that downloads from a URL of ours.
func aria2c(url string) string { return "aria2c " + quoteURL(url) }

// trackers returns the announce URLs of t, each once.
func trackers(t *metainfo.Torrent) []string {
	list := []string{}
	seen := map[string]bool{"": true}
	for _, tier := range append([][]string{{t.Announce}}, t.AnnounceList...) {
		for _, url := range tier {
			if !seen[url] {
				seen[url] = true
				list = append(list, url)
			}
		}
	}
	return list
}

// realFiles returns the files of a torrent that are not there to fill up.
func realFiles(info *metainfo.Info) []metainfo.File {
	files := make([]metainfo.File, 0, len(info.Files))
	for _, f := range info.Files {
		if !f.Pad {
			files = append(files, f)
		}
	}
	return files
}

func (x *exchange) detailsJSON(e *Entry, t *metainfo.Torrent) []byte {
	j := detailsJSON{PieceLength: t.Info.PieceLength, Pieces: t.Info.NumPieces(), Private: t.Info.Private, Trackers: trackers(t)}
	if e.Unit {
		for _, f := range realFiles(t.Info) {
			j.Contents = append(j.Contents, fileJSON{strings.Join(f.Path, "/"), f.Length})
		}
	}
	more, _ := json.Marshal(j) // strings and numbers only
	b := x.appendEntryJSON(nil, e, []byte(x.href(e.Path)), x.torrentSuffix(e.Path), true)
	b[len(b)-1] = ','
	return append(append(b, more[1:]...), '\n')
}
