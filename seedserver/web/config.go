package web

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Large is what a plain GET of a file gets that is too large to be sent
// plainly.
type Large uint8

const (
	// LargeDefault is what Config.Large says; there it is LargeTorrent.
	LargeDefault Large = iota
	// LargeTorrent redirects to the torrent. The body says what to run. A
	// request for a range gets the same.
	LargeTorrent
	// LargePage is a page about the file, with links to torrent and magnet.
	LargePage
	// LargePlain is the file itself.
	LargePlain
)

// Config configures a [Handler]. Only Source is needed. It is not modified and
// must not be while the Handler is in use.
type Config struct {
	// Source is what is served.
	Source Source
	// View, if not nil, returns what the client of r may see in place of
	// Source, and the name of who it is, "" for anybody. What it must not see
	// is not in it: the answer is the one for what does not exist.
	View func(r *http.Request) (Source, string)
	// SignIn, if not nil, checks what was typed at /-/login: it returns the
	// cookie by which View knows the client again, or how long to wait since
	// there were too many wrong ones, or neither. If nil, there is no login.
	SignIn func(r *http.Request, name, password string) (cookie *http.Cookie, wait time.Duration)
	// SignOut is the cookie that makes a browser forget the one of SignIn.
	SignOut *http.Cookie
	// URL is the address of the Handler as clients write it, such as
	// "https://files.example". If empty, each request tells.
	URL string
	// PlainBelow is the size in bytes from which on a file is large. If zero,
	// 1 MiB. If negative, all files but empty ones are large.
	PlainBelow int64
	// Large is what a plain GET of a large file gets. If zero, LargeTorrent.
	Large Large
	// Proxies are believed when they say who the client is and how it came.
	Proxies Proxies
	// Title is shown at the top of each page. If empty, "seedserver".
	Title string
	// Version is shown at the bottom of each page if not empty.
	Version string
	// Notice, if not nil, returns a sentence that the index shows to a client
	// that came by v, such as that its links work in this network only, or "".
	Notice func(v Via) string
	// Sent, if not nil, is told of the bytes of files that were sent plainly,
	// as they leave: of is the file, or the unit that it is inside of. It is
	// called by many goroutines at once and must not block.
	Sent func(of Entry, bytes int)
	// Tracker, if not nil, returns what the built-in tracker knows of the
	// torrents that the sender of a request may see. It is shown at /-/tracker.
	Tracker func(r *http.Request) TrackerTable
	// Logger gets the errors of the Source at level Debug: strangers cause
	// them. If nil, nothing is logged.
	Logger *slog.Logger

	alone bool // there are no files, only the page of a tracker
}

func (c *Config) url() string { return strings.TrimRight(c.URL, "/") }

func (c *Config) plainBelow() int64 {
	switch {
	case c.PlainBelow == 0:
		return 1 << 20
	case c.PlainBelow < 0:
		return 0
	}
	return c.PlainBelow
}

// large returns what applies to e, never LargeDefault.
func (c *Config) large(e *Entry) Large {
	switch {
	case e.Large != LargeDefault:
		return e.Large
	case c.Large != LargeDefault:
		return c.Large
	}
	return LargeTorrent
}

// plain reports whether a plain GET of e gets the file itself.
func (c *Config) plain(e *Entry) bool {
	return !e.Dir && (e.Size == 0 || e.Size < c.plainBelow() || c.large(e) == LargePlain)
}

func (c *Config) title() string {
	if c.Title == "" {
		return "seedserver"
	}
	return c.Title
}

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
