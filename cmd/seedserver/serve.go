package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/budget"
)

// serveCmd publishes a directory until it is told to stop.
type serveCmd struct {
	Dir string `arg:"" help:"The directory to publish. Made if it is missing." type:"path"`

	settings
}

// settings are what serve can be told by flags, variables and the configuration file.
type settings struct {
	HTTP           string   `name:"http" default:":8080" help:"Address of the index and the tracker."`
	Peer           string   `default:":6881" help:"Address for peers; if port 6881 is taken, the next up to 6889."`
	URL            string   `name:"url" help:"The address people type, if it is not this machine's own: https://files.example.org" placeholder:"URL"`
	Advertise      []string `help:"Where peers reach us, HOST:PORT; repeatable. Found by itself if left out." placeholder:"HOST:PORT"`
	TrustedProxies []string `name:"trusted-proxy" help:"Network of a reverse proxy whose X-Forwarded-For is believed; repeatable (default: loopback)." placeholder:"CIDR"`
	State          string   `help:"Directory for the server's own files (default: below the user's state directory)." type:"path" placeholder:"DIR"`

	Budget    budget.Monthly `default:"unlimited" help:"What may be sent in a month by BitTorrent and HTTP together, spread over it, such as 2TB/month."`
	BudgetDay int            `default:"1" help:"Day of the month on which a new budget begins, 1 to 28."`
	WebSeed   bool           `help:"Let torrents name this server as a web seed (BEP 19)."`

	Private bool `help:"Only those in --users see anything; all torrents are private."`

	ProxyHeader string `default:"x-forwarded-for" enum:"x-forwarded-for,forwarded" help:"Header in which trusted proxies name the client: ${enum}."`
	TLSCert     string `name:"tls-cert" help:"Certificate chain in PEM: serve HTTPS instead of HTTP. Read again on SIGHUP." type:"path" placeholder:"FILE"`
	TLSKey      string `name:"tls-key" help:"The key of --tls-cert in PEM." type:"path" placeholder:"FILE"`

	Users string `help:"File of those who may sign in, as htpasswd -B writes it; what they may see is in the access rules of .seedserver.toml files." type:"path" placeholder:"FILE"`

	Mode         string      `default:"conservative" enum:"conservative,balanced,generous,plain" help:"How much speed is given up to save bytes: ${enum}."`
	MaxUp        budget.Rate `default:"unlimited" help:"Upload limit of all torrents together, such as 2MB/s."`
	MaxUpTorrent budget.Rate `default:"unlimited" help:"Upload limit of each torrent."`
	MaxPeers     int         `default:"5000" help:"Connections of all torrents together; one may have four fifths of them."`
	UploadSlots  int         `default:"0" help:"Peers of one torrent served at once; 0 chooses."`

	PieceLength budget.Bytes  `help:"Piece length of new torrents, such as 256KiB; chosen by size if left out." placeholder:"SIZE"`
	PlainBelow  budget.Bytes  `default:"1MiB" help:"Files below this size are sent as themselves; 0 sends none."`
	Large       string        `default:"torrent" enum:"torrent,page,plain" help:"What larger files answer: ${enum}."`
	Unit        []string      `help:"Directories that become one torrent each: a pattern such as 'albums/*'; repeatable." placeholder:"GLOB"`
	Poll        bool          `help:"Look for changes by scanning only, for file systems that report no events."`
	Settle      time.Duration `default:"10s" help:"How long a file must be quiet after a write before it is published."`
	SettleBlind time.Duration `default:"1m" help:"The same where the system does not tell who has a file open for writing."`
	Rescan      time.Duration `default:"1m" help:"How often the directory is scanned for what events missed; 0 for never."`
	Tracker     string        `default:"on" enum:"on,off" help:"The built-in tracker: ${enum}."`
	LSD         string        `name:"lsd" default:"on" enum:"on,off" help:"Tell the local network of our torrents, and find peers there: ${enum}."`

	DHTRouter []string `name:"dht-router" default:"${routers}" help:"Node from which the DHT is joined, HOST:PORT; repeatable. none: join by kept nodes only; off: take no part (default: the public routers)." placeholder:"HOST:PORT"`

	Admin      string   `default:"127.0.0.1:8081" help:"Address of the status pages, or off; if port 8081 is taken, the next up to 8089."`
	AdminHosts []string `name:"admin-host" help:"Name under which a proxy serves the status pages; repeatable." placeholder:"NAME"`
	AdminAuth  string   `help:"Who may see the status pages: the line that htpasswd -nB USER prints." placeholder:"USER:BCRYPT"`
	Profiles   bool     `name:"pprof" help:"Serve runtime profiles below /debug/pprof/ of the status pages."`

	LogDir       string `help:"Keep access.log, transfer.log and events.log in this directory; - prints the access log alone." type:"path" placeholder:"DIR"`
	LogAddresses string `default:"truncated" enum:"off,truncated,full" help:"How much of an address logs hold: ${enum}."`

	AnnounceInterval time.Duration `default:"30m" help:"How often peers are asked to announce."`
	RebuildState     bool          `help:"Put a damaged state database aside and start a fresh one; files are hashed again."`
	JSON             bool          `name:"json" help:"Log JSON lines."`
	Verbose          bool          `short:"v" help:"Log what peers do, too."`
}

// config translates the flags, for publishing dir.
func (c *settings) config(s streams, dir string) (seedserver.Config, error) {
	cfg := seedserver.Config{
		Dir: dir, HTTP: c.HTTP, Peer: c.Peer, PeerExact: c.Peer != ":6881", URL: strings.TrimSuffix(c.URL, "/"),
		Advertise: c.Advertise, State: c.State, UsersFile: c.Users, Private: c.Private, ProxyHeader: c.ProxyHeader, TLSCert: c.TLSCert, TLSKey: c.TLSKey,
		Budget: int64(c.Budget), BudgetDay: c.BudgetDay, WebSeed: c.WebSeed,
		Mode: seedserver.Mode(c.Mode), MaxUp: max(0, int64(c.MaxUp)), MaxUpTorrent: max(0, int64(c.MaxUpTorrent)),
		MaxPeers: c.MaxPeers, UploadSlots: c.UploadSlots,
		PieceLength: int64(c.PieceLength), Units: c.Unit, Poll: c.Poll, Rescan: c.Rescan,
		PlainBelow: int64(c.PlainBelow), Large: seedserver.Large(c.Large),
		LSD: c.LSD == "on", NoTracker: c.Tracker == "off", AnnounceInterval: c.AnnounceInterval,
		Admin: c.Admin, AdminExact: c.Admin != seedserver.DefaultAdmin, AdminHosts: c.AdminHosts, AdminAuth: strings.TrimSpace(c.AdminAuth),
		Profiles: c.Profiles,
		LogDir:   c.LogDir, LogAddresses: c.LogAddresses,
		Version: version(), Logger: c.logger(s),
	}
	cfg.DHTRouters, cfg.NoDHT = dhtRouters(c.DHTRouter)
	if c.LogDir == "-" {
		cfg.LogDir, cfg.AccessLog = "", s.out
	}
	if c.PlainBelow == 0 {
		cfg.PlainBelow = -1
	}
	if c.Rescan == 0 {
		cfg.Rescan = -1
	}
	if c.MaxPeers < 1 || c.UploadSlots < 0 {
		return cfg, usageError{"--max-peers must be at least 1, --upload-slots at least 0"}
	}
	if c.Settle < 0 || c.SettleBlind < 0 || c.Rescan < 0 {
		return cfg, usageError{"--settle, --settle-blind and --rescan cannot be negative"}
	}
	cfg.SettleWrite, cfg.SettleBlind = max(c.Settle, 1), max(c.SettleBlind, 1) // zero would be the default
	for _, p := range c.TrustedProxies {
		prefix, err := parseNetwork(p)
		if err != nil {
			return cfg, usageError{fmt.Sprintf("trusted-proxy %q: give an address or a network such as 10.0.0.0/8", p)}
		}
		cfg.TrustedProxies = append(cfg.TrustedProxies, prefix)
	}
	if c.State == "" {
		state, err := seedserver.DefaultState(dir)
		if err != nil {
			return cfg, err
		}
		cfg.State = state
	}
	if err := cfg.Check(); err != nil {
		return cfg, usageError{err.Error()}
	}
	return cfg, nil
}

func (c *settings) logger(s streams) *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.Verbose {
		opts.Level = slog.LevelDebug
	}
	if c.JSON {
		return slog.New(slog.NewJSONHandler(s.err, opts))
	}
	return slog.New(slog.NewTextHandler(s.err, opts))
}

func parseNetwork(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func (c *serveCmd) Run(ctx context.Context, s streams, args rawArgs) error {
	cfg, err := c.config(s, c.Dir)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		cfg.Logger.Warn("running as root: a user of its own is safer; it needs to read the directory and to write its state")
	}
	if limit, ok := memoryLimit(); ok {
		cfg.Logger.Info("memory is limited", "bytes", limit)
	}
	if c.RebuildState {
		aside, err := seedserver.RebuildState(cfg.State)
		if err != nil {
			return err
		}
		cfg.Logger.Info("a fresh state database is made", "old", aside)
	}
	srv, err := seedserver.New(cfg)
	if err != nil {
		return err
	}
	if err := srv.Listen(ctx); err != nil {
		srv.Close()
		return err
	}
	if cfg.AccessLog != nil {
		c.banner(s.err, srv)
	} else {
		c.banner(s.out, srv)
	}
	stop := reloadOnHangup(ctx, srv, args, s)
	defer stop()
	return srv.Run(ctx)
}

// banner prints what a person needs to know first.
func (c *serveCmd) banner(out io.Writer, srv *seedserver.Server) {
	abs, err := filepath.Abs(c.Dir)
	if err != nil {
		abs = c.Dir
	}
	fmt.Fprintf(out, "Publishing  %s\n", abs)
	for _, u := range srv.URLs() {
		fmt.Fprintf(out, "Index       %s\n", u)
	}
	for _, a := range srv.PeerAddrs() {
		fmt.Fprintf(out, "Peers       %s\n", a)
	}
	for _, a := range srv.DHTAddrs() {
		fmt.Fprintf(out, "DHT         udp %s\n", a)
	}
	if u := srv.AdminURL(); u != "" {
		fmt.Fprintf(out, "Status      %s\n", u)
	}
	fmt.Fprintf(out, "State       %s\n", srv.StateDir())
	if note := srv.Reach(); note != "" {
		fmt.Fprintf(out, "Note        %s\n", note)
	}
	fmt.Fprintln(out, "Put files into the directory; each is published once it is complete. Stop with Ctrl-C.")
}
