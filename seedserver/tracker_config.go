package seedserver

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/tracker"
)

// TrackerConfig says what a stand-alone Tracker tracks and how. Allow or Open is needed. It is not modified after it was given to
// NewTracker.
type TrackerConfig struct {
	// HTTP is the address of the tracker; it answers on the same UDP port, too. If empty, ":6969".
	HTTP string
	// NoUDP leaves UDP out.
	NoUDP bool
	// URL is the public address of the tracker as clients reach it ("https://tracker.example.org"). If empty, each answer names the
	// host that its request named.
	URL string
	// State is a file that keeps the swarms over restarts. It is made if it is missing, and put aside if it is damaged. If empty,
	// nothing is kept.
	State string

	// Allow is a directory of .torrent files, or a file of infohashes, that are tracked: see package admission. It is read again
	// every half minute.
	Allow string
	// Open tracks every torrent that somebody announces.
	Open bool

	// AnnounceInterval is how often peers are asked to announce. If zero, 30 minutes.
	AnnounceInterval time.Duration
	// AnnounceRate is how many announces a second, of all peers together, make the interval longer, up to four times as long. If
	// zero, 5,000.
	AnnounceRate float64
	// MaxPeers bounds the peers of one torrent, MaxTorrents the torrents, MaxTotal all peers. If zero, 100,000, 1,000,000 and
	// 20,000,000.
	MaxPeers, MaxTorrents, MaxTotal int
	// MaxNumWant bounds the peers of one answer. If zero, 200.
	MaxNumWant int
	// Scrape says what may be scraped: "specific", "full", "none". If empty, "specific".
	Scrape string

	// NATCheck connects back to clients, and hands out only those that can be reached.
	NATCheck bool
	// AllowIP, if not empty, lists the networks whose clients may announce; DenyIP those whose may not.
	AllowIP, DenyIP []netip.Prefix
	// TrustedProxies lists the networks whose X-Forwarded-For is believed. If nil, loopback only.
	TrustedProxies []netip.Prefix

	// Metrics is the address of Prometheus metrics and health checks. If empty, there are none.
	Metrics string
	// AccessLog gets a line for each announce, scrape and page in Apache's combined format: all up to 1,000 a second, one in a
	// hundred beyond. If nil, LogFile does.
	AccessLog io.Writer
	// LogFile is a file that gets these lines, made if it is missing. If empty, and AccessLog is nil, nobody does.
	LogFile string
	// LogAddresses is how much of a client's address every log may hold: "off", "truncated", "full". If empty, "truncated".
	LogAddresses string

	// Version is shown on the page. If empty, "dev".
	Version string
	// Logger receives what an operator can act on. If nil, nothing is logged.
	Logger *slog.Logger
}

const defaultTrackerHTTP = ":6969"

func (c *TrackerConfig) http() string            { return cmp.Or(c.HTTP, defaultTrackerHTTP) }
func (c *TrackerConfig) version() string         { return cmp.Or(c.Version, "dev") }
func (c *TrackerConfig) interval() time.Duration { return cmp.Or(c.AnnounceInterval, defaultInterval) }

// Check reports the first setting that cannot work, in words that say what to do about it. It touches nothing.
func (c *TrackerConfig) Check() error {
	switch {
	case c.Allow == "" && !c.Open:
		return errors.New("say what is tracked: --allow names a directory of .torrent files or a file of infohashes, --open tracks everything")
	case c.Allow != "" && c.Open:
		return errors.New("--allow and --open exclude each other")
	case c.interval() < time.Minute || c.interval() > 24*time.Hour:
		return fmt.Errorf("announce-interval %v: between a minute and a day", c.AnnounceInterval)
	}
	if err := checkListen("http", c.http()); err != nil {
		return err
	}
	if c.Metrics != "" {
		if err := checkListen("metrics", c.Metrics); err != nil {
			return err
		}
	}
	if _, err := tracker.ParseScrapePolicy(cmp.Or(c.Scrape, "specific")); err != nil {
		return err
	}
	if _, err := accesslog.ParseAddresses(cmp.Or(c.LogAddresses, "truncated")); err != nil {
		return fmt.Errorf("log-%w", err)
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("url %q: give it as clients type it, for example https://tracker.example.org", c.URL)
		}
	}
	return nil
}
