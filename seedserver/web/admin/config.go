package admin

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Config configures a [Handler]. Only Source is needed. It is not modified and must not be while the Handler is in use.
type Config struct {
	// Source is what is shown.
	Source Source
	// Classes are the kinds of traffic, in the order of Account.Sent.
	Classes []Class
	// Version is shown at the bottom of each page if not empty.
	Version string
	// Hosts are names under which the Handler may be reached besides loopback and the address of the connection. Requests for
	// other hosts are refused: a page of a stranger could make its own name point here (DNS rebinding).
	Hosts []string
	// Auth is who may look, as USER:BCRYPT. If empty, everybody who can connect may. [CheckAuth] tells if it is well formed.
	Auth string
	// Token, if not empty, is a password that opens the same with any user name: for programs that read it from a private file.
	Token string
	// Metrics are collected with the Handler's own.
	Metrics []prometheus.Collector
	// Profiles serves the runtime's profiles below /debug/pprof/.
	Profiles bool
	// MaxListeners is how many may listen to live changes at a time. If zero, 1000.
	MaxListeners int
	// Logger gets the errors of the Source. If nil, nothing is logged.
	Logger *slog.Logger
}

// Class is a kind of traffic.
type Class struct {
	Name string // in a word of lower case
	HTTP bool   // it went to others than BitTorrent clients
}

// split returns what of sent went to BitTorrent clients and what to others.
func (c *Config) split(sent []int64) (bittorrent, http int64) {
	for i, n := range sent {
		if c.Classes[i].HTTP {
			http += n
		} else {
			bittorrent += n
		}
	}
	return bittorrent, http
}

func (c *Config) maxListeners() int {
	if c.MaxListeners == 0 {
		return 1000
	}
	return c.MaxListeners
}

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
