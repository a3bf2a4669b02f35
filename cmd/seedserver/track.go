package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/seedserver"
)

// trackCmd is a tracker that is alone, until it is told to stop.
type trackCmd struct {
	HTTP  string `name:"http" default:":6969" help:"Address of the tracker, over HTTP and UDP."`
	UDP   string `name:"udp" default:"on" enum:"on,off" help:"Answer on the UDP port of the same number, too: ${enum}."`
	URL   string `name:"url" help:"The address clients use, if it is not this machine's own: https://tracker.example.org" placeholder:"URL"`
	State string `help:"Keep the swarms over restarts in this file; made if missing." type:"path" placeholder:"FILE"`

	Allow string `help:"Track these torrents: a directory of .torrent files, or a file with an infohash a line." type:"path" placeholder:"DIR|LIST"`
	Open  bool   `help:"Track every torrent that somebody announces."`

	AnnounceInterval time.Duration `default:"30m" help:"How often peers are asked to announce."`
	AnnounceRate     float64       `default:"5000" help:"Announces a second, of all peers together, beyond which they are asked less often."`
	MaxPeers         int           `default:"100000" help:"Peers of one torrent."`
	MaxTorrents      int           `default:"1000000" help:"Torrents."`
	MaxTotal         int           `default:"20000000" help:"Peers of all torrents together."`
	MaxNumwant       int           `default:"200" help:"Peers in one answer."`
	Scrape           string        `default:"specific" enum:"full,specific,none" help:"What may be scraped: ${enum}."`

	NATCheck       bool     `name:"nat-check" help:"Connect back to clients, and hand out only those that can be reached."`
	AllowIP        []string `name:"allow-ip" help:"Network whose clients may announce, and no others; repeatable." placeholder:"CIDR"`
	DenyIP         []string `name:"deny-ip" help:"Network whose clients may not announce; repeatable." placeholder:"CIDR"`
	TrustedProxies []string `name:"trusted-proxy" help:"Network of a reverse proxy whose X-Forwarded-For is believed; repeatable (default: loopback)." placeholder:"CIDR"`

	Metrics      string `help:"Address of Prometheus metrics and health checks, such as 127.0.0.1:9090." placeholder:"HOST:PORT"`
	Log          string `default:"-" help:"Log requests as web servers do, to this file; - is standard output, off is nowhere." placeholder:"FILE"`
	LogAddresses string `default:"truncated" enum:"off,truncated,full" help:"How much of an address logs hold: ${enum}."`
	JSON         bool   `name:"json" help:"Log messages as JSON lines."`
	Verbose      bool   `short:"v" help:"Log what clients do wrong, too."`
}

// config translates the flags.
func (c *trackCmd) config(s streams) (seedserver.TrackerConfig, error) {
	cfg := seedserver.TrackerConfig{
		HTTP: c.HTTP, NoUDP: c.UDP == "off", URL: strings.TrimSuffix(c.URL, "/"), State: c.State, Allow: c.Allow, Open: c.Open,
		AnnounceInterval: c.AnnounceInterval, AnnounceRate: c.AnnounceRate, MaxPeers: c.MaxPeers, MaxTorrents: c.MaxTorrents, MaxTotal: c.MaxTotal,
		MaxNumWant: c.MaxNumwant, Scrape: c.Scrape, NATCheck: c.NATCheck, Metrics: c.Metrics, LogAddresses: c.LogAddresses,
		Version: version(), Logger: c.logger(s),
	}
	switch c.Log {
	case "-":
		cfg.AccessLog = s.out
	case "off", "":
	default:
		cfg.LogFile = c.Log
	}
	for _, list := range []struct {
		flag string
		from []string
		to   *[]netip.Prefix
	}{
		{"allow-ip", c.AllowIP, &cfg.AllowIP}, {"deny-ip", c.DenyIP, &cfg.DenyIP}, {"trusted-proxy", c.TrustedProxies, &cfg.TrustedProxies},
	} {
		for _, text := range list.from {
			prefix, err := parseNetwork(text)
			if err != nil {
				return cfg, usageError{fmt.Sprintf("%s %q: give an address or a network such as 10.0.0.0/8", list.flag, text)}
			}
			*list.to = append(*list.to, prefix.Masked())
		}
	}
	if err := cfg.Check(); err != nil {
		return cfg, usageError{err.Error()}
	}
	return cfg, nil
}

func (c *trackCmd) logger(s streams) *slog.Logger {
	return (&settings{JSON: c.JSON, Verbose: c.Verbose}).logger(s)
}

func (c *trackCmd) Run(ctx context.Context, s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		// The peers are most of the memory and hold no pointers, so that a collection costs a millisecond: it may come early.
		debug.SetGCPercent(20)
	}
	t, err := seedserver.NewTracker(cfg)
	if err != nil {
		return err
	}
	if err := t.Listen(ctx); err != nil {
		t.Close()
		return err
	}
	out := s.out
	if cfg.AccessLog != nil {
		out = s.err // what is printed for people does not mix with the log
	}
	c.banner(out, t)
	defer onHangup(ctx, func() {
		if err := t.ReopenLogs(); err != nil {
			t.Logger().Error("the log cannot be opened anew, it goes on where it was", "err", err)
		}
		if err := t.Reload(); err != nil {
			t.Logger().Error("the list of torrents cannot be read, the old one stays", "err", err)
			return
		}
		t.Logger().Info("list of torrents read again")
	})()
	return t.Run(ctx)
}

// banner prints what a person needs to know first.
func (c *trackCmd) banner(out io.Writer, t *seedserver.Tracker) {
	for _, u := range t.URLs() {
		fmt.Fprintf(out, "Announce    %s\n", u)
	}
	what := "every torrent that is announced"
	if c.Allow != "" {
		what = "the torrents of " + c.Allow
	}
	fmt.Fprintf(out, "Tracking    %s\n", what)
	if c.State != "" {
		fmt.Fprintf(out, "State       %s\n", c.State)
	} else {
		fmt.Fprintln(out, "State       none: the swarms are forgotten when this ends; --state FILE keeps them")
	}
	if u := t.MetricsURL(); u != "" {
		fmt.Fprintf(out, "Metrics     %s\n", u)
	}
}
