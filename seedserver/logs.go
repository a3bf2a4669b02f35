package seedserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/seedserver/accesslog"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// The files in Config.LogDir.
const (
	accessLog   = "access.log"   // a line for each request, the tracker's included
	transferLog = "transfer.log" // a line for each connection of a peer
	eventLog    = "events.log"   // what Config.Logger gets, as JSON
)

// logs are the logs that are files. Those that are nil are not kept.
type logs struct {
	addresses                 accesslog.Addresses
	access, transfers, events *accesslog.File
	sample                    accesslog.Sample // of the access log
}

// openLogs opens what cfg asks for. A directory that is missing is made.
func openLogs(cfg *Config) (l *logs, err error) {
	l = &logs{addresses: cfg.logAddresses()}
	if cfg.LogDir != "" {
		if err := os.MkdirAll(cfg.LogDir, 0o750); err != nil {
			return nil, err
		}
	}
	if cfg.AccessLog != nil {
		l.access = accesslog.New(cfg.AccessLog, cfg.logger())
	}
	for name, to := range map[string]**accesslog.File{accessLog: &l.access, transferLog: &l.transfers, eventLog: &l.events} {
		if cfg.LogDir == "" || *to != nil {
			continue
		}
		if *to, err = accesslog.Open(filepath.Join(cfg.LogDir, name), cfg.logger()); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

func (l *logs) all() (files []*accesslog.File) {
	for _, f := range []*accesslog.File{l.access, l.transfers, l.events} {
		if f != nil {
			files = append(files, f)
		}
	}
	return files
}

// start writes the logs until the end returned is called.
func (l *logs) start() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	for _, f := range l.all() {
		writers.Go(func() { f.Run(ctx) })
	}
	return func() {
		cancel()
		within(logPatience, writers.Wait)
	}
}

func (l *logs) reopen() (err error) {
	for _, f := range l.all() {
		err = errors.Join(err, f.Reopen())
	}
	return err
}

func (l *logs) close() error {
	closed := make(chan error, 1)
	within(logPatience, func() {
		var err error
		for _, f := range l.all() {
			err = errors.Join(err, f.Close())
		}
		closed <- err
	})
	select {
	case err := <-closed:
		return err
	default:
		return nil // nobody reads it
	}
}

// logPatience is how long the end waits for the reader of Config.AccessLog.
const logPatience = time.Second

// within waits until f has returned, or d is over.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// logger returns one that logs what base does, in the log of events as well, and no more of an address than it may.
func (l *logs) logger(base *slog.Logger) *slog.Logger {
	handler := base.Handler()
	if l.events != nil {
		handler = slog.NewMultiHandler(handler, slog.NewJSONHandler(l.events, nil))
	}
	return slog.New(l.addresses.Events(handler))
}

// logRequests returns a handler that answers as next does, and logs it.
func (s *Server) logRequests(next http.Handler) http.Handler {
	if s.logs.access == nil {
		return next
	}
	return &accesslog.Handler{
		Next: next, Log: s.logs.access, Addresses: s.logs.addresses, Client: s.proxies.Client, Target: s.logs.target, Sample: &s.logs.sample,
	}
}

// transfer logs a connection of t that has ended.
func (l *logs) transfer(t *torrent, p swarm.PeerStat) {
	if l.transfers == nil {
		return
	}
	now := time.Now()
	line := accesslog.Transfer{
		End: now, Peer: l.addresses.Of(p.Addr.Addr()), InfoHash: t.infohash(), Bytes: p.Uploaded, Duration: now.Sub(p.Connected),
		Client: p.Client, Path: t.version.Load().Path,
	}
	l.transfers.Write(line.AppendTo(nil)) // never fails
}

// ReopenLogs opens the logs in Config.LogDir anew, after a program such as logrotate has renamed them. What cannot be opened goes
// on where it was.
func (s *Server) ReopenLogs() error { return s.logs.reopen() }
