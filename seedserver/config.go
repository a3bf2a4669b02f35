package seedserver

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/seedserver/budget"
)

// Large is what a file at or above Config.PlainBelow answers to a client that did not ask for its torrent.
type Large string

const (
	LargeTorrent Large = "torrent" // a redirect to the file's torrent
	LargePage    Large = "page"    // a page that explains how to get it
	LargePlain   Large = "plain"   // the file itself
)

// Config says what a Server serves and how. Only Dir is needed. It is not modified after it was given to New.
type Config struct {
	// Dir is the directory that is published. It is made if it is missing.
	Dir string
	// HTTP is the address of the public listener. If empty, ":8080". If HTTPOff, none is opened: the caller serves Handler.
	HTTP string
	// Peer is the TCP address peers connect to. If empty, ":6881"; when that port is taken, the next up to 6889 is used,
	// unless PeerExact is set.
	Peer string
	// PeerExact makes a taken Peer port an error.
	PeerExact bool
	// URL is the public address of the HTTP listener, as clients reach it ("https://files.example.org"). If empty, each
	// answer names the host that its request named.
	URL string
	// Advertise lists the addresses HOST:PORT at which peers reach us. If empty, they are found as Server.PeerAddrs says.
	Advertise []string
	// TrustedProxies lists the networks whose X-Forwarded-For is believed. If nil, loopback only.
	TrustedProxies []netip.Prefix
	// ProxyHeader is which header of trusted proxies is believed: ProxyXForwarded or ProxyForwarded. If empty, ProxyXForwarded.
	ProxyHeader string
	// TLSCert and TLSKey are files in PEM: with them the public listener speaks HTTPS only. The certificate file has the whole
	// chain, ours first. Reload reads them again. If empty, it speaks HTTP.
	TLSCert, TLSKey string
	// State is the directory of the server's own files. If empty, DefaultState(Dir).
	State string

	// UsersFile is an htpasswd file with bcrypt hashes: who may sign in. It is read again when it changes. If empty, nobody can; what
	// a .seedserver.toml keeps for users nobody sees then.
	UsersFile string
	// Private lets only the users of UsersFile see anything. A .seedserver.toml can let in fewer of them, not more.
	Private bool

	// Mode is how torrents are seeded where no .seedserver.toml says otherwise. If empty, ModeConservative.
	Mode Mode
	// MaxUp bounds what all torrents together upload, in payload bytes per second. If zero, unlimited.
	MaxUp int64
	// MaxUpTorrent bounds each torrent likewise. If zero, unlimited.
	MaxUpTorrent int64
	// Budget is how many bytes may be sent in a month, by BitTorrent and HTTP together; see budget.Pacer for how it is spread. If
	// zero, any number.
	Budget int64
	// BudgetDay is the day of the month on which a new one begins, 1 to 28. If zero, 1.
	BudgetDay int
	// WebSeed makes torrents name this server as a web seed (BEP 19).
	WebSeed bool
	// MaxPeers bounds the connections of all torrents together, of which one may have four fifths. If zero, 5000.
	MaxPeers int
	// UploadSlots is how many peers of one torrent are served at once. If zero, chosen automatically.
	UploadSlots int

	// PieceLength is the piece length of new torrents, a power of two of at least 16 KiB. If zero, it grows with the content.
	PieceLength int64
	// Units lists glob patterns of directories that are published as one torrent each.
	Units []string
	// Poll watches by scanning only, for file systems that report no events.
	Poll bool
	// Rescan is how often the tree is scanned for what events missed. If zero, one minute (10 s with Poll). If negative, never.
	Rescan time.Duration
	// SettleWrite is how long a file must be quiet after a write, SettleRename after a rename into place.
	// If zero, 10 s and 2 s.
	SettleWrite, SettleRename time.Duration
	// SettleBlind is how long a file must be quiet when it cannot be seen whether somebody still writes it. If zero, 60 s.
	SettleBlind time.Duration

	// PlainBelow is the size below which a file is sent as itself. If zero, 1 MiB. If negative, none is.
	PlainBelow int64
	// Large says what larger files answer. If empty, LargeTorrent.
	Large Large
	// LSD tells the local network of our torrents, and dials those that announce there (BEP 14). Private torrents have no part in it.
	LSD bool
	// NoTracker turns the built-in tracker off.
	NoTracker bool
	// NoDHT keeps the server out of the DHT, in which it takes part on UDP at the port of Peer otherwise.
	NoDHT bool
	// DHTRouters are nodes HOST:PORT from which the DHT is joined, while the node's own table is small. If empty, it is joined by the
	// nodes that were kept in State and by those that ask us; dhtnet.PublicRouters lead into the public DHT.
	DHTRouters []string
	// AnnounceInterval is how often peers are asked to announce, between a minute and a day. If zero, 30 minutes.
	AnnounceInterval time.Duration

	// Admin is the address of the status pages, HOST:PORT. If empty or AdminOff, there are none. When its port is taken, the next
	// up to 8089 is used, unless AdminExact is set. Other addresses than loopback need AdminAuth.
	Admin string
	// AdminExact makes a taken Admin port an error.
	AdminExact bool
	// AdminHosts lists names under which the status pages are reached besides loopback, for a proxy in front of them.
	AdminHosts []string
	// AdminAuth is who may see the status pages, as USER:BCRYPT. If empty, everybody who can connect.
	AdminAuth string
	// Profiles serves the runtime's profiles with the status pages.
	Profiles bool

	// LogDir is a directory for logs: access.log has a line for each request in Apache's combined format, transfer.log one for
	// each connection of a peer, events.log what Logger gets, as JSON. It is made if it is missing. If empty, no files are written.
	LogDir string
	// AccessLog, if not nil, gets the lines of access.log in place of the file. Nobody waits for it but Run, at its end, a second.
	AccessLog io.Writer
	// LogAddresses is how much of a client's or a peer's address every log may hold: "off", "truncated", "full". If empty,
	// "truncated".
	LogAddresses string

	// Version is shown to peers and on pages. If empty, "dev".
	Version string
	// Logger receives what an operator can act on. If nil, nothing is logged.
	Logger *slog.Logger
}

// What Config.ProxyHeader can be. A proxy that writes one of them passes the other on as the client sent it, so only one can be
// believed.
const (
	ProxyXForwarded = "x-forwarded-for" // X-Forwarded-For, -Proto and -Host
	ProxyForwarded  = "forwarded"       // RFC 7239
)

// HTTPOff as Config.HTTP opens no public listener.
const HTTPOff = "off"

// AdminOff as Config.Admin opens no admin listener.
const AdminOff = "off"

const (
	defaultHTTP     = ":8080"
	defaultPeer     = ":6881"
	lastPeerPort    = 6889
	defaultMaxPeers = 5000
	defaultInterval = 30 * time.Minute
)

func (c *Config) http() string                    { return cmp.Or(c.HTTP, defaultHTTP) }
func (c *Config) peer() string                    { return cmp.Or(c.Peer, defaultPeer) }
func (c *Config) maxPeers() int                   { return cmp.Or(c.MaxPeers, defaultMaxPeers) }
func (c *Config) announceInterval() time.Duration { return cmp.Or(c.AnnounceInterval, defaultInterval) }
func (c *Config) budgetDay() int                  { return cmp.Or(c.BudgetDay, 1) }
func (c *Config) mode() Mode                      { return cmp.Or(c.Mode, ModeConservative) }
func (c *Config) version() string                 { return cmp.Or(c.Version, "dev") }

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

// logAddresses is what LogAddresses says; Check has seen to it that it says something.
func (c *Config) logAddresses() accesslog.Addresses {
	a, err := accesslog.ParseAddresses(c.LogAddresses)
	if err != nil {
		return accesslog.Truncated
	}
	return a
}

func (c *Config) trustedProxies() []netip.Prefix {
	if c.TrustedProxies == nil {
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	return c.TrustedProxies
}

// Check reports the first setting that cannot work, in words that say what to do about it. It touches nothing.
func (c *Config) Check() error {
	if c.Dir == "" {
		return fmt.Errorf("no directory to publish: name one, for example ./files")
	}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("url %q: give it as clients type it, for example https://files.example.org", c.URL)
		}
		if u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("url %q: leave out what follows ? or #", c.URL)
		}
	}
	if c.http() != HTTPOff {
		if err := checkListen("http", c.http()); err != nil {
			return err
		}
	}
	if err := checkListen("peer", c.peer()); err != nil {
		return err
	}
	if i := c.announceInterval(); i < time.Minute || i > 24*time.Hour {
		return fmt.Errorf("announce-interval %v: between a minute and a day", c.AnnounceInterval)
	}
	for _, a := range c.Advertise {
		if _, _, err := splitHostPort(a); err != nil {
			return fmt.Errorf("advertise %q: give HOST:PORT, for example 203.0.113.7:6881", a)
		}
	}
	if err := c.checkRouters(); err != nil {
		return err
	}
	if l := c.PieceLength; l != 0 && (l < 16<<10 || l > 64<<20 || l&(l-1) != 0) {
		return fmt.Errorf("piece-length %d: give a power of two from 16KiB to 64MiB, or leave it out", l)
	}
	switch c.Large {
	case "", LargeTorrent, LargePage, LargePlain:
	default:
		return fmt.Errorf("large %q: one of torrent, page, plain", c.Large)
	}
	if c.Mode != "" {
		if _, err := ParseMode(string(c.Mode)); err != nil {
			return err
		}
	}
	switch c.ProxyHeader {
	case "", ProxyXForwarded, ProxyForwarded:
	default:
		return fmt.Errorf("proxy-header %q: %s or %s", c.ProxyHeader, ProxyXForwarded, ProxyForwarded)
	}
	if c.Private && c.UsersFile == "" {
		return errors.New("private: say with users who may see anything")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls-cert and tls-key: give both or neither")
	}
	if err := budget.CheckDay(c.budgetDay()); err != nil {
		return err
	}
	if c.LogAddresses != "" {
		if _, err := accesslog.ParseAddresses(c.LogAddresses); err != nil {
			return fmt.Errorf("log-%w", err)
		}
	}
	if err := c.checkAdmin(); err != nil {
		return err
	}
	for _, p := range c.Units {
		if _, err := filepath.Match(p, ""); err != nil {
			return fmt.Errorf("unit %q: not a valid pattern: %w", p, err)
		}
	}
	return nil
}

// DefaultState returns where the server keeps its own files for dir when nothing else is said: systemd's STATE_DIRECTORY,
// else the user's state directory, seedserver, and 12 hex digits that stand for dir's real path.
func DefaultState(dir string) (string, error) {
	if s := os.Getenv("STATE_DIRECTORY"); s != "" {
		return filepath.SplitList(s)[0], nil
	}
	return userState(dir)
}
