package web_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// The feeds are read with structs of the tests' own, not with those that wrote
// them.
type atomDoc struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"http://www.w3.org/2005/Atom id"`
	Title   string   `xml:"http://www.w3.org/2005/Atom title"`
	Sub     string   `xml:"http://www.w3.org/2005/Atom subtitle"`
	Updated string   `xml:"http://www.w3.org/2005/Atom updated"`
	Author  struct {
		Name string `xml:"http://www.w3.org/2005/Atom name"`
	} `xml:"http://www.w3.org/2005/Atom author"`
	Links   []link `xml:"http://www.w3.org/2005/Atom link"`
	Entries []struct {
		ID      string `xml:"http://www.w3.org/2005/Atom id"`
		Title   string `xml:"http://www.w3.org/2005/Atom title"`
		Updated string `xml:"http://www.w3.org/2005/Atom updated"`
		Summary string `xml:"http://www.w3.org/2005/Atom summary"`
		Links   []link `xml:"http://www.w3.org/2005/Atom link"`
	} `xml:"http://www.w3.org/2005/Atom entry"`
}

type link struct {
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr"`
	Href   string `xml:"href,attr"`
	Length int    `xml:"length,attr"`
}

type rssDoc struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Channel struct {
		Title string   `xml:"title"`
		Links []string `xml:"link"`
		About string   `xml:"description"`
		Built string   `xml:"lastBuildDate"`
		Items []struct {
			Title     string `xml:"title"`
			Link      string `xml:"link"`
			GUID      string `xml:"guid"`
			Published string `xml:"pubDate"`
			About     string `xml:"description"`
			Enclosure struct {
				URL    string `xml:"url,attr"`
				Length int    `xml:"length,attr"`
				Type   string `xml:"type,attr"`
			} `xml:"enclosure"`
			Length int64  `xml:"http://xmlns.ezrss.it/0.1/ contentLength"`
			Magnet string `xml:"http://xmlns.ezrss.it/0.1/ magnetURI"`
		} `xml:"item"`
	} `xml:"channel"`
}

// readStrictly parses a feed as XML 1.0 and nothing more lenient.
func readStrictly(t *testing.T, text string, into any) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.NoError(t, xml.Unmarshal([]byte(text), into))
}

func atom(t *testing.T, h http.Handler, query string) atomDoc {
	t.Helper()
	answer := get(h, "/-/feed.atom"+query)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "application/atom+xml; charset=utf-8", answer.Header.Get("Content-Type"))
	var doc atomDoc
	readStrictly(t, body(t, answer), &doc)
	return doc
}

func rss(t *testing.T, h http.Handler, query string) rssDoc {
	t.Helper()
	answer := get(h, "/-/feed.rss"+query)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "application/rss+xml; charset=utf-8", answer.Header.Get("Content-Type"))
	var doc rssDoc
	readStrictly(t, body(t, answer), &doc)
	return doc
}

func (d atomDoc) titles() string {
	var titles []string
	for _, e := range d.Entries {
		titles = append(titles, e.Title)
	}
	return strings.Join(titles, ", ")
}

func newsSite() *memory {
	m := described()
	for i, path := range []string{"small.txt", "dir/song.flac", "README"} {
		e := m.entries[path]
		e.Published = modified.AddDate(1, 0, i)
		m.entries[path] = e
	}
	return m
}

func TestAtom(t *testing.T) {
	m := newsSite()
	h := web.New(web.Config{Source: m})
	doc := atom(t, h, "")
	require.Equal(t, "http://files.example:8080/-/feed.atom", doc.ID)
	require.Equal(t, "All of <it>", doc.Title)
	require.Equal(t, "First.\nSecond & last.", doc.Sub)
	require.Equal(t, "All of <it>", doc.Author.Name)
	require.Equal(t, "2027-03-16T15:09:26Z", doc.Updated)
	require.Equal(t, []link{
		{Rel: "self", Type: "application/atom+xml", Href: doc.ID}, {Rel: "alternate", Type: "text/html", Href: "http://files.example:8080/"},
	}, doc.Links)
	require.Equal(t, "README, song.flac, small.txt, An installer, A box of things, big2.iso, big2.iso.torrent, named.torrent, page.html", doc.titles(),
		"the newest first, and nothing that is not published")

	// RFC 4287, section 4.1.2: "atom:entry elements MUST contain exactly one
	// atom:id element", "exactly one atom:title", "exactly one atom:updated".
	ids := map[string]bool{}
	for _, e := range doc.Entries {
		require.False(t, ids[e.ID])
		ids[e.ID] = true
		_, err := time.Parse(time.RFC3339, e.Updated)
		require.NoError(t, err)
		// Section 4.1.1: "atom:feed elements MUST NOT contain more than one
		// atom:link element with a rel attribute value of "alternate" that has
		// the same combination of type and hreflang attribute values."
		types := map[string]bool{}
		for _, l := range e.Links {
			require.False(t, types[l.Rel+" "+l.Type])
			types[l.Rel+" "+l.Type] = true
		}
	}
	e := doc.Entries[3]
	require.Equal(t, "urn:btih:"+m.entries["big.iso"].InfoHash.String(), e.ID)
	require.Equal(t, "For \"anybody\".\nReally.\n\nbig.iso, 1.0 MiB", e.Summary)
	require.Equal(t, link{Rel: "alternate", Type: "text/html", Href: "http://files.example:8080/big.iso?page"}, e.Links[0])
	magnet, err := metainfo.ParseMagnet(e.Links[1].Href)
	require.NoError(t, err)
	require.Equal(t, m.entries["big.iso"].InfoHash, magnet.InfoHash)
	require.Equal(t, "alternate", e.Links[1].Rel)
	require.Equal(t, "enclosure", e.Links[2].Rel)
	require.Equal(t, "application/x-bittorrent", e.Links[2].Type)
	torrent := body(t, get(h, strings.TrimPrefix(e.Links[2].Href, "http://files.example:8080")))
	require.Len(t, torrent, e.Links[2].Length, "the length is that of the enclosure")
}

func TestRSS(t *testing.T) {
	m := newsSite()
	h := web.New(web.Config{Source: m})
	doc := rss(t, h, "")
	require.Equal(t, "2.0", doc.Version)
	require.Equal(t, "All of <it>", doc.Channel.Title)
	require.Contains(t, doc.Channel.Links, "http://files.example:8080/")
	require.Len(t, doc.Channel.Items, 9)
	for _, i := range doc.Channel.Items {
		_, err := mail.ParseDate(i.Published) // RSS 2.0: "All date-times in RSS conform to the Date and Time Specification of RFC 822"
		require.NoError(t, err)
		_, err = metainfo.ParseMagnet(i.Magnet)
		require.NoError(t, err)
		torrent := get(h, strings.TrimPrefix(i.Enclosure.URL, "http://files.example:8080"))
		require.Equal(t, i.Enclosure.Type, torrent.Header.Get("Content-Type"))
		require.Len(t, body(t, torrent), i.Enclosure.Length)
	}
	i := doc.Channel.Items[3]
	require.Equal(t, "An installer", i.Title)
	require.EqualValues(t, len(bigContent), i.Length)
	require.Contains(t, i.About, "<p>For &#34;anybody&#34;.<br>\nReally.</p>\n<p>big.iso, 1.0 MiB: <a href=\"http://files.example:8080/big.iso.torrent\">torrent</a>")
}

func TestFeedOfDirectory(t *testing.T) {
	m := newsSite()
	m.add("dir/deep & far/x?.bin", []byte("x"))
	h := web.New(web.Config{Source: m, Title: "Site"})
	doc := atom(t, h, "?dir=dir")
	require.Equal(t, "song.flac, x?.bin", doc.titles())
	require.Equal(t, "Site – dir", doc.Title)
	require.Equal(t, "http://files.example:8080/-/feed.atom?dir=dir", doc.ID)
	require.Equal(t, "http://files.example:8080/dir/", doc.Links[1].Href)
	require.Equal(t, "x?.bin", atom(t, h, "?dir=dir%2Fdeep+%26+far").titles())
	require.Empty(t, atom(t, h, "?dir=void").Entries)
	require.Empty(t, rss(t, h, "?dir=void").Channel.Items)

	page := body(t, get(h, "/dir/deep%20%26%20far/", "Accept", browser))
	for _, format := range []string{"atom", "rss"} {
		link := `href="../../-/feed.` + format + `?dir=dir%2Fdeep&#43;%26&#43;far"`
		require.Equal(t, 2, strings.Count(page, link), "in the head and at the bottom")
	}
	require.NotContains(t, body(t, get(h, "/unit/", "Accept", browser)), "feed.atom", "one torrent is no news")

	for _, query := range []string{"?dir=nothing", "?dir=small.txt", "?dir=..", "?dir=dir/..", "?dir=/", "?dir=dir/", "?dir=.git", "?dir=link", "?dir=dir%00", "?dir=dir%5Cdeep"} {
		require.Equal(t, http.StatusNotFound, get(h, "/-/feed.atom"+query).StatusCode, query)
		require.Equal(t, http.StatusNotFound, get(h, "/-/feed.rss"+query).StatusCode, query)
	}
}

func TestFeedIsCachedByHost(t *testing.T) {
	answer := get(web.New(web.Config{Source: newsSite()}), "/-/feed.rss")
	require.Equal(t, "Accept, Host", answer.Header.Get("Vary"))
	answer = get(web.New(web.Config{Source: newsSite(), URL: "https://cdn.example/pub"}), "/-/feed.atom")
	require.Equal(t, "Accept", answer.Header.Get("Vary"))
	require.Contains(t, body(t, answer), `href="https://cdn.example/pub/big.iso.torrent"`)
	h := web.New(web.Config{Source: newsSite()})
	tag := get(h, "/-/feed.atom").Header.Get("ETag")
	require.Equal(t, http.StatusNotModified, get(h, "/-/feed.atom", "If-None-Match", tag).StatusCode)
}

// The newest are shown, and the same torrent at two places once.
func TestFeedIsBounded(t *testing.T) {
	m := newMemory()
	for i := range 1300 {
		m.add(fmt.Sprintf("d%d/file %d", i%7, i), []byte("x"))
		e := m.entries[fmt.Sprintf("d%d/file %d", i%7, i)]
		e.Published = modified.Add(time.Duration(i*7919%1300) * time.Hour)
		m.entries[e.Path] = e
	}
	m.add("again/file 1299", []byte("x"))
	h := web.New(web.Config{Source: m})
	doc := atom(t, h, "")
	require.Len(t, doc.Entries, 50)
	for i, e := range doc.Entries {
		require.Equal(t, modified.Add(time.Duration(1299-i)*time.Hour).Format(time.RFC3339), e.Updated)
	}
	require.Len(t, atom(t, h, "?dir=again").Entries, 1)
}

func TestFeedOfTorrentsThatGo(t *testing.T) {
	h := web.New(web.Config{Source: failing{newsSite(), web.ErrUnavailable}})
	require.Empty(t, atom(t, h, "").Entries)
}

// Names and words in feeds are text, and in RSS descriptions text as HTML.
func TestHostileFeeds(t *testing.T) {
	for _, name := range hostileNames {
		m := newMemory()
		m.add("dir "+name+"/"+name, []byte("content"))
		m.add("words", []byte("content"))
		e := m.entries["words"]
		e.Title, e.Description = name, name
		m.entries["words"] = e
		m.entries[""] = web.Entry{Dir: true, Title: name, Description: name}
		h := web.New(web.Config{Source: m})
		for _, query := range []string{"", "?dir=" + url.QueryEscape("dir "+name)} {
			require.NotEmpty(t, atom(t, h, query).Entries, "%q", name)
			for _, i := range rss(t, h, query).Channel.Items {
				requireWellFormed(t, i.About)
				require.NotContains(t, i.About, "<b>bold")
				require.NotContains(t, i.About, "<script>")
				require.NotContains(t, i.About+i.Title, "\u202e")
				require.NotContains(t, i.About+i.Title, "\x1b")
				to, err := url.Parse(i.Link)
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, get(h, to.RequestURI(), "Accept", browser).StatusCode)
			}
		}
	}
}

func BenchmarkFeed(b *testing.B) {
	source := benchmarkSource{memory: newMemory(), list: manyEntries()}
	for i := range source.list {
		source.info[source.list[i].Path] = []byte("d6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae")
	}
	h := web.New(web.Config{Source: source})
	b.Run("entries=10k", func(b *testing.B) {
		r, err := http.NewRequest(http.MethodGet, "/-/feed.atom", nil)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			h.ServeHTTP(discard{http.Header{}}, r)
		}
	})
}
