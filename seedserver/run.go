package seedserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run serves until ctx ends, then stops within a few seconds, whatever the number of torrents, and returns nil; or the first error
// that makes going on impossible. When it has returned, all it started has ended and the state is closed.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	if s.peer == nil {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}
	parent := ctx
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var swarms, parts sync.WaitGroup
	s.torrents.spawn = spawner(ctx, &swarms)
	part := func(what string, run func(ctx context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", what, cmp.Or(err, errEnded)))
			}
		})
	}
	ledgerCtx, endLedger := context.WithCancel(context.WithoutCancel(ctx))
	defer endLedger()
	accounts := make(chan error, 1)
	go func() {
		err := s.ledger.Run(ledgerCtx)
		if ledgerCtx.Err() == nil { // damage
			s.troubles.warn(troubleCounts, "nothing is counted any more", "", err)
		}
		accounts <- err
	}()
	defer s.logs.start()()

	part("watching the directory", s.catalog.Run)
	part("serving peers", func(ctx context.Context) error { return s.host.Serve(ctx, s.peer) })
	part("dialling peers", s.host.Dial)
	if s.dht != nil {
		part("taking part in the DHT", s.dht.Run)
	}
	part("keeping what the pickers know", func(ctx context.Context) error { s.torrents.keepPickers(ctx); return ctx.Err() })
	part("giving memory back", func(ctx context.Context) error { s.trimMemory(ctx); return ctx.Err() })
	part("finding our addresses", func(ctx context.Context) error { s.advertiser.run(ctx); return ctx.Err() })
	if s.account != nil {
		part("keeping the budget", s.account.Run)
	}
	part("admitting peers", func(ctx context.Context) error { s.gate.forget(ctx); return ctx.Err() })
	if s.cfg.LSD {
		part("finding peers in the local network", s.findLocalPeers)
	}
	if s.peers != nil {
		part("keeping swarms", func(ctx context.Context) error {
			keepPeers(ctx, s.peers, s.pace, s.peerLife(), s.swarmsPath(), s.troubles)
			return ctx.Err()
		})
	}
	for _, conn := range s.udp {
		part("tracking over UDP", func(ctx context.Context) error { return s.packets.Serve(ctx, conn) })
	}
	if s.http != nil {
		part("serving HTTP", func(ctx context.Context) error {
			places := atMost(promptTakers(s.http), s.maxHTTP, placesEach(s.maxHTTP), s.proxies.Trusts)
			return serveHTTP(ctx, s.cert.wrap(places), s.handler, s.log)
		})
	}
	if s.adminAt != nil {
		part("serving the status pages", func(ctx context.Context) error { return serveHTTP(ctx, promptTakers(s.adminAt), s.admin, s.log) })
		part("keeping the status pages live", s.admin.Run)
	}
	<-ctx.Done()
	parts.Wait()
	swarms.Wait()
	s.torrents.savePickers(context.WithoutCancel(ctx))
	endLedger()
	err := <-accounts
	switch {
	case parent.Err() == nil:
		return context.Cause(ctx)
	case errors.Is(err, context.Canceled):
		return nil
	default:
		return err
	}
}

var errEnded = errors.New("ended by itself")

// spawner returns a function that runs others in wg until ctx ends or each one's end is called.
func spawner(ctx context.Context, wg *sync.WaitGroup) func(run func(ctx context.Context)) (end func()) {
	return func(run func(ctx context.Context)) func() {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		wg.Go(func() {
			defer close(done)
			defer cancel()
			run(ctx)
		})
		return func() {
			cancel()
			<-done
		}
	}
}

// serveHTTP serves handler on l until ctx ends; requests under way get two seconds then.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: promptBodies(promptStreams(handler)), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			srv.Close()
		}
	})
	err := srv.Serve(l)
	if !stop() {
		<-stopped
	}
	return err
}
