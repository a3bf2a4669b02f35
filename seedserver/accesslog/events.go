package accesslog

import (
	"context"
	"log/slog"
	"net/netip"
)

// Events returns a handler of log records that hands them to next with the
// addresses in their attributes as a says: values of type netip.Addr and
// netip.AddrPort, and errors of the network.
func (a Addresses) Events(next slog.Handler) slog.Handler {
	if a == Full {
		return next
	}
	return events{next, a}
}

type events struct {
	next      slog.Handler
	addresses Addresses
}

// Enabled is part of slog.Handler.
func (e events) Enabled(ctx context.Context, level slog.Level) bool {
	return e.next.Enabled(ctx, level)
}

// Handle is part of slog.Handler.
func (e events) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(e.mask(a))
		return true
	})
	return e.next.Handle(ctx, masked)
}

// WithAttrs is part of slog.Handler.
func (e events) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = e.mask(a)
	}
	return events{e.next.WithAttrs(masked), e.addresses}
}

// WithGroup is part of slog.Handler.
func (e events) WithGroup(name string) slog.Handler {
	return events{e.next.WithGroup(name), e.addresses}
}

func (e events) mask(a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case netip.Addr:
		a.Value = slog.AnyValue(e.addresses.Of(v))
	case netip.AddrPort:
		a.Value = slog.AnyValue(e.addresses.Of(v.Addr()))
	case error:
		a.Value = slog.AnyValue(e.addresses.ofError(v))
	}
	return a
}
