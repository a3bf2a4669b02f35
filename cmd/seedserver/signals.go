package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seedserver/bittorrent/seedserver"
)

// reloadOnHangup reads the settings again on SIGHUP, and opens the logs anew. Settings that cannot work are refused and the old ones stay.
func reloadOnHangup(ctx context.Context, srv *seedserver.Server, args rawArgs, s streams) (stop func()) {
	return onHangup(ctx, func() {
		if err := srv.ReopenLogs(); err != nil {
			srv.Logger().Error("a log cannot be opened anew, it goes on where it was", "err", err)
		}
		reload(srv, args, s)
	})
}

// onHangup calls f for each SIGHUP, until ctx ends or stop is called.
func onHangup(ctx context.Context, f func()) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	done, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-hangup:
				f()
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
		<-finished
	}
}

func reload(srv *seedserver.Server, args rawArgs, s streams) {
	log := srv.Logger()
	var cl commandLine
	parser, err := newParser(&cl, s)
	if err == nil {
		_, err = parse(parser, args)
	}
	var cfg seedserver.Config
	if err == nil {
		cfg, err = cl.Serve.config(s, cl.Serve.Dir)
	}
	if err == nil {
		err = srv.Reload(cfg)
	}
	if err != nil {
		log.Error("the new settings are refused, the old ones stay", "err", err)
		return
	}
	log.Info("settings read again")
}

// signalContext ends with the first SIGINT or SIGTERM; a second one ends the process at once.
func signalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
